"""Memory for batches, used again and again, and handed over from a loader's workers.

PyTorch gives every batch that comes from a worker shared memory of its own, or sends it through a
pipe. Either costs several times what reading the batch from the page cache does: pages have to be
found, cleared and mapped into two processes, or everything is copied three times more. Here each
worker has a few slots of shared memory. The training's process maps a slot once, when its first
batch arrives; when it has let go of a batch, the worker fills the slot anew. So there are as many
slots as there are batches on the way or in use, and what the training keeps stays as it is.

A slot begins with one byte that both sides see, and that says whose it is.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import threading
import weakref
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import get_worker_info

__all__ = ["HandedOver", "Lease", "SlotPool", "pool_of_process", "receive"]

#: Before the batch: the byte that says whose the slot is. A cache line.
_HEADER_BYTES = 64
_WORKERS, _TRAININGS, _RETIRED = range(3)

#: Slots that a worker keeps beside those in use: as many as a loader lets it work ahead by default,
#: and as many as wait to be let go of.
_SPARE = 4

#: Batches differ in size: a new slot is larger by this share than the batch it is made for.
_MARGIN = 1 / 8

#: For all pools of this process.
_numbers = itertools.count()

_Bytes: TypeAlias = npt.NDArray[np.uint8]
#: Worker's process, number of its slot, the slot itself if it is new, and the batch's size.
HandedOver: TypeAlias = "tuple[int, int, torch.Tensor | None, int]"


class _Slot:
    """A slot, as the process has it that fills it."""

    def __init__(self, capacity_bytes: int, *, shared: bool) -> None:
        self.number = next(_numbers)
        self.capacity_bytes = capacity_bytes
        self.tensor = torch.empty(_HEADER_BYTES + capacity_bytes, dtype=torch.uint8)
        self.is_shared = shared
        if shared:
            self.tensor.share_memory_()  # type: ignore[no-untyped-call]
        self.memory: _Bytes = self.tensor.numpy()
        self.memory[0] = _WORKERS
        self.is_known = False
        self._batch: weakref.ref[_Bytes] | None = None

    @property
    def is_free(self) -> bool:
        """Nobody has what is in it: not the training, and nobody here."""
        in_use = self._batch is not None and self._batch() is not None
        return self.memory[0] == _WORKERS and not in_use

    def begin(self, size_bytes: int) -> torch.Tensor:
        """The memory of a new batch. The slot is in use as long as there is any view of it."""
        batch = self.memory[_HEADER_BYTES : _HEADER_BYTES + size_bytes]
        self._batch = weakref.ref(batch)
        return torch.from_numpy(batch)

    def retire(self) -> None:
        """Is not to be used again; the training's process notices."""
        self.memory[0] = _RETIRED


@dataclass(frozen=True, eq=False)
class Lease:
    """Memory for one batch.

    Attributes:
      values: its bytes: uint8, one dimension.
      slot: which it lies in.
      pool: which that is of.
    """

    values: torch.Tensor
    slot: _Slot
    pool: SlotPool

    def hand_over(self) -> HandedOver | None:
        """What `receive` needs; None if it is not in shared memory. It must not change any more."""
        slot = self.slot
        if not slot.is_shared or self.pool.process != os.getpid():
            return None
        slot.memory[0] = _TRAININGS
        tensor = None if slot.is_known else slot.tensor
        slot.is_known = True
        return os.getpid(), slot.number, tensor, self.values.numel()


class SlotPool:
    """The slots that one process fills; shared ones in a worker of a loader."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._shared = get_worker_info() is not None
        self._slots: list[_Slot] = []
        # What one thread finds free, another must not find before it is taken.
        self._lock = threading.Lock()

    def take(self, size_bytes: int) -> Lease:
        """Memory for a batch of so many bytes; threads may ask at the same time."""
        with self._lock:
            return self._take(size_bytes)

    def _take(self, size_bytes: int) -> Lease:
        free = sorted((slot for slot in self._slots if slot.is_free), key=_capacity)
        slot = next((slot for slot in free if slot.capacity_bytes >= size_bytes), None)
        if slot is None:
            slot = _Slot(size_bytes + int(size_bytes * _MARGIN), shared=self._shared)
            self._slots.append(slot)
        else:
            free.remove(slot)
        for spare in free[: max(0, len(free) - _SPARE)]:
            spare.retire()
            self._slots.remove(spare)
        return Lease(slot.begin(size_bytes), slot, self)


#: Of this process.
_pools: dict[int, SlotPool] = {}


def pool_of_process() -> SlotPool:
    """A pool for all that collates in this process."""
    process = os.getpid()
    if process not in _pools:
        _pools.clear()  # what a process that was forked off has of its parent's
        _pools[process] = SlotPool()
    return _pools[process]


def _capacity(slot: _Slot) -> int:
    return slot.capacity_bytes


# --- in the training's process --------------------------------------------------------------------

#: The slots that this process has mapped, by worker and number.
_mapped: dict[int, dict[int, _Bytes]] = {}


def receive(handed_over: HandedOver) -> torch.Tensor:
    """The memory of a batch that a worker has handed over (uint8, one dimension).

    It is the worker's again when neither this nor any view of it is left.
    """
    worker, number, shared, size_bytes = handed_over
    slots = _mapped.get(worker)
    if slots is None:
        slots = _mapped[worker] = {}
        _forget_with(worker, slots)
    if shared is not None:
        for old in [old for old, memory in slots.items() if memory[0] == _RETIRED]:
            del slots[old]
        slots[number] = shared.numpy()
    memory = slots[number]
    batch = memory[_HEADER_BYTES : _HEADER_BYTES + size_bytes]
    # Not at exit, when the worker is gone or about to go.
    weakref.finalize(batch, _let_go, memory, os.getpid()).atexit = False
    return torch.from_numpy(batch)


def _let_go(memory: _Bytes, process: int) -> None:
    # A process forked off from this one has copies of everything, and must not speak for it.
    if os.getpid() == process:
        memory[0] = _WORKERS


def _forget_with(worker: int, slots: dict[int, _Bytes]) -> None:
    """Slots need not stay mapped when the loader has given up the worker."""
    for process in multiprocessing.active_children():
        if process.pid == worker:
            weakref.finalize(process, _forget, worker, slots).atexit = False


def _forget(worker: int, slots: dict[int, _Bytes]) -> None:
    if _mapped.get(worker) is slots:  # and not of another one that got the same number since
        del _mapped[worker]
