"""Weights in the model zoo's format, and what is needed of them, read once for all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def weights(cascade_weights: Path) -> Path:
    return cascade_weights


@pytest.fixture(scope="session")
def parameters(weights: Path) -> dict[str, np.ndarray[Any, Any]]:
    from pass_dataset.passify.detectors.cascade_rcnn.checkpoint import read_checkpoint
    from pass_dataset.passify.detectors.cascade_rcnn.parameters import needed_parameters

    return needed_parameters(read_checkpoint(weights), weights)
