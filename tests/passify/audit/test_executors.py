"""Releases verified and compared on a real SLURM and a real Ray: what this machine finds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.executors.slurm.submissions import load_submissions
from pass_dataset.passify.audit.release_runs import ReleaseRun
from pass_dataset.passify.runs.results import Results
from tests.support.collection import Collection
from tests.support.passify import DETECTORS, ROOT, rows
from tests.support.slurm import Cluster
from tests.support.waiting import wait_until

SLURM = (
    *("--executor", "slurm", "--slurm-partition", "cpu", "--slurm-cpus", "1"),
    *("--slurm-mem-gb", "2", "--slurm-gpu-partition", "gpu", "--slurm-gpu-cpus", "1"),
    *("--slurm-gpu-mem-gb", "2", "--slurm-tasks", "2"),
)
RAY = ("--executor", "ray", "--ray-address", "local", "--ray-workers", "2")
VERIFY = ("-m", "pass_dataset.passify", "verify")
REPRODUCE = (str(ROOT / "scripts" / "examples" / "reproduce_filtering.py"),)


def run(folder: Path, *arguments: object) -> str:
    """Runs a command in a folder of its own, to which what it writes is relative."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, *map(str, arguments), *DETECTORS],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def verify(folder: Path, release: Collection, *options: str) -> str:
    return run(folder, *VERIFY, release.folder, "--release", release.tsv, "--out", "out", *options)


def reproduce(folder: Path, earlier: Collection, later: Collection, *options: str) -> str:
    releases = ("--earlier-release", earlier.tsv, "--later-release", later.tsv)
    return run(
        folder, *REPRODUCE, earlier.folder, later.folder, *releases, "--out", "out", *options
    )


@pytest.fixture(scope="module")
def local(
    earlier: Collection, later: Collection, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, str]:
    """What this machine finds: a folder, and what the two commands say."""
    folder = tmp_path_factory.mktemp("local")
    said = verify(folder / "verify", later)
    return folder, said, reproduce(folder / "reproduce", earlier, later)


def found_in(out: Path) -> list[dict[str, Any]]:
    return rows(Results(ReleaseRun(out).folder))


def check_same(ours: Path, local: Path, images: int, scores: str) -> None:
    assert len(found_in(local)) == images
    assert found_in(ours) == found_in(local)
    assert (ours / scores).read_bytes() == (local / scores).read_bytes()


def check(
    options: tuple[str, ...],
    earlier: Collection,
    later: Collection,
    local: tuple[Path, str, str],
    here: Path,
) -> None:
    folder, verify_said, reproduce_said = local
    assert verify(here / "verify", later, *options) == verify_said
    check_same(here / "verify" / "out", folder / "verify" / "out", 36, "flagged.csv")
    assert reproduce(here / "reproduce", earlier, later, *options) == reproduce_said
    for name, images, scores in (("removed", 4, "scores.csv"), ("later", 36, "flagged.csv")):
        out = Path("reproduce", "out", name)
        check_same(here / out, folder / out, images, scores)


def test_on_slurm(
    slurm: Cluster,
    earlier: Collection,
    later: Collection,
    local: tuple[Path, str, str],
    tmp_path: Path,
) -> None:
    """Faces in one partition, people in the other."""
    check(SLURM, earlier, later, local, tmp_path)
    stages = load_submissions(ReleaseRun(tmp_path / "verify" / "out").folder.path)
    assert [(array.stage, array.partition) for array in stages] == [
        ("face", "cpu"),
        ("person", "gpu"),
    ]


def test_without_waiting(
    slurm: Cluster,
    earlier: Collection,
    later: Collection,
    local: tuple[Path, str, str],
    tmp_path: Path,
) -> None:
    """All is submitted at once; the same command ends it."""
    said = reproduce(tmp_path, earlier, later, *SLURM, "--no-wait")
    assert " shards are submitted. passify status" in said
    assert f"{tmp_path}/out/later/run" in said
    wait_until(lambda: not slurm.ask("squeue", "--noheader"))
    assert reproduce(tmp_path, earlier, later, *SLURM, "--no-wait") == local[2]
    said = verify(tmp_path / "verify", later, *SLURM, "--no-wait")
    assert " shards are submitted. passify status" in said


@pytest.mark.ray
def test_on_ray(
    earlier: Collection, later: Collection, local: tuple[Path, str, str], tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    check(RAY, earlier, later, local, tmp_path)
