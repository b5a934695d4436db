"""Waiting for a state, never for a time: how long anything takes is the machine's business."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

__all__ = ["wait_until"]


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
