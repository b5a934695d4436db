"""What detectors look for, and the settings they share; light, as every command line reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pass_dataset.errors import DetectorError

__all__ = ["PRECISIONS", "DetectorSettings", "Precision", "Target"]

#: What a detector looks for.
Target = Literal["face", "person"]

Precision = Literal["float32", "bfloat16", "float16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16", "float16")

_DEVICE = re.compile(r"cpu|cuda(:(0|[1-9][0-9]*))?")


@dataclass(frozen=True)
class DetectorSettings:
    """How a detector runs; none of it may change a verdict.

    Attributes:
      device: ``cpu``, ``cuda`` or ``cuda:N``; None: CUDA where there is one, else the CPU.
      precision: arithmetic of the network on CUDA; the CPU always computes in float32. With less
        than float32, images near a threshold are run again in float32.
      batch_size: images that go through the network together; None: the detector's own choice. On
        CUDA, Cascade R-CNN takes two such batches at a time.
      threads: threads of the CPU to compute with; None: all that this process may use.
      weights: weights file to use in place of the published one, which is fetched.
      weights_sha256: what `weights` must hash to; None: not checked, as for weights of one's own.
      verdict_threshold: score that a verdict needs (0.5 as published). A detector does not decide
        by it; with less than float32 it says which images are run again.

    Raises:
      DetectorError: the device is none. Whether it is there is known when it is used.
      ValueError: another setting is none.
    """

    device: str | None = None
    precision: Precision = "float32"
    batch_size: int | None = None
    threads: int | None = None
    weights: Path | None = None
    weights_sha256: str | None = None
    verdict_threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.device is not None and not _DEVICE.fullmatch(self.device):
            raise DetectorError(f"device: expected cpu, cuda or cuda:N, found {self.device!r}")
        if self.precision not in PRECISIONS:
            raise ValueError(
                f"precision: expected one of {', '.join(PRECISIONS)}, found {self.precision!r}"
            )
        for name in ("batch_size", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}: expected a number of 1 or more, found {value}")
