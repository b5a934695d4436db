"""Processes that tests interrupt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any


def heed_interrupts() -> None:
    """For `preexec_fn`: lets SIGINT end the process."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start_interruptible(arguments: Sequence[object]) -> subprocess.Popen[str]:
    """Starts ``pass-dataset`` so that SIGINT reaches it.

    A test run in the background has SIGINT ignored, and its children would inherit that.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "pass_dataset", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )


def kill_group(process: subprocess.Popen[Any]) -> None:
    """Kills a process that was started with `start_new_session`, and its workers with it.

    Alone it would leave them to end by themselves, which on a busy machine they do some time later.
    """
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
