"""A whole curation here, killed ten times, on SLURM and on Ray: the same ledger and release."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.support.passify import FACES, PEOPLE, ROOT, encoded, processes_with
from tests.support.slurm import Cluster
from tests.support.waiting import wait_until

SETTINGS = f"""
steps = ["select", "fetch", "filter", "balance", "duplicates", "draw", "release"]
metadata = ["mine.csv"]

[select]
shard_rows = 10

[filter]
face_detector = "{FACES}"
person_detector = "{PEOPLE}"

[balance]
per_photographer = 8
sample = 0

[draw]
count = 12

[release]
name = "squares"
version = "1.0.0"
tars = 2
"""


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty photographs with painted squares, a table of them, and settings."""
    folder = tmp_path_factory.mktemp("collection")
    lines = ["path,creator,title,license"]
    rng = np.random.default_rng(0)
    for number in range(40):
        pixels = rng.integers(0, 60, (50, 40, 3)).astype(np.uint8)
        if number % 4 == 1:
            pixels[:40, :, 0] = 250
        if number % 5 == 2:
            pixels[-40:, :, 2] = 250
        if number % 10 == 3:
            pixels[:] = 128
        (folder / f"{number}.jpg").write_bytes(encoded(pixels, "JPEG"))
        licence = "https://creativecommons.org/licenses/by/4.0/"
        lines.append(f"{number}.jpg,artist {number % 3},square {number},{licence}")
    # One that is not there.
    lines.append(f"lost.jpg,artist 1,lost,{licence}")
    (folder / "mine.csv").write_text("\n".join(lines) + "\n")
    (folder / "settings.toml").write_text(SETTINGS)
    return folder


def command(collection: Path, out: Path, *options: object) -> list[str]:
    told = ("run", collection / "settings.toml", "--out", out, "--accept-failures", *options)
    return [sys.executable, "-m", "pass_dataset.curate", *map(str, told)]


def run(collection: Path, out: Path, *options: object) -> str:
    done = subprocess.run(
        command(collection, out, *options), capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def contents(out: Path) -> dict[str, bytes]:
    """The ledger's tables and the release's tars and table, by name."""
    found = sorted([*out.glob("ledger/*/*.parquet"), *(out / "release").iterdir()])
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in found
        if path.suffix in (".parquet", ".tar", ".csv")
    }


@pytest.fixture(scope="module")
def here(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What this machine makes of it."""
    out = tmp_path_factory.mktemp("here") / "curation"
    said = run(collection, out)
    assert "fetch: 41 photographs came, 40 went on\n  missing 1" in said
    assert "filter: 36 photographs came" in said
    assert "draw: " in said
    found = contents(out)
    assert {"release/squares.0.tar", "release/squares.1.tar"} <= set(found)
    return found


@pytest.mark.slow
def test_killed_ten_times(collection: Path, here: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "curation"
    rng = random.Random(1)
    for _ in range(10):
        process = subprocess.Popen(
            command(collection, out, "--workers", 1),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: out.exists(), process)
        time.sleep(rng.uniform(0, 3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until(lambda: not processes_with(str(out)))
    run(collection, out, "--workers", 1)
    assert contents(out) == here


def test_on_slurm(slurm: Cluster, collection: Path, here: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "curation"
    where = ("--executor", "slurm", "--slurm-partition", "cpu", "--slurm-cpus", 1)
    run(collection, out, *where, "--slurm-mem-gb", 1, "--slurm-parallel", 2)
    assert contents(out) == here
    # Both were spread.
    assert list(out.glob("work/fetch/slurm/jobs/*.json"))
    assert list(out.glob("work/filter/slurm/jobs/*.json"))


@pytest.mark.ray
def test_on_ray(collection: Path, here: dict[str, bytes], tmp_path: Path) -> None:
    pytest.importorskip("ray")
    out = tmp_path / "curation"
    run(collection, out, "--executor", "ray", "--ray-address", "local", "--ray-workers", 2)
    assert contents(out) == here
