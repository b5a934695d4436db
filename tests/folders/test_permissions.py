"""Folders and files that this user may not read or write, also where tests run as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pass_dataset.archives import mini


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users may look into, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="pass-permissions-"))
    folder.chmod(0o755)
    (folder / "home").mkdir()
    (folder / "home").chmod(0o777)
    shutil.copytree(mini.ARCHIVES, folder / "archives")
    shutil.copy(mini.CHECKSUMS, folder / "mini.tsv")
    yield folder
    for path in [folder / "archives", *folder.glob("archives/*")]:
        path.chmod(0o755)
    shutil.rmtree(folder)


#: Runs in a process of its own: runs every command once, so that all is imported that may lie where
#: only root can read; gives up root's rights; runs the one that is asked for.
UNPRIVILEGED = """
import contextlib, os, sys
from pass_dataset.commands.main import main
warm, tsv = sys.argv[1:3]
with open(os.devnull, "w") as nowhere:
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        for command in (["download"], ["verify"], ["index", "--rebuild"]):
            assert main([*command, warm, "--release", tsv]) == 0
        assert main(["checksums", warm, "--version", "1.0.0"]) == 0
        os.unlink(os.path.join(warm, "PASS.0.tar"))
        main(["download", warm, "--release", tsv])
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.exit(main(sys.argv[3:]))
"""


def run_unprivileged(place: Path, *arguments: object) -> tuple[int, str]:
    """Runs the command without root's rights; its exit code and what it said."""
    shutil.copytree(mini.ARCHIVES, place / "warm", dirs_exist_ok=True)
    warm = [str(place / "warm"), str(place / "mini.tsv")]
    # Who measures coverage may not write his file where this user may not.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, *warm, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**kept, "XDG_CACHE_HOME": str(place / "home")},
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("command", ["download", "verify", "index", "checksums"])
def test_folder_that_may_not_be_read(place: Path, command: str) -> None:
    (place / "archives").chmod(0o700 if os.geteuid() == 0 else 0)
    code, said = run_unprivileged(place, command, place / "archives", *extra(place, command))
    assert code == 1
    assert "Traceback" not in said
    assert str(place / "archives") in said


@pytest.mark.parametrize("command", ["download", "verify", "index", "checksums"])
def test_file_that_may_not_be_read(place: Path, command: str) -> None:
    (place / "archives" / "PASS.3.tar").chmod(0o600 if os.geteuid() == 0 else 0)
    code, said = run_unprivileged(place, command, place / "archives", *extra(place, command))
    assert code == 1
    assert "Traceback" not in said
    assert "PASS.3.tar: " in said


def test_folder_that_may_not_be_written(place: Path) -> None:
    """As shared data on a cluster: receipt and index go to the user's cache."""
    (place / "archives").chmod(0o555)
    for command in (["verify"], ["verify", "--quick"], ["index"], ["download"]):
        name, *options = command
        code, said = run_unprivileged(
            place, name, place / "archives", *options, "--release", place / "mini.tsv"
        )
        assert code == 0, said
    assert len(list((place / "archives").iterdir())) == 11
    assert len(list((place / "home").rglob("pass_index.arrow"))) == 1


def test_files_missing_where_none_may_be_written(place: Path) -> None:
    (place / "archives" / "PASS.3.tar").unlink()
    (place / "archives").chmod(0o555)
    code, said = run_unprivileged(
        place, "download", place / "archives", "--release", place / "mini.tsv"
    )
    assert code == 1
    assert "are missing and the folder is read-only; choose another folder" in said


def extra(place: Path, command: str) -> list[object]:
    if command == "checksums":
        return ["--version", "1.0.0", "--out", place / "home" / "out.tsv"]
    return ["--release", place / "mini.tsv"]


#: As above, for `datasets`: loads once, then without rights into a cache that may not be written.
UNPRIVILEGED_LOAD = """
import os, sys
import pass_dataset, datasets
warm, cache = sys.argv[1:]
datasets.load_dataset("pass_mini", split="train", cache_dir=warm)[0]
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    datasets.load_dataset("pass_mini", split="train", cache_dir=cache)
except pass_dataset.PassDatasetError as error:
    print(type(error).__name__, error)
"""


def test_read_only_cache_of_datasets(place: Path) -> None:
    pytest.importorskip("datasets")
    cache = place / "cache"
    cache.mkdir()
    cache.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED_LOAD, str(place / "home" / "warm"), str(cache)],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(place / "home"), "TMPDIR": str(place / "home")},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"FolderError {cache}: the cache of datasets cannot be used")
    assert "cache_dir=" in done.stdout
