"""Waiting for a state, never for a time: how long anything takes is the machine's business."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pass_dataset.folders.lock import hold

__all__ = ["held_by_another", "wait_until"]


def wait_until(
    happened: Callable[[], object], process: subprocess.Popen[Any] | None = None
) -> None:
    """Returns once something is true; it is asked a hundred times a second.

    There is no limit here: pytest's own `timeout` ends a test that hangs, and shows where.

    Args:
      happened: asked without end.
      process: what is to make it happen.

    Raises:
      AssertionError: the process ended and it did not happen.
    """
    while True:
        ended = process is not None and process.poll() is not None
        if happened():
            return
        assert not ended, "the process ended before that"
        time.sleep(0.01)


@contextlib.contextmanager
def held_by_another(folder: Path) -> Iterator[None]:
    """A folder is held, and not by this thread, which might hold it again."""
    held = hold(folder)
    with ThreadPoolExecutor(1) as other:
        other.submit(held.__enter__).result()
        try:
            yield
        finally:
            other.submit(held.__exit__, None, None, None).result()
