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

from pass_dataset.folders.lock import hold

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "build" / "environments"


@dataclass(frozen=True)
class Environment:
    """Packages that are installed together.

    Attributes:
      name: of its folder.
      requirements: what pip is asked for, the wheel of this package apart.
      extra: which of this package is installed with its wheel.
      base: what it starts as a copy of, which takes neither time nor room.
    """

    name: str
    requirements: tuple[str, ...] = ()
    extra: str = "hf"
    base: Environment | None = None

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        return self.folder / "stamp"


def prepare(environments: list[Environment], wheel: Path | None) -> None:
    """Makes the environments that are not there, all at a time, and installs the wheel anew.

    Those that others are copied from come before them, in a list of their own.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(len(environments)) as pool:
        list(pool.map(lambda one: _prepare(one, wheel), environments))


def _prepare(environment: Environment, wheel: Path | None) -> None:
    held = _held(environment, wheel)
    fresh = not environment.stamp.is_file() or environment.stamp.read_text() != held
    if fresh:
        shutil.rmtree(environment.folder, ignore_errors=True)
        if environment.base is None:
            _run([sys.executable, "-m", "venv", str(environment.folder)])
            _pip(environment, "--upgrade", "pip")
        else:
            _copy(environment.base, environment)
        named = [f"{wheel}[{environment.extra}]"] if wheel else []
        # Together: the newest of what the package needs may be too new for what is asked for.
        _pip(environment, *named, *environment.requirements)
    # The commands of a copy are those of its base.
    if wheel and (not fresh or environment.base):
        _pip(environment, "--force-reinstall", "--no-deps", str(wheel))
    environment.stamp.write_text(held)


def _held(environment: Environment, wheel: Path | None) -> str:
    """What an environment holds once it is whole, as its stamp says it."""
    before = sys.version if environment.base is None else _held(environment.base, wheel)
    declared = "\n".join(base_requirements() + extra_requirements(environment.extra))
    return "\n".join([before, declared if wheel else "", *environment.requirements])


def _copy(base: Environment, environment: Environment) -> None:
    """Files are links to those of the base: pip replaces files, and changes none."""
    shutil.copytree(
        base.folder,
        environment.folder,
        symlinks=True,
        copy_function=os.link,
        ignore=shutil.ignore_patterns(base.stamp.name),
    )


def base_requirements() -> list[str]:
    """What this package needs with and without extras."""
    return _setup()["options"]["install_requires"].split("\n")


def extra_requirements(extra: str) -> list[str]:
    """What an extra of this package needs besides."""
    return _setup()["options.extras_require"][extra].split("\n")


def _setup() -> configparser.RawConfigParser:
    config = configparser.RawConfigParser()
    config.read(ROOT / "setup.cfg")
    return config


def _pip(environment: Environment, *arguments: str) -> None:
    _run([str(environment.python), "-m", "pip", "install", "--quiet", "--no-compile", *arguments])


def _without_pythons() -> dict[str, str]:
    """Variables but for those of Python: by its path pip finds what is not in the environment."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=_without_pythons())
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def build_wheel(out: Path) -> Path:
    """The wheel of this tree, by way of the source distribution: nothing is left of earlier ones.

    One at a time: each writes into the tree, and takes away what it wrote.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    with hold(FOLDER):
        _run([sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)])
    (made,) = out.glob("*.whl")
    return made


#: Run by the environment's Python before its script: where that may make no network of its own,
#: only addresses of this machine can be connected to.
_GUARD = """
import ipaddress, os, runpy, socket, sys
connect = socket.socket.connect
def guarded(self, address):
    if self.family != socket.AF_UNIX and not ipaddress.ip_address(address[0]).is_loopback:
        raise OSError(f"no network here: {address}")
    return connect(self, address)
socket.socket.connect = guarded
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(sys.argv[0])
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
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    return subprocess.run(
        [*command, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=home,
        env={**_without_pythons(), "HOME": str(home), **offline},
    )
