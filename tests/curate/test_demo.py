"""The demo: from 200,000 rows of metadata to a release, every count as planted."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "tools" / "demo_curate.py"


@pytest.mark.slow
def test_every_count_is_as_planted(tmp_path: Path) -> None:
    pytest.importorskip("pycurl")
    pytest.importorskip("tensorflow_datasets")
    command = [sys.executable, str(SCRIPT), str(tmp_path / "demo")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "causes of select: {'duplicate-hash': 7, 'duplicate-id': 5}" in done.stdout
    assert "torch: " in done.stdout
    assert done.stdout.endswith("all is as planted\n")
    shutil.rmtree(tmp_path / "demo")
