from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

#: What the extra `evaluate` installs, and the network that ours is compared with.
_NEEDED = ("torch", "torchvision", "sklearn", "faiss", "timm")

if any(importlib.util.find_spec(name) is None for name in _NEEDED):
    collect_ignore_glob = ["*"]


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Small networks are slower in several threads, which wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
