"""The jobs of a folder of shards in SLURM's queue: how many wait and run, and how to end them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.executors.slurm import scheduler
from pass_dataset.executors.slurm.submissions import Submission, load_submissions

__all__ = ["QueuedArray", "active_jobs", "cancel_run", "read_queue"]


@dataclass(frozen=True)
class QueuedArray:
    """A job array of a run that is not over.

    Attributes:
      job_id: SLURM's number for it.
      stage: what its tasks do.
      partition: where it was sent; None: the cluster's default partition.
      running: tasks that run.
      waiting: tasks that wait, by SLURM's reason.
    """

    job_id: int
    stage: str
    partition: str | None
    running: int
    waiting: dict[str, int]


def read_queue(run_folder: Path) -> list[QueuedArray]:
    """The arrays of a run that wait or run, oldest first.

    Raises:
      RunError: the run's records cannot be read.
      SchedulerError: SLURM is not here or does not answer.
    """
    submissions = load_submissions(run_folder)
    states = scheduler.ask_tasks({submission.job_id for submission in submissions})
    arrays = []
    for submission in submissions:
        active = [
            state
            for (job_id, _), state in states.items()
            if job_id == submission.job_id and state.is_active
        ]
        if active:
            waiting = Counter(state.reason for state in active if not state.is_running)
            arrays.append(
                QueuedArray(
                    submission.job_id,
                    submission.stage,
                    submission.partition,
                    len(active) - waiting.total(),
                    dict(waiting.most_common()),
                )
            )
    return arrays


def active_jobs(submissions: Sequence[Submission]) -> list[int]:
    """Numbers of the jobs that wait or run.

    Raises:
      SchedulerError: SLURM is not here or does not answer.
    """
    states = scheduler.ask_tasks({submission.job_id for submission in submissions})
    return sorted({job_id for (job_id, _), state in states.items() if state.is_active})


def cancel_run(run_folder: Path) -> list[int]:
    """Cancels what waits or runs for a run; returns the numbers of the jobs.

    Raises:
      RunError: the run's records cannot be read.
      SchedulerError: SLURM is not here or does not answer.
    """
    job_ids = active_jobs(load_submissions(run_folder))
    scheduler.cancel(job_ids)
    return job_ids
