"""The tree: floors import downwards, and nothing goes round in a circle (`.importlinter`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("importlinter")

ROOT = Path(__file__).parent.parent
LINT = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Holds the package in a folder against the contract."""
    command = [str(LINT), "--config", str(ROOT / ".importlinter"), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_contract_is_kept() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert "3 kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("releases/release.py", "import pass_dataset.archives.tars", "Floors import downwards"),
        (
            "archives/tars.py",
            "def late() -> None:\n    import pass_dataset.archives.records",
            "No circle between files or packages, eager or lazy",
        ),
        (
            "passify/sources/names.py",
            "def late() -> None:\n    from pass_dataset.passify import report",
            "No circle between files or packages, eager or lazy",
        ),
        (
            "torch/spans.py",
            "def late() -> None:\n    import pass_dataset.parquet.build",
            "Floors import downwards",
        ),
        (
            "passify/audit/findings.py",
            "import pass_dataset.commands.arguments",
            "Commands are imported by nobody",
        ),
    ],
)
def test_contract_is_broken_by(tmp_path: Path, module: str, line: str, broken: str) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "*.tar")
    shutil.copytree(ROOT / "pass_dataset", tmp_path / "pass_dataset", ignore=ignored)
    with (tmp_path / "pass_dataset" / module).open("a") as file:
        file.write(f"\n\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{broken} BROKEN" in done.stdout


def test_tree_is_small_enough_to_be_read() -> None:
    names = [path.name for path in (ROOT / "pass_dataset").iterdir() if path.name != "__pycache__"]
    assert len(names) <= 29, sorted(names)
