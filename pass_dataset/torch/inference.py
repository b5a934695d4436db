"""Networks at work: nothing kept for gradients, and float32 that is float32.

On NVIDIA's GPUs from Ampere on PyTorch rounds what convolutions of float32 multiply to TF32, which
has 10 bits of fraction where float32 has 23, unless it is told not to; and so it does with products
of matrices where a training asked for that. Scores are then off in the third digit, and no longer
those of a CPU.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

__all__ = ["full_float32", "inference", "sizes_of_all_kinds"]


@contextmanager
def inference() -> Iterator[None]:
    """`torch.inference_mode`, and `full_float32`."""
    with torch.inference_mode(), full_float32():
        yield


@contextmanager
def full_float32() -> Iterator[None]:
    """Meanwhile CUDA multiplies all bits of float32, in all threads; then it is as it was set."""
    with _FULL_FLOAT32.held():
        yield


@contextmanager
def sizes_of_all_kinds() -> Iterator[None]:
    """Meanwhile PyTorch's own convolutions compute, in all threads, and none of cuDNN's.

    cuDNN makes plans for each convolution and each size of image. Of a network of sixty that took a
    second a size (RetinaFace on an H200): more than a CPU takes for a hundred images.
    """
    with _WITHOUT_CUDNN.held():
        yield


#: Owner, name, and the value that is wanted.
_Switch = tuple[Any, str, Any]


class _Hold:
    """Some of PyTorch's switches, which all threads share: the last one turns them back."""

    def __init__(self, switches: Callable[[], Sequence[_Switch]]) -> None:
        self._switches = switches
        self._lock = threading.Lock()
        self._holders = 0
        self._before: list[Any] = []

    @contextmanager
    def held(self) -> Iterator[None]:
        with self._lock:
            if not self._holders:
                self._before = [getattr(owner, name) for owner, name, _ in self._switches()]
                for owner, name, wanted in self._switches():
                    setattr(owner, name, wanted)
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if not self._holders:
                    for (owner, name, _), value in zip(self._switches(), self._before, strict=True):
                        setattr(owner, name, value)


def _precisions() -> Sequence[_Switch]:
    """Of convolutions, and of matrices."""
    convolutions, matrices = torch.backends.cudnn, torch.backends.cuda.matmul
    if hasattr(convolutions, "conv"):  # since 2.9, where the older names complain of the newer ones
        return [(convolutions.conv, "fp32_precision", "ieee"), (matrices, "fp32_precision", "ieee")]
    return [(convolutions, "allow_tf32", False), (matrices, "allow_tf32", False)]


_FULL_FLOAT32 = _Hold(_precisions)
_WITHOUT_CUDNN = _Hold(lambda: [(torch.backends.cudnn, "enabled", False)])
