"""Progress where people look: lines in a log or a notebook, and no standard error at all."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from pass_dataset import PassArchive, download
from pass_dataset.progress import Lines, on_terminal, shown_by
from tests.support.collection import Collection


class Clock:
    """A clock that is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def lines(every_s: float, *, is_replaced: bool) -> tuple[Clock, list[list[str]], Lines]:
    clock, said = Clock(), []
    return clock, said, Lines(said.append, every_s=every_s, is_replaced=is_replaced, clock=clock)


def test_a_line_a_minute() -> None:
    clock, said, progress = lines(60, is_replaced=False)
    task = progress.task("PASS.0.tar", 100 << 30, "bytes", done=10 << 30)
    for _ in range(80):
        clock.now += 2.0
        task.advance(1 << 30)
    task.finish()
    assert said == [
        ["PASS.0.tar: 40.0 GiB of 100.0 GiB (40%), 512.0 MiB/s, 2 min left"],
        ["PASS.0.tar: 70.0 GiB of 100.0 GiB (70%), 512.0 MiB/s, 60 s left"],
        ["PASS.0.tar: 90.0 GiB, 512.0 MiB/s; took 3 min"],
    ]


def test_counts_and_what_has_no_end() -> None:
    clock, said, progress = lines(60, is_replaced=False)
    task = progress.task("Reading", None, "images")
    clock.now = 3600.0
    task.advance(1800)
    task.describe("Looking\n")
    clock.now = 7200.0
    task.advance(1)
    assert said == [
        ["Reading: 1,800 images, 0.5 images/s"],
        ["Looking\\u000a: 1,801 images, 0.3 images/s"],
    ]


def test_short_work_leaves_no_line() -> None:
    clock, said, progress = lines(60, is_replaced=False)
    task = progress.task("Reading", 10, "files")
    clock.now = 59.0
    task.advance(10)
    task.finish()
    assert said == []


def test_a_display_has_all_tasks() -> None:
    clock, said, progress = lines(0.5, is_replaced=True)
    one, two = (progress.task(name, 2, "files") for name in ("one", "two"))
    for task in (one, two):
        clock.now += 1.0
        task.advance(1)
    assert [len(shown) for shown in said] == [1, 2]


@pytest.mark.parametrize("is_set_up", [True, False])
def test_the_log_is_read_by_somebody(
    is_set_up: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody has set up logging, Python shows warnings only."""
    monkeypatch.setattr(logging.Logger, "hasHandlers", lambda self: is_set_up)
    monkeypatch.setattr("pass_dataset.progress._LOG_SECONDS", 0.0)
    with caplog.at_level(logging.INFO), on_terminal() as progress:
        progress.task("Reading", 10, "files").advance(1)
    (record,) = caplog.records
    assert record.levelno == (logging.INFO if is_set_up else logging.WARNING)
    assert record.getMessage().startswith("Reading: 1 files of 10 files (10%), ")


def test_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def display(data: dict[str, str], **options: Any) -> Any:
        assert options == {"raw": True, "display_id": True}
        shown.append(data["text/plain"])
        return SimpleNamespace(update=lambda data, raw: shown.append(data["text/plain"]))

    ipython: Any = ModuleType("IPython")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
    ipython.display = SimpleNamespace(display=display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    monkeypatch.setattr("pass_dataset.progress._NOTEBOOK_SECONDS", 0.0)
    with on_terminal() as progress:
        task = progress.task("Reading", 2, "files")
        task.advance(1)
        task.advance(1)
    assert [text.split(" (")[0] for text in shown] == [
        "Reading: 1 files of 2 files",
        "Reading: 2 files of 2 files",
    ]


def test_work_within_work_is_shown_there() -> None:
    with on_terminal() as outer, shown_by(None) as inner:
        assert inner is outer
    given = Lines(lambda lines: None, every_s=1, is_replaced=False)
    with shown_by(given) as progress:
        assert progress is given


@pytest.mark.parametrize("work", ["index", "download"])
def test_library_calls_tell(
    work: str,
    collection: Collection,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pass_dataset.progress._LOG_SECONDS", 0.0)
    calls: dict[str, Callable[[], Any]] = {
        "index": lambda: PassArchive(collection.folder, collection.tsv),
        "download": lambda: download(
            tmp_path / "to", collection.tsv, mirrors=[collection.folder.as_uri()]
        ),
    }
    with caplog.at_level(logging.INFO, "pass_dataset.progress"):
        calls[work]()
    assert [record for record in caplog.records if record.name == "pass_dataset.progress"]


# --- standard error that is closed ------------------------------------------------------------


def test_no_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with on_terminal() as progress:
        progress.task("Reading", 10, "files").advance(1)


@pytest.mark.parametrize("closed", ["2>&-", "1>&-", "0<&- 1>&- 2>&-"])
def test_commands_with_closed_streams(collection: Collection, closed: str) -> None:
    command = f'exec "{sys.executable}" -m pass_dataset verify "$0" --release "$1" {closed}'
    folder, release = str(collection.folder), str(collection.tsv)
    before = {path.name: path.read_bytes() for path in collection.folder.glob("*.tar")}
    done = subprocess.run(["sh", "-c", command, folder, release], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Nothing went into a file that had got the number of a stream.
    assert before == {path.name: path.read_bytes() for path in collection.folder.glob("*.tar")}


def test_errors_of_commands_with_closed_standard_error(tmp_path: Path) -> None:
    command = f'exec "{sys.executable}" -m pass_dataset verify "$0" 2>&-'
    done = subprocess.run(["sh", "-c", command, str(tmp_path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
