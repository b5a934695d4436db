"""Which process of a distributed training this is."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch.distributed

__all__ = ["Rank", "this_rank"]


@dataclass(frozen=True)
class Rank:
    """A process among those that train together.

    Attributes:
      number: from 0.
      world_size: how many there are.
    """

    number: int
    world_size: int

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.world_size:
            raise ValueError(
                f"expected 0 <= rank < world_size, found rank {self.number} of {self.world_size}"
            )


def this_rank(rank: int | None, world_size: int | None) -> Rank:
    """The rank given; else that of `torch.distributed`; else what ``torchrun`` sets; else 0 of 1.

    Raises:
      ValueError: only one of the two is given, or there is no such rank.
    """
    if (rank is None) != (world_size is None):
        raise ValueError("rank and world_size: expected both or neither")
    if rank is not None and world_size is not None:
        return Rank(rank, world_size)
    initialized = initialized_rank()
    if initialized is not None:
        return initialized
    try:
        return Rank(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    except KeyError:
        return Rank(0, 1)


def initialized_rank() -> Rank | None:
    """The rank that `torch.distributed` knows, if it was initialized in this process."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return None
    return Rank(torch.distributed.get_rank(), torch.distributed.get_world_size())
