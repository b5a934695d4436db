"""The images of a folder as a stream for training, which can be continued at any batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from torch import distributed
from torch.utils.data import IterableDataset, get_worker_info

from pass_dataset.torch.views import Views

__all__ = ["FolderStream"]

_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})


class FolderStream(IterableDataset[Any]):
    """Every image below a folder once an epoch, in an order that hangs on seed and epoch alone.

    It has what `pass_dataset.torch.PassStream` has for training: `epoch`, `set_epoch`,
    `state_dict(batches=…)`, `load_state_dict`; each rank has an equal share.
    """

    def __init__(self, folder: Path, views: Views, *, batch_size: int, seed: int) -> None:
        super().__init__()
        self.paths = sorted(
            path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file()
        )
        if not self.paths:
            raise SystemExit(f"{folder}: expected images, found none")
        self.views = views
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0
        self._first_batch = 0

    def __len__(self) -> int:
        """Images of an epoch that this rank has."""
        return len(self.paths) // _ranks()

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch; another one is begun at its start."""
        if epoch != self.epoch:
            self.epoch, self._first_batch = epoch, 0

    def state_dict(self, *, batches: int) -> dict[str, Any]:
        """Where it is after so many batches of this pass."""
        return {"epoch": self.epoch, "batch": self._first_batch + batches}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on at that batch."""
        self.epoch, self._first_batch = state["epoch"], state["batch"]

    def __iter__(self) -> Iterator[Any]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.paths))
        own = order[_rank() :: _ranks()][: len(self)]
        starts = range(self._first_batch * self.batch_size, len(own), self.batch_size)
        # Loaders take a batch of each worker in turn.
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        for start in starts[worker::workers]:
            for position in own[start : start + self.batch_size]:
                yield self.views(self.paths[position].read_bytes(), epoch=self.epoch)


def _rank() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def _ranks() -> int:
    return distributed.get_world_size() if distributed.is_initialized() else 1
