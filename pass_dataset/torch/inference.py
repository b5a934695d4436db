"""Networks at work: nothing kept for gradients, and float32 that is float32.

On NVIDIA's GPUs from Ampere on PyTorch rounds what convolutions of float32 multiply to TF32, which
has 10 bits of fraction where float32 has 23, unless it is told not to; and so it does with products
of matrices where a training asked for that. Scores are then off in the third digit, and no longer
those of a CPU.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch

__all__ = ["device_of_this_thread", "full_float32", "inference", "sizes_of_all_kinds"]


def device_of_this_thread(device: str) -> str:
    """``cuda`` as the GPU that this thread has chosen: others would take it for the first one."""
    if device == "cuda" and torch.cuda.is_available():
        return f"cuda:{torch.cuda.current_device()}"
    return device


@contextmanager
def inference() -> Iterator[None]:
    """`torch.inference_mode`, and `full_float32`."""
    with torch.inference_mode(), full_float32():
        yield


@contextmanager
def full_float32() -> Iterator[None]:
    """Meanwhile all bits of float32 are multiplied, in all threads; then it is as it was set."""
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
        self._before: list[_Switch] = []

    @contextmanager
    def held(self) -> Iterator[None]:
        with self._lock:
            if not self._holders:
                switches = self._switches()
                self._before = [(owner, name, getattr(owner, name)) for owner, name, _ in switches]
                _turn(switches)
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if not self._holders:
                    _turn(self._before)


def _turn(switches: Sequence[_Switch]) -> None:
    for owner, name, value in switches:
        setattr(owner, name, value)


class _Products:
    """How products of matrices are rounded, as an attribute."""

    @property
    def precision(self) -> str:
        return torch.get_float32_matmul_precision()

    @precision.setter
    def precision(self, value: str) -> None:
        torch.set_float32_matmul_precision(value)


def _precisions() -> Sequence[_Switch]:
    """Of convolutions, and of matrices."""
    cudnn = torch.backends.cudnn
    older: list[_Switch] = [(cudnn, "allow_tf32", False), (_PRODUCTS, "precision", "highest")]
    if not hasattr(cudnn, "conv"):  # before 2.9
        return older
    _hear_the_warning()
    mkldnn: Any = torch.backends.mkldnn  # whose part for products has no type
    parts = (cudnn.conv, cudnn.rnn, torch.backends.cuda.matmul, mkldnn.matmul)
    newer: list[_Switch] = [(part, "fp32_precision", "ieee") for part in parts]
    # Of both, as others still read the older ones (`cudnn.flags`, torch.compile), which raise where
    # the newer ones say something else. The older come first: setting them sets the newer ones.
    return [*(switch for switch in older if _can_be_read(switch)), *newer]


def _can_be_read(older: _Switch) -> bool:
    """Not where somebody set the newer ones: what stood in it nobody could give back then."""
    owner, name, _ = older
    try:
        getattr(owner, name)
    except RuntimeError:
        return False
    return True


@cache
def _hear_the_warning() -> None:
    """Some versions since 2.9 warn once a process of the older names, which nobody here asked for.

    Once: filters of warnings are of all threads.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        _can_be_read((torch.backends.cudnn, "allow_tf32", False))


_PRODUCTS = _Products()


_FULL_FLOAT32 = _Hold(_precisions)
_WITHOUT_CUDNN = _Hold(lambda: [(torch.backends.cudnn, "enabled", False)])
