"""What SLURM says of a user's tasks: one question about all of them at a time.

`sacct` needs a database that not every cluster has, so ``squeue`` is asked, which also knows tasks
that ended a while ago (``MinJobAge``, mostly five minutes). What a task did, its folder says.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pass_dataset.errors import SchedulerError

__all__ = ["TaskState", "ask_max_array_size", "ask_tasks", "cancel", "parse_squeue"]

# Array's job id (the job's own where there is no array), index in it, state, reason.
_FORMAT = "%F|%K|%T|%r"

#: States in which a task still has something to do, by their names in squeue's manual.
_ACTIVE = frozenset(
    [
        "CONFIGURING",
        "COMPLETING",
        "PENDING",
        "PREEMPTED",
        "REQUEUE_FED",
        "REQUEUE_HOLD",
        "REQUEUED",
        "RESIZING",
        "RESV_DEL_HOLD",
        "RUNNING",
        "SIGNALING",
        "SPECIAL_EXIT",
        "STAGE_OUT",
        "STOPPED",
        "SUSPENDED",
    ]
)
#: Reasons for which a task waits that time alone removes; squeue's manual has them all.
_PASSING = frozenset(
    [
        "None",
        "BeginTime",
        "Dependency",
        "JobArrayTaskLimit",
        "Priority",
        "Resources",
        "ReqNodeNotAvail",
        "Prolog",
        "Cleaning",
    ]
)
_RUNNING = frozenset(["CONFIGURING", "COMPLETING", "RUNNING", "SIGNALING", "STAGE_OUT"])


@dataclass(frozen=True)
class TaskState:
    """What the scheduler says of one task.

    Attributes:
      state: SLURM's word for it: ``PENDING``, ``RUNNING``, ``OUT_OF_MEMORY`` …
      reason: SLURM's word for why: ``Resources``, ``NonZeroExitCode`` …; ``None`` for no reason.
    """

    state: str
    reason: str

    @property
    def is_active(self) -> bool:
        """True while it waits, runs, or will be run again."""
        return self.state in _ACTIVE and not self.can_never_run

    @property
    def is_running(self) -> bool:
        """True while it is on a node."""
        return self.state in _RUNNING

    @property
    def is_ending(self) -> bool:
        """True while its node clears up after it."""
        return self.state == "COMPLETING"

    @property
    def is_stuck(self) -> bool:
        """True if it waits for something that hardly comes by itself, such as a higher limit."""
        # Some have more behind them: "ReqNodeNotAvail, UnavailableNodes:n7".
        reason = self.reason.strip("()").partition(",")[0]
        return self.is_active and self.state == "PENDING" and reason not in _PASSING

    @property
    def was_cancelled(self) -> bool:
        """True if someone cancelled it."""
        return self.state == "CANCELLED"

    @property
    def can_never_run(self) -> bool:
        """True if it waits for a task that has failed."""
        return self.state == "PENDING" and self.reason == "DependencyNeverSatisfied"


def parse_squeue(text: str) -> dict[tuple[int, int], TaskState]:
    """States by job id and index in the job's array (0 where it is none)."""
    states = {}
    for line in text.splitlines():
        job_id, index, state, reason = line.strip().split("|", 3)
        number = int(index) if index.isdecimal() else 0
        states[int(job_id), number] = TaskState(state, reason)
    return states


def ask_tasks(job_ids: Collection[int]) -> dict[tuple[int, int], TaskState]:
    """States of all tasks of these jobs that SLURM still knows.

    Raises:
      SchedulerError: SLURM is not here or does not answer.
    """
    if not job_ids:
        return {}
    states = parse_squeue(
        _ask(
            "squeue",
            "--noheader",
            "--array",
            "--states=all",
            f"--user={os.getuid()}",
            f"--format={_FORMAT}",
        )
    )
    return {task: state for task, state in states.items() if task[0] in job_ids}


def ask_max_array_size() -> int:
    """How many tasks an array may have on this cluster.

    Raises:
      SchedulerError: SLURM is not here or does not answer.
    """
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _ask("scontrol", "show", "config"), re.M)
    # 1001 is SLURM's own default. It is one over the highest index, and indexes start at 0.
    return int(found[1]) if found else 1001


def cancel(job_ids: Iterable[int]) -> None:
    """Cancels jobs; those that have ended are left as they are.

    Raises:
      SchedulerError: SLURM is not here or refuses.
    """
    ids = [str(job_id) for job_id in job_ids]
    if ids:
        _ask("scancel", "--quiet", *ids)


def _ask(*command: str, timeout_s: float = 120) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
    except FileNotFoundError:
        raise SchedulerError(
            f"{command[0]} was not found: this is no machine of a SLURM cluster. Run the command "
            "on one of the cluster's login nodes, or use --executor local"
        ) from None
    except subprocess.TimeoutExpired:
        raise SchedulerError(f"{command[0]} gave no answer within {timeout_s:.0f} s") from None
    if done.returncode:
        said = done.stderr.strip() or f"exit status {done.returncode}"
        raise SchedulerError(f"{command[0]}: {said}")
    return done.stdout
