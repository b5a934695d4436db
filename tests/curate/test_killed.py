"""A curation that is killed again and again comes to the same ledger, and the same release."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.curation import own_collection

SETTINGS = """
steps = ["select", "fetch", "balance", "draw", "release"]
metadata = ["mine.csv"]

[select]
shard_rows = 20

[balance]
per_photographer = 50
sample = 240

[draw]
count = 200

[release]
name = "mine"
version = "1.0.0"
tars = 5
"""
KILLS = 10


def sums(folder: Path) -> dict[str, str]:
    """What may not differ: the ledger's files, and the release's but for papers with days."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".parquet", ".tar", ".csv", ".tsv") and "work" not in path.parts
    }


def start(folder: Path, out: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pass_dataset.curate", "run", folder / "settings.toml"]
    command += ["--out", folder / out, "--workers", "1"]
    return subprocess.Popen(
        list(map(str, command)),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[bytes]) -> int:
    _, said = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), said.decode()
    return process.returncode


@pytest.mark.slow
def test_killed_ten_times(tmp_path: Path) -> None:
    pytest.importorskip("pycurl")
    own_collection(tmp_path, 300)
    (tmp_path / "settings.toml").write_text(SETTINGS)
    began = time.monotonic()
    assert ended(start(tmp_path, "whole")) == 0
    seconds = time.monotonic() - began
    rng = random.Random(0)
    killed = 0
    # Early at first: a run that is continued has less and less to do.
    for kill in range(KILLS):
        process = start(tmp_path, "killed")
        time.sleep(rng.uniform(0.15, 0.4 + 0.06 * kill) * seconds)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        killed += ended(process) != 0
    assert killed > 3
    assert ended(start(tmp_path, "killed")) == 0
    found = sums(tmp_path / "whole")
    assert sum(name.endswith(".tar") for name in found) == 5
    assert sums(tmp_path / "killed") == found
