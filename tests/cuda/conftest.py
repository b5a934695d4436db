"""Of a machine with a GPU of NVIDIA's: `python -m pytest tests/cuda` there; others skip these."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def cuda() -> Any:
    """The GPU."""
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU of NVIDIA's, and a build of torch for it")
    return torch.device("cuda", 0)


@pytest.fixture
def two_gpus(cuda: Any) -> None:
    """A second GPU."""
    import torch

    if torch.cuda.device_count() < 2:
        pytest.skip("needs two GPUs")
