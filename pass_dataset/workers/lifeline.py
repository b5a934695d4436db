"""A worker that ends when the process that started it does, whatever it is doing.

A thread that waits for the end of standard input is not enough: C code that does not let go of the
interpreter, as many a decoder, keeps that thread from running for as long as it takes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

__all__ = ["Lifeline", "hold_on"]

#: Of Linux's prctl: the signal that a process gets when the one that started it dies.
_PR_SET_PDEATHSIG = 1


class Lifeline:
    """What the process that starts a worker keeps, and hands over.

    On Linux the system itself kills the worker. It does so when the *thread* that started it ends,
    so only the main thread may ask for that. Elsewhere the worker has a small process beside it,
    which waits at a pipe whose other end nobody but this process has.
    """

    def __init__(self) -> None:
        self._ends: tuple[int, int] | None = None
        if not (_is_linux() and threading.current_thread() is threading.main_thread()):
            self._ends = os.pipe()

    @property
    def argument(self) -> str:
        """What the worker is to call `hold_on` with."""
        return f"{os.getpid()}:{'' if self._ends is None else self._ends[0]}"

    @property
    def handles(self) -> tuple[int, ...]:
        """What it has to inherit."""
        return () if self._ends is None else self._ends[:1]

    def started(self) -> None:
        """The worker has what it needs: this process keeps its own end alone."""
        if self._ends is not None:
            os.close(self._ends[0])

    def let_go(self) -> None:
        """The worker has ended; the process beside it may, too."""
        if self._ends is not None:
            os.close(self._ends[1])
            self._ends = None


def hold_on(argument: str) -> None:
    """Has this process end with the one that started it. Call it before any thread is started.

    Args:
      argument: `Lifeline.argument` of that process.
    """
    parent, _, handle = argument.partition(":")
    if handle:
        _wait_beside(int(handle))
    else:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have died before that.
    if os.getppid() != int(parent):
        os._exit(1)


def _wait_beside(handle: int) -> None:
    worker = os.getpid()
    if os.fork():
        os.close(handle)
        return
    # What the worker says ends when it does, not when this process does.
    os.closerange(0, handle)
    os.closerange(handle + 1, 256)
    os.read(handle, 1)  # until nobody has the other end
    if os.getppid() == worker:
        os.kill(worker, signal.SIGKILL)
    os._exit(0)


def _is_linux() -> bool:
    return sys.platform == "linux"
