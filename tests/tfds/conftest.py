"""What tests of TFDS builds share."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def quiet_tfds() -> Any:
    """TFDS without progress bars."""
    tfds = pytest.importorskip("tensorflow_datasets")
    tfds.disable_progress_bar()
    return tfds
