"""Environments of their own for tests: made once, used again as long as what they hold stays.

An environment is a folder under ``build/environments``. Its stamp, written last, says what was
installed, so that one whose making was interrupted, or that has something else in it, is made anew.
"""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "build" / "environments"


@dataclass(frozen=True)
class Environment:
    """Packages that are installed together.

    Attributes:
      name: of its folder.
      requirements: what pip is asked for, the wheel of this package apart.
    """

    name: str
    requirements: tuple[str, ...]

    @property
    def python(self) -> Path:
        return FOLDER / self.name / "bin" / "python"


def prepare(environments: list[Environment], wheel: Path | None, extra: str = "hf") -> None:
    """Makes the environments that are not there, all at a time, and installs the wheel anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(len(environments)) as pool:
        list(pool.map(lambda one: _prepare(one, wheel, extra), environments))


def _prepare(environment: Environment, wheel: Path | None, extra: str) -> None:
    folder = FOLDER / environment.name
    stamp = folder / "stamp"
    held = "\n".join([sys.version, _declared(extra) if wheel else "", *environment.requirements])
    if not stamp.is_file() or stamp.read_text() != held:
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        _pip(environment, "--upgrade", "pip")
        named = [f"{wheel}[{extra}]"] if wheel else []
        # Together: the newest of what the package needs may be too new for what is asked for.
        _pip(environment, *named, *environment.requirements)
        stamp.write_text(held)
    elif wheel:
        _pip(environment, "--force-reinstall", "--no-deps", str(wheel))


def _declared(extra: str) -> str:
    """What this package and its extra need."""
    config = configparser.RawConfigParser()
    config.read(ROOT / "setup.cfg")
    return config["options"]["install_requires"] + config["options.extras_require"][extra]


def _pip(environment: Environment, *arguments: str) -> None:
    _run([str(environment.python), "-m", "pip", "install", "--quiet", "--no-compile", *arguments])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def build_wheel(out: Path) -> Path:
    """The wheel of this tree, by way of a copy that has no leftovers of earlier builds."""
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)]
    _run(command)
    (made,) = out.glob("*.whl")
    return made


#: Run by the environment's Python before its script: where that may make no network of its own,
#: only addresses of this machine can be connected to.
_GUARD = """
import ipaddress, runpy, socket, sys
connect = socket.socket.connect
def guarded(self, address):
    if self.family != socket.AF_UNIX and not ipaddress.ip_address(address[0]).is_loopback:
        raise OSError(f"no network here: {address}")
    return connect(self, address)
socket.socket.connect = guarded
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
#: Run in a network of its own, which has but loopback, and that not yet up.
_ALONE = """
import fcntl, os, socket, struct, sys
with socket.socket() as any_socket:
    # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING: linux/sockios.h, linux/if.h
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x41))
os.execv(sys.argv[1], sys.argv[1:])
"""


def run_without_network(
    environment: Environment, script: Path, *arguments: object, home: Path
) -> subprocess.CompletedProcess[str]:
    """Runs a script in an environment that can reach nothing but this machine."""
    alone = ["unshare", "--net", "--map-root-user", sys.executable, "-c", _ALONE]
    try:
        can = subprocess.run([*alone, "/bin/true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        can = False
    python = str(environment.python)
    command = [*alone, python] if can else [python, "-c", _GUARD]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [*command, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=280,
        cwd=home,
        env={**clean, "HOME": str(home), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"},
    )
