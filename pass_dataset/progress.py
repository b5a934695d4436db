"""Progress of long work, where people look: bars on a terminal, lines in a notebook, else the log.

Work takes a `Progress` and tells it what it does; it never asks whether anyone is watching.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pass_dataset.shown import shown

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

__all__ = ["Lines", "Progress", "Silent", "Task", "Unit", "on_terminal", "shown_by"]

logger = logging.getLogger(__name__)

Unit = Literal["bytes", "images", "files"]

#: A log is read later, and by the page: work that is done within this leaves nothing there.
_LOG_SECONDS = 60.0
#: A notebook keeps what it was sent; people see no more than this.
_NOTEBOOK_SECONDS = 0.5


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


class _LinesTask:
    """A task as a line of text, which is told now and then."""

    def __init__(self, lines: Lines, description: str, total: int | None, unit: Unit, done: int):
        self._lines = lines
        self._description = description
        self._total, self._unit = total, unit
        self._done, self._before = done, done
        self._started = self._told = lines.clock()

    def advance(self, amount: int) -> None:
        self._done += amount
        now = self._lines.clock()
        if now - self._told >= self._lines.every_s:
            self._told = now
            self._lines.tell(self, now)

    def describe(self, description: str) -> None:
        self._description = description

    def finish(self) -> None:
        self._lines.end(self, was_told=self._told > self._started)

    def text(self, now: float, *, is_over: bool = False) -> str:
        """What is done, at which rate, and how long the rest takes."""
        done = _amount(self._done, self._unit)
        if self._total is not None and not is_over:
            share = f" ({self._done / self._total:.0%})" if self._total else ""
            done = f"{done} of {_amount(self._total, self._unit)}{share}"
        seconds = max(now - self._started, 1e-9)
        rate = (self._done - self._before) / seconds
        text = f"{shown(self._description)}: {done}, {_rate(rate, self._unit)}"
        if is_over:
            return f"{text}; took {_duration(seconds)}"
        if self._total is not None and rate > 0:
            text += f", {_duration(max(0, self._total - self._done) / rate)} left"
        return text


class Lines:
    """Tells of each task in a line of text, every so often."""

    def __init__(
        self,
        say: Callable[[list[str]], None],
        *,
        every_s: float,
        is_replaced: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Tells nothing yet.

        Args:
          say: takes lines: all that there are, or one that is new.
          every_s: seconds between two lines of a task.
          is_replaced: `say` gets all lines each time; else the new one only.
          clock: what time it is, in seconds.
        """
        self.every_s = every_s
        self.clock = clock
        self._say = say
        self._is_replaced = is_replaced
        self._tasks: dict[_LinesTask, str] = {}
        self._lock = threading.Lock()

    def task(self, description: str, total: int | None, unit: Unit, done: int = 0) -> Task:
        return _LinesTask(self, description, total, unit, done)

    def tell(self, task: _LinesTask, now: float) -> None:
        """Tells how far a task is."""
        self._put(task, task.text(now))

    def end(self, task: _LinesTask, *, was_told: bool) -> None:
        """Tells that a task is over, if anything was told of it."""
        if was_told:
            self._put(task, task.text(self.clock(), is_over=True))

    def _put(self, task: _LinesTask, line: str) -> None:
        with self._lock:
            self._tasks[task] = line
            self._say(list(self._tasks.values()) if self._is_replaced else [line])


def _amount(amount: float, unit: Unit) -> str:
    if unit != "bytes":
        return f"{amount:,.0f} {unit}"
    for name, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if amount >= 1 << power:
            return f"{amount / (1 << power):.1f} {name}"
    return f"{amount:.0f} bytes"


def _rate(rate: float, unit: Unit) -> str:
    slow = unit != "bytes" and rate < 10
    return f"{rate:,.1f} {unit}/s" if slow else f"{_amount(rate, unit)}/s"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


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


#: What shows progress in this process now: work within work is shown there too.
_shown_now: list[tuple[int, Progress]] = []


@contextlib.contextmanager
def shown_by(progress: Progress | None) -> Iterator[Progress]:
    """The progress that is given; without one, wherever people look, see `on_terminal`."""
    if progress is not None:
        yield progress
        return
    with on_terminal() as found:
        yield found


@contextlib.contextmanager
def on_terminal() -> Iterator[Progress]:
    """Progress where people look.

    Bars on standard error if that is a terminal; a display in a notebook; else, as under nohup and
    sbatch, a line a minute in the log.
    """
    here = os.getpid()
    if _shown_now and _shown_now[-1][0] == here:  # and not that of the process this is a fork of
        yield _shown_now[-1][1]
        return
    with _bars() if _is_terminal() else contextlib.nullcontext(_lines()) as progress:
        _shown_now.append((here, progress))
        try:
            yield progress
        finally:
            _shown_now.pop()


def _is_terminal() -> bool:
    # Closed by whoever started this, it is None.
    return sys.stderr is not None and sys.stderr.isatty()


def _lines() -> Lines:
    display = _notebook_display()
    if display is not None:
        return Lines(display, every_s=_NOTEBOOK_SECONDS, is_replaced=True)
    return Lines(_log, every_s=_LOG_SECONDS, is_replaced=False)


def _log(lines: list[str]) -> None:
    # Where nobody has set up logging, Python shows warnings only; and this is for those who wonder
    # after minutes whether anything happens.
    level = logging.INFO if logger.hasHandlers() else logging.WARNING
    for line in lines:
        logger.log(level, "%s", line)


def _notebook_display() -> Callable[[list[str]], None] | None:
    """What shows lines below the cell of a notebook that runs; None if there is none."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if getattr(shell, "kernel", None) is None:
        return None
    handles: list[Any] = []

    def show(lines: list[str]) -> None:
        data = {"text/plain": "\n".join(lines)}
        if handles:
            handles[0].update(data, raw=True)
        else:
            display = importlib.import_module("IPython.display").display
            handles.append(display(data, raw=True, display_id=True))

    return show


@contextlib.contextmanager
def _bars() -> Iterator[Progress]:
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
