"""Networks at work: nothing kept for gradients, and float32 that is float32.

On NVIDIA's GPUs from Ampere on PyTorch rounds what convolutions of float32 multiply to TF32, which
has 10 bits of fraction where float32 has 23, unless it is told not to; and so it does with products
of matrices where a training asked for that. Scores are then off in the third digit, and no longer
those of a CPU.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

__all__ = ["full_float32", "inference"]


@contextmanager
def inference() -> Iterator[None]:
    """`torch.inference_mode`, and `full_float32`."""
    with torch.inference_mode(), full_float32():
        yield


@contextmanager
def full_float32() -> Iterator[None]:
    """Meanwhile CUDA multiplies all bits of float32, in all threads; then it is as it was set."""
    _HOLD.take()
    try:
        yield
    finally:
        _HOLD.give_back()


class _Hold:
    """PyTorch's switches, which all threads of a process share: the last one turns them back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders = 0
        self._before: list[Any] = []

    def take(self) -> None:
        with self._lock:
            if not self._holders:
                self._before = [getattr(owner, name) for owner, name, _ in _switches()]
                for owner, name, full in _switches():
                    setattr(owner, name, full)
            self._holders += 1

    def give_back(self) -> None:
        with self._lock:
            self._holders -= 1
            if not self._holders:
                for (owner, name, _), before in zip(_switches(), self._before, strict=True):
                    setattr(owner, name, before)


_HOLD = _Hold()


def _switches() -> list[tuple[Any, str, Any]]:
    """Owner, name, and the value that keeps all bits; of convolutions, and of matrices."""
    convolutions, matrices = torch.backends.cudnn, torch.backends.cuda.matmul
    if hasattr(convolutions, "conv"):  # since 2.9, where the older names complain of the newer ones
        return [(convolutions.conv, "fp32_precision", "ieee"), (matrices, "fp32_precision", "ieee")]
    return [(convolutions, "allow_tf32", False), (matrices, "allow_tf32", False)]
