"""Work in threads: few results wait to be asked for."""

from __future__ import annotations

import threading

import pytest

from pass_dataset.workers import threads


def test_in_order_and_not_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "available_cores", lambda: 2)
    made, lock = [], threading.Lock()

    def work(number: int) -> int:
        with lock:
            made.append(number)
        return number * number

    found = []
    for result in threads.in_threads(work, range(500)):
        found.append(result)
        with lock:
            assert len(made) <= len(found) + 2 * threads._AHEAD
    assert found == [number * number for number in range(500)]
    assert list(threads.in_threads(work, range(0))) == []


def test_an_error_ends_it() -> None:
    made = []

    def work(number: int) -> int:
        made.append(number)
        if number == 3:
            raise ValueError("three")
        return number

    found = []
    with pytest.raises(ValueError, match="three"):
        for result in threads.in_threads(work, range(10_000)):
            found.append(result)
    assert found == [0, 1, 2] and len(made) < 1000
