"""Progress of long work: one line a task, with rate and time left; silent without a terminal.

Work takes a `Progress` and tells it what it does; it never asks whether anyone is watching.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, Protocol

from pass_dataset.shown import shown

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

__all__ = ["Progress", "Silent", "Task", "Unit", "on_terminal"]

Unit = Literal["bytes", "images", "files"]


class Task(Protocol):
    """One line of progress."""

    def advance(self, amount: int) -> None:
        """Adds to what is done; negative when work has to be done again."""

    def describe(self, description: str) -> None:
        """Changes what the line says."""

    def finish(self) -> None:
        """Ends the line."""


class Progress(Protocol):
    """A place where tasks show how far they are."""

    def task(self, description: str, total: int | None, unit: Unit, done: int = 0) -> Task:
        """Starts a line: `total` and `done` are counted in `unit`."""


class _SilentTask:
    def advance(self, amount: int) -> None:
        pass

    def describe(self, description: str) -> None:
        pass

    def finish(self) -> None:
        pass


class Silent:
    """Shows nothing."""

    def task(self, description: str, total: int | None, unit: Unit, done: int = 0) -> Task:
        return _SilentTask()


class _RichTask:
    def __init__(self, bar: RichProgress, task_id: TaskID) -> None:
        self._bar = bar
        self._id = task_id

    def advance(self, amount: int) -> None:
        self._bar.advance(self._id, amount)

    def describe(self, description: str) -> None:
        self._bar.update(self._id, description=shown(description))

    def finish(self) -> None:
        self._bar.stop_task(self._id)


class _Terminal:
    def __init__(self, bars: dict[bool, RichProgress]) -> None:
        self._bars = bars

    def task(self, description: str, total: int | None, unit: Unit, done: int = 0) -> Task:
        bar = self._bars[unit == "bytes"]
        # The rate is that of this run, so what was there before starts the line, not the clock.
        return _RichTask(
            bar, bar.add_task(shown(description), total=total, completed=done, unit=unit)
        )


@contextlib.contextmanager
def on_terminal() -> Iterator[Progress]:
    """Progress on standard error if that is a terminal, silence otherwise."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    # Most processes have no terminal, and each has this module.
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as RichProgress
    from rich.progress import Task as RichTask
    from rich.text import Text

    class RateColumn(ProgressColumn):
        def render(self, task: RichTask) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f} {task.fields['unit']}/s")

    console = Console(stderr=True)
    name, bar, left = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeRemainingColumn(),
    )
    in_bytes = RichProgress(
        name, bar, DownloadColumn(), TransferSpeedColumn(), left, console=console
    )
    in_counts = RichProgress(name, bar, MofNCompleteColumn(), RateColumn(), left, console=console)
    with Live(Group(in_bytes, in_counts), console=console, refresh_per_second=4):
        yield _Terminal({True: in_bytes, False: in_counts})
