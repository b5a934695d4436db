from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pass_dataset.passify.steps import watch
from pass_dataset.passify.steps.watch import Watch
from tests.support.passify import PEOPLE, picture, reasons, rows, run, write_files


def test_image_that_takes_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LIMIT_S", 0.05)
    monkeypatch.setattr(watch, "_LOOK_S", 0.01)
    told: list[int] = []
    noticed = threading.Event()

    def stuck(number: int) -> None:
        told.append(number)
        noticed.set()

    looking = Watch(stuck)
    with looking.over(7):
        pass
    with looking.over(8):
        while not noticed.is_set():
            sum(range(1000))  # the time of a processor counts, not that of a clock
    looking.close()
    assert set(told) == {8}


def test_waiting_is_not_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LIMIT_S", 0.2)
    monkeypatch.setattr(watch, "_LOOK_S", 0.01)
    told: list[int] = []
    looking = Watch(told.append)
    with looking.over(1):
        threading.Event().wait(0.5)
    looking.close()
    assert not told


def test_image_that_holds_a_worker_up_has_a_reason(tmp_path: Path) -> None:
    """Its process ends; another goes on with the rest, and the image is not tried again."""
    stuck = b"STUCK" + bytes(100)
    files = {f"{number}.png": picture(seed=number) for number in range(6)}
    sample = write_files(tmp_path / "sample", {**files, "2.png": stuck, "4.png": stuck})
    results = run(sample, tmp_path / "run", face="python:tests.support.stuck:Faces", person=PEOPLE)
    found = reasons(results)
    assert [found[f"{number}.png"] for number in range(6)] == [
        None, None, "too-slow", None, "too-slow", None,
    ]  # fmt: skip
    assert "more than 0 s of processor time" in rows(results)[2]["message"]
    assert not list((results.folder.path / "crashes").iterdir())
