"""Python environments of their own, made once and kept under ``build/environments``."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

_HOME = Path(__file__).parent.parent.parent / "build" / "environments"

#: Written last: an environment without it was interrupted, and is made anew.
_STAMP = "installed.txt"


def python_with(name: str, requirements: Sequence[str], timeout_s: float = 600) -> Path:
    """The Python of an environment with these packages and what they need, and nothing else."""
    wanted = "\n".join([sys.version, *requirements])
    folder = _HOME / f"{name}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"
    python = folder / "bin" / "python"
    if not (folder / _STAMP).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        for packages in (["--upgrade", "pip"], list(requirements)):
            install = [str(python), "-m", "pip", "install", "--quiet", *packages]
            subprocess.run(install, check=True, timeout=timeout_s)
        (folder / _STAMP).write_text(wanted)
    return python


def run_alone(python: Path, code: str, *arguments: object, cwd: Path) -> str:
    """What code prints in an environment, without this package and without network."""
    done = subprocess.run(
        [str(python), "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=240,
        env={**os.environ, "PYTHONPATH": "", "HF_HUB_OFFLINE": "1", "HF_HOME": str(cwd / "hf")},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
