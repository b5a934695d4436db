"""Work side by side: in order, by threads that stay. On GPUs: `tests/cuda`."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

pytest.importorskip("torch")
from pass_dataset.passify.detectors.cascade_rcnn import lanes as module
from pass_dataset.passify.detectors.cascade_rcnn.lanes import Lanes


def test_two_at_a_time_and_results_in_order() -> None:
    both = threading.Barrier(2)

    def work(task: int) -> tuple[int, int]:
        both.wait(60)  # passes only with the other one
        return task, threading.get_ident()

    lanes = Lanes("cpu", 2)
    found = list(lanes.each(work, range(6)))
    assert [task for task, _ in found] == list(range(6))
    threads = {thread for _, thread in found}
    assert len(threads) == 2 and threading.get_ident() not in threads
    assert {thread for _, thread in lanes.each(work, range(4))} == threads


def test_one_on_the_cpu_is_the_thread_that_asks() -> None:
    found = list(Lanes("cpu", 1).each(lambda task: (task, threading.get_ident()), "ab"))
    assert found == [("a", threading.get_ident()), ("b", threading.get_ident())]


def test_after_an_error_the_rest_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    left_out = threading.Event()
    wait = module.wait

    def waited(coming: list[Any]) -> None:
        left_out.set()
        wait(coming)

    monkeypatch.setattr(module, "wait", waited)

    def work(task: int) -> int:
        if task == 1:
            raise MemoryError("task 1")
        if task > 1:
            assert left_out.wait(60)
        done.append(task)
        return task

    lanes = Lanes("cpu", 2)
    coming = lanes.each(work, range(100))
    assert next(coming) == 0
    with pytest.raises(MemoryError, match="task 1"):
        next(coming)
    # What had begun has ended, and nothing begins any more.
    begun = set(done)
    assert {0} <= begun <= {0, 2, 3}  # by the time that the error is seen
    assert list(lanes.each(work, [5, 6])) == [5, 6]
    assert set(done) == begun | {5, 6}


def test_threads_end_with_their_lanes() -> None:
    lanes = Lanes("cpu", 2)
    threads = set(lanes.each(lambda _: threading.current_thread(), range(50)))
    assert all(thread.is_alive() for thread in threads)
    del lanes
    gc.collect()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
