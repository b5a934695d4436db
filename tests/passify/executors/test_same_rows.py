"""Photographs and the real face detector: the same rows on this machine, on SLURM and on Ray."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.passify import ROOT
from tests.support.slurm import Cluster


def test_compare_executors(slurm: Cluster, shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("ray")
    script = ROOT / "scripts" / "compare_executors.py"
    done = subprocess.run(
        [
            sys.executable, str(script), str(shared / "images"), "--images", "200",
            "--work", str(tmp_path), "--executors", "slurm", "ray",
            "--face-weights", str(shared / "weights" / "mobilenet0.25_Final.pth"),
        ],
        capture_output=True,
        text=True,
        timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = [line.split()[:3] for line in done.stdout.splitlines()[-3:]]
    assert [(name, images) for name, _, images in found] == [
        ("local", "200"),
        ("slurm", "200"),
        ("ray", "200"),
    ]
