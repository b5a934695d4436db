"""Which epoch a pass is of: the next one after one that was gone through, unless the user says.

A loader's workers begin each pass by themselves, one a little after the other, and read ahead of
the training. So each notes in memory that all share when it has given out its last image, and the
first that begins anew after all of them have goes on to the next epoch, for all.
"""

from __future__ import annotations

import torch

from pass_dataset.torch.tallies import shared_cells

__all__ = ["EpochCounter"]

#: Of more workers than this it is not noted how far they are; they repeat the epoch.
_PLACES = 256
_EPOCH, _WORKERS = 0, 1


class EpochCounter:
    """The epoch of the pass that was begun last, or that was chosen for the next one."""

    def __init__(self) -> None:
        self._cells = shared_cells(torch.zeros(2, dtype=torch.int64))
        #: For each worker one more than the epoch it has finished; 0: it is at work.
        self._finished = shared_cells(torch.zeros(_PLACES, dtype=torch.int64))

    @property
    def value(self) -> int:
        return int(self._cells[_EPOCH])

    @property
    def next(self) -> int:
        """The epoch of the pass that will be begun next."""
        epoch = self.value
        return epoch + 1 if self._is_over(epoch) else epoch

    def choose(self, epoch: int, worker: int | None = None) -> None:
        """Chooses the epoch of the next pass, whatever was gone through.

        Args:
          epoch: which.
          worker: the worker that says so, which speaks for itself; None: it counts for all.
        """
        self._cells[_EPOCH] = epoch
        if worker is None:
            self._finished.zero_()
        elif worker < _PLACES:
            self._finished[worker] = 0

    def conclude(self, epoch: int) -> None:
        """Says that an epoch was gone through to its end."""
        self._cells[_EPOCH], self._cells[_WORKERS] = epoch, 1
        self._finished[0] = epoch + 1

    def begin(self, worker: int, workers: int) -> int:
        """A worker begins a pass; it is told of which epoch."""
        epoch = self.value
        if self._is_over(epoch):
            self._cells[_EPOCH] = epoch + 1
        # Again: another worker may have gone on, and have taken back its note, in between. It does
        # so in this order.
        epoch = self.value
        self._cells[_WORKERS] = workers
        if worker < _PLACES:
            self._finished[worker] = 0
        return epoch

    def finish(self, worker: int, epoch: int) -> None:
        """A worker has given out its last image of an epoch."""
        if worker < _PLACES:
            self._finished[worker] = epoch + 1

    def _is_over(self, epoch: int) -> bool:
        workers = int(self._cells[_WORKERS])
        noted = self._finished[:workers]
        return 0 < workers <= _PLACES and bool((noted == epoch + 1).all())
