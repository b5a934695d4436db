"""Photographs and real detectors: the same rows on this machine, on SLURM and on Ray."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from tests.support.passify import ROOT, rows
from tests.support.slurm import Cluster


def compare(shared: Path, work: Path, images: int, *options: object) -> str:
    """What the script prints before its table; it fails where rows differ."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("ray")
    script = ROOT / "scripts" / "benchmarks" / "compare_executors.py"
    weights = ("--face-weights", shared / "weights" / "mobilenet0.25_Final.pth")
    command = [script, shared / "images", "--images", images, "--work", work, *weights, *options]
    done = subprocess.run(
        [sys.executable, *map(str, command), "--executors", "slurm", "ray"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    *before, _, local, slurm, ray = done.stdout.splitlines()
    found = [line.split()[::2][:2] for line in (local, slurm, ray)]
    assert found == [["local", str(images)], ["slurm", str(images)], ["ray", str(images)]]
    return "\n".join(before)


def test_faces(slurm: Cluster, shared: Path, tmp_path: Path) -> None:
    said = compare(shared, tmp_path, 200)
    assert " face" in said


@pytest.mark.timeout(600)  # a quiet machine needs a tenth of it
def test_faces_and_people(
    slurm: Cluster, shared: Path, cascade_weights: Path, tmp_path: Path
) -> None:
    """As published: faces in one partition, people in another. Two images, as one takes seconds."""
    pytest.importorskip("torchvision")
    compare(
        shared, tmp_path, 2, "--partitions", "cpu", "gpu", "--shard-size", 1,
        "--detectors", "face,person", "--person-weights", cascade_weights,
    )  # fmt: skip
    found = rows(Results(RunFolder(tmp_path / "slurm")))
    assert [row["reason"] for row in found] == ["face", None]
    # People were looked for where no face was, and boxes were found.
    assert [row["person_max_score"] is None for row in found] == [True, False]
    assert found[1]["person_boxes"]
