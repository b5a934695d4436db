"""Why a task ended before its shards were done, in words."""

from __future__ import annotations

import re
from pathlib import Path

from pass_dataset.executors.slurm.scheduler import TaskState

__all__ = ["describe_ending", "read_end"]

#: What slurmstepd and submitit write to a task's log.
_MEMORY = re.compile(r"oom[-_ ]kill|out of memory|exceeded (job|step)? ?memory limit", re.I)
_TIME = re.compile(r"DUE TO TIME LIMIT|timed-out too many times", re.I)
_KILLED = re.compile(r"\bKilled\b")

_STATES = {
    "BOOT_FAIL": "its node did not start",
    "CANCELLED": "it was cancelled",
    "DEADLINE": "its deadline passed before it could run",
    "NODE_FAIL": "its node failed",
    "PREEMPTED": "it had to make room for other jobs and was not queued again",
}


def read_end(path: Path, size_bytes: int = 8192) -> str:
    """The end of a task's log; nothing if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - size_bytes))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def describe_ending(
    state: TaskState | None, log_end: str, *, memory_option: str, time_option: str
) -> str:
    """One line that says why a task ended, and what to do where that is known.

    Args:
      state: what SLURM says; None: it does not remember.
      log_end: the end of the task's log.
      memory_option: option of the command line that gives the task more memory.
      time_option: option that gives it more time.
    """
    name = "" if state is None else state.state
    if name == "OUT_OF_MEMORY" or _MEMORY.search(log_end):
        return f"it was killed because it needed more memory than it had asked for: {memory_option}"
    if name == "TIMEOUT" or _TIME.search(log_end):
        return f"it ran into its time limit: {time_option}"
    if state is not None and state.can_never_run:
        return "it waited for a task that failed"
    if name in _STATES:
        return _STATES[name]
    if _KILLED.search(log_end):
        return f"it was killed, most often because memory ran out: {memory_option}"
    said = [line.strip() for line in log_end.splitlines() if line.strip()]
    if said:
        return f"it said last: {said[-1][:300]}"
    return "SLURM says no more of it" if state is None else f"SLURM says {name} ({state.reason})"
