"""Memory of batches, where several threads ask for it."""

from __future__ import annotations

import threading

import pytest
import torch

from pass_dataset.torch import slots


def test_threads_get_no_slot_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """One has found a slot that is free and not begun with it yet, when the other asks."""
    pool = slots.SlotPool()
    pool.take(1000)
    found, asked = threading.Event(), threading.Event()
    begin = slots._Slot.begin

    def slowly(slot: slots._Slot, size_bytes: int) -> torch.Tensor:
        if not found.is_set():
            found.set()
            asked.wait(0.3)  # ends sooner if the other does not have to wait
        return begin(slot, size_bytes)

    monkeypatch.setattr(slots._Slot, "begin", slowly)
    leases: dict[str, slots.Lease] = {}

    def take(name: str) -> None:
        leases[name] = pool.take(1000)

    first = threading.Thread(target=take, args=("first",))
    first.start()
    assert found.wait(10)
    take("second")
    asked.set()
    first.join()
    assert leases["first"].values.data_ptr() != leases["second"].values.data_ptr()
