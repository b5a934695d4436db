"""Memory for large maps on the CPU, kept from layer to layer and from image to image.

What is larger than 32 MB glibc takes from the system and gives back each time, and the system
zeroes its pages one by one: for maps of this network a tenth of all the time.
"""

from __future__ import annotations

import weakref
from collections import deque
from typing import Any

import numpy as np
import torch

__all__ = ["LARGE_BYTES", "empty_floats", "empty_map", "is_large"]

#: What glibc keeps itself is smaller (DEFAULT_MMAP_THRESHOLD_MAX).
LARGE_BYTES = 32_000_000

Array = np.ndarray[Any, Any]

#: Memory that no tensor uses. It ends with the process: as many blocks as were in use at once, each
#: as large as the largest map that it was needed for.
_free: deque[Array] = deque()


def empty_map(shape: tuple[int, int, int, int], like: torch.Tensor) -> torch.Tensor:
    """A map N×C×H×W, `channels_last`, with anything in it; of the device and dtype of `like`."""
    if like.device.type != "cpu" or like.dtype != torch.float32 or not is_large(shape):
        return torch.empty(
            shape, dtype=like.dtype, device=like.device, memory_format=torch.channels_last
        )
    images, channels, height, width = shape
    return empty_floats((images, height, width, channels)).permute(0, 3, 1, 2)


def empty_floats(shape: tuple[int, ...]) -> torch.Tensor:
    """A float32 tensor on the CPU with anything in it; its memory is kept if it is large."""
    if not is_large(shape):
        return torch.empty(shape)
    size = int(np.prod(shape))
    block = _block(size)
    part = block[:size]
    # Torch lets go of `part` with the last tensor that shares its memory.
    weakref.finalize(part, _free.append, block)
    return torch.from_numpy(part).view(shape)


def is_large(shape: tuple[int, ...]) -> bool:
    """Whether the memory of a float32 tensor is better kept."""
    return 4 * int(np.prod(shape)) > LARGE_BYTES


def _block(size: int) -> Array:
    """Memory for `size` floats, or more: the one last used that is large enough."""
    small = []
    found = None
    while found is None:
        # Other threads take and give back at the same time.
        try:
            block = _free.pop()
        except IndexError:
            break
        if block.size >= size:
            found = block
        else:
            small.append(block)
    if found is None:
        # In place of one that is too small.
        small = small[1:]
        # Torch's memory begins where vectors do, NumPy's need not.
        found = torch.empty(size).numpy()
    _free.extend(reversed(small))
    return found
