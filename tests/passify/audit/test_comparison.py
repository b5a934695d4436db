"""What was removed between two releases, and what it scored."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset import PassArchive
from pass_dataset.passify.audit.comparison import removed_hashes
from tests.passify.audit.conftest import ADDED, REMOVED
from tests.support.collection import Collection
from tests.support.passify import DETECTORS, ROOT


def test_removed_hashes(earlier: Collection, later: Collection) -> None:
    releases = [PassArchive(made.folder, made.tsv) for made in (earlier, later)]
    assert removed_hashes(*releases) == [earlier.hashes[number] for number in sorted(REMOVED)]
    assert removed_hashes(*reversed(releases)) == [later.hashes[n] for n in sorted(ADDED)]
    assert removed_hashes(releases[0], releases[0]) == []


def reproduce(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        ROOT / "scripts" / "examples" / "reproduce_filtering.py",
        *arguments,
        *DETECTORS,
    ]
    return subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
    )


@pytest.mark.slow
def test_script(earlier: Collection, later: Collection, tmp_path: Path) -> None:
    out = tmp_path / "out"
    releases = ("--earlier-release", earlier.tsv, "--later-release", later.tsv)
    arguments = (earlier.folder, later.folder, *releases, "--out", out, "--workers", 1)
    done = reproduce(*arguments)
    assert done.returncode == 0, done.stderr
    assert "pass 1.0.0: 38 images\npass 2.0.0: 36 images, 4 fewer, 2 new\n" in done.stdout
    assert (
        "Of the removed, the filter would drop 2 today (50.00%): 1 face, 1 person\n" in done.stdout
    )
    assert "Of 36 that stayed: 1 (2.78%): 1 face\n" in done.stdout
    lines = {line.split()[1]: line for line in done.stdout.splitlines() if " over " in line}
    assert lines["0.5"].split()[2:] == [
        *("25.00%", "25.00%", "50.00%"),
        *("2.78%", "0.00%", "2.78%"),
    ]
    assert lines["0.1"].split()[2:5] == ["50.00%", "25.00%", "75.00%"]
    with (out / "removed" / "scores.csv").open(newline="") as file:
        scores = {row["hash"]: row for row in csv.DictReader(file)}
    assert list(scores) == [earlier.hashes[number] for number in sorted(REMOVED)]
    assert [row["reason"] for row in scores.values()] == ["face", "person", "", ""]
    for name in ("removed/report.html", "removed/scores.parquet", "later/flagged.csv"):
        assert (out / name).exists()
    assert reproduce(*arguments).stdout == done.stdout


@pytest.mark.slow
def test_script_on_a_sample(earlier: Collection, later: Collection, tmp_path: Path) -> None:
    done = reproduce(
        earlier.folder, later.folder, "--earlier-release", earlier.tsv, "--later-release",
        later.tsv, "--out", tmp_path / "out", "--workers", 1, "--sample", 9,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Of 9 that stayed" in done.stdout
    assert "with 95 % confidence 0.00% to" in done.stdout


def test_script_with_nothing_to_compare(earlier: Collection, tmp_path: Path) -> None:
    releases = ("--earlier-release", earlier.tsv, "--later-release", earlier.tsv)
    done = reproduce(earlier.folder, earlier.folder, *releases, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "there is nothing to compare" in done.stderr
