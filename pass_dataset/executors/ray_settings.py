"""What is asked of a Ray cluster."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["RaySettings"]


@dataclass(frozen=True)
class RaySettings:
    """How shards are spread over a Ray cluster.

    Attributes:
      address: the cluster's, such as ``ray://head:10001`` or ``auto``; ``local`` starts one on this
        machine; None: that of the environment or of this machine, else a new one.
      workers: actors; None: as many as the cluster has room for.
      cpus: cores of each.
      gpus: GPUs of each; 0.5 lets two share one. With 0 nothing computes on GPUs.
    """

    address: str | None = None
    workers: int | None = None
    cpus: int = 1
    gpus: float = 0.0

    def __post_init__(self) -> None:
        for name in ("workers", "cpus"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}: expected a number of 1 or more, found {value}")
        if not 0 <= self.gpus < math.inf:
            raise ValueError(f"gpus: expected a number of 0 or more, found {self.gpus}")
