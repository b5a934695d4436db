"""Where detectors compute: the device and the number of threads."""

from __future__ import annotations

import ctypes
import functools

from pass_dataset.errors import DetectorError
from pass_dataset.extras import require
from pass_dataset.workers.cores import available_cores

__all__ = ["require_device", "resolve_device", "resolve_threads"]


def resolve_device(device: str | None) -> str:
    """``cpu``, ``cuda`` or ``cuda:N``; for None what there is.

    PyTorch is only asked where there is a CUDA driver: importing it takes seconds.
    """
    if device is not None:
        return device
    return "cuda" if _has_cuda_driver() and _torch_has_cuda() else "cpu"


def require_device(device: str) -> None:
    """Looks whether a device is there. PyTorch counts those of CUDA, and begins with none of them.

    Args:
      device: ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
      DetectorError: it is not there.
      MissingExtraError: PyTorch is not installed.
    """
    kind, _, number = device.partition(":")
    if kind == "cpu":
        return
    torch = require("torch", feature="Detecting on CUDA", extra="passify")
    count = torch.cuda.device_count()
    if int(number or 0) >= count:
        raise DetectorError(
            f"device: {device} was asked for, and this torch ({torch.__version__}) finds {count} "
            "CUDA devices; use device cpu, or install a driver and a build of torch for it"
        )


def resolve_threads(threads: int | None) -> int:
    """Number of threads; for None, one for each core that this process may use."""
    return available_cores() if threads is None else threads


@functools.cache
def _has_cuda_driver() -> bool:
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


def _torch_has_cuda() -> bool:
    torch = require("torch", feature="Detecting on CUDA", extra="passify")
    return bool(torch.cuda.is_available())
