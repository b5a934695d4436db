"""A run in parts, for schedulers that passify does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from tests.support.passify import DETECTORS, many, passify, rows, run


@pytest.fixture
def planned(tmp_path: Path) -> Path:
    photos = many(tmp_path / "photos", 30)
    out = tmp_path / "run"
    done = passify("plan", photos, "--out", out, *DETECTORS, "--shard-size", 10)
    assert (done.returncode, done.stdout) == (0, f"{out}: 30 images in 3 shards\n")
    return out


@pytest.mark.slow
def test_parts_make_the_whole(planned: Path, tmp_path: Path) -> None:
    for task in (1, 0):
        assert planned.joinpath("kept.txt").exists() is False
        done = passify("work", planned, "--task", task, "--tasks", 2, "--workers", 1)
        assert done.returncode == 0, done.stderr
    command = ("run", tmp_path / "photos", "--out", planned, *DETECTORS, "--shard-size", 10)
    last = passify(*command)
    assert last.returncode == 0, last.stderr
    assert planned.joinpath("kept.txt").exists()
    local = run(tmp_path / "photos", tmp_path / "local", workers=2)
    assert rows(Results(RunFolder(planned))) == rows(local)


def test_more_tasks_than_shards(planned: Path) -> None:
    done = passify("work", planned, "--task", 7, "--tasks", 8)
    assert done.returncode == 0, done.stderr
    assert RunFolder(planned).done() == set()


def test_wrong_parts(planned: Path, tmp_path: Path) -> None:
    for arguments, message in (
        ((planned, "--task", 2, "--tasks", 2), "--task: expected 0 to 1"),
        ((tmp_path / "nothing", "--task", 0, "--tasks", 2), "expected the folder of a run"),
        ((planned, "--stage", "person", "--task", 0, "--tasks", 2), "--stage face first"),
    ):
        done = passify("work", *arguments)
        assert done.returncode == 1
        assert message in done.stderr
