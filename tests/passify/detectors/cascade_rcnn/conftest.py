"""Weights in the model zoo's format, and what the detector finds with them, made once for all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import SHARED


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkpoint of the right shapes, 290 MB, that the golden data was computed with."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared with golden data and test images")
    path = tmp_path_factory.mktemp("weights") / "model.pkl"
    script = SHARED / "golden" / "make_cascade_weights.py"
    subprocess.run([sys.executable, str(script), str(path)], check=True, timeout=120)
    yield path
    path.unlink()


@pytest.fixture(scope="session")
def parameters(weights: Path) -> dict[str, np.ndarray[Any, Any]]:
    from pass_dataset.passify.detectors.cascade_rcnn.checkpoint import read_checkpoint
    from pass_dataset.passify.detectors.cascade_rcnn.parameters import needed_parameters

    return needed_parameters(read_checkpoint(weights), weights)
