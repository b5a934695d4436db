"""Every block of Python and of shell in README and docs does what it shows.

A block runs in the small world of `tests.docs.world`; the blocks of a page run in order and share
their names and files. What cannot run here is marked on the line before it, with the reason:

    <!-- not run: needs a SLURM cluster -->

and is parsed all the same: Python is compiled, and a line that begins with one of our commands goes
through the command's own parser, so that no option in the documentation is one that is gone.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sybil")

from tests.docs.examples import NOT_RUN, parse_shell
from tests.docs.world import ROOT

#: Made by `make docs`, not written by hand.
MADE = ("reference/commands.md", "notebooks")
PAGES = [
    ROOT / "README.md",
    *(
        page
        for page in sorted((ROOT / "docs").rglob("*.md"))
        if not page.relative_to(ROOT / "docs").as_posix().startswith(MADE)
    ),
]
LANGUAGES = {"sh", "python", "text", "bibtex"}


def has_blocks(page: Path) -> bool:
    return re.search(r"^ *```(sh|python)$", page.read_text(), re.MULTILINE) is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if has_blocks(page)], ids=lambda page: page.stem
)
def test_examples(page: Path, tmp_path: Path) -> None:
    for module in ("tensorflow_datasets", "datasets", "torch"):
        pytest.importorskip(module)
    command = [sys.executable, "-m", "tests.docs.examples", str(page), str(tmp_path / "world")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=590
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "blocks run" in done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_marks_have_reasons(page: Path) -> None:
    for mark in re.findall(r"<!--\s*not run.*?-->", page.read_text()):
        assert NOT_RUN.fullmatch(mark), f"{mark}: expected <!-- not run: reason -->"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_languages(page: Path) -> None:
    """A block in a language that is not known here would never be run."""
    opened = re.findall(r"^ *```(.*)$", page.read_text(), re.MULTILINE)[::2]
    assert set(opened) <= LANGUAGES


def test_options_that_are_gone_are_found() -> None:
    parse_shell("pass-dataset download /data/pass --parts 0,3-5\npassify keep run > kept.txt")
    with pytest.raises(SystemExit):
        parse_shell("passify run /photos --out run --no-such-option")
