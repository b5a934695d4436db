"""Killed three times and run again, the command finds the same."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

IMAGES = 2400
RESULTS = ("pairs.parquet", "groups.parquet", "images.parquet", "kept.txt", "dropped.txt")


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Small photographs, of which every tenth is one of those before it, made anew."""
    random = np.random.default_rng(5)
    folder = tmp_path / "many"
    for number in range(IMAGES):
        seed = number - 1 if number % 10 == 9 else number
        cells = np.random.default_rng(seed).integers(0, 255, (24, 32, 3), np.uint8)
        image = Image.fromarray(cells).resize((160, 120), Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=int(random.integers(60, 95)))
        path = folder / f"{number % 7}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(buffer.getvalue())
    return folder


@pytest.mark.slow
def test_three_kills(many: Path, tmp_path: Path) -> None:
    def command(out: Path, workers: int) -> list[str]:
        return [
            *(sys.executable, "-m", "pass_dataset.curate", "duplicates", str(many)),
            *("--out", str(out), "--workers", str(workers), "--no-report"),
        ]

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    subprocess.run(command(whole, 2), check=True, capture_output=True)
    for parts in (1, 2, 4):
        process = subprocess.Popen(
            command(cut, 1), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while len(list((cut / "hashes").glob("*.parquet"))) < parts and process.poll() is None:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not (cut / "pairs.parquet").exists()
    subprocess.run(command(cut, 2), check=True, capture_output=True)
    for name in RESULTS:
        assert (cut / name).read_bytes() == (whole / name).read_bytes(), name
    assert len((whole / "dropped.txt").read_text().splitlines()) == IMAGES // 10
