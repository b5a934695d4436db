"""What a task of a job array does on its node."""

from __future__ import annotations

import logging
import os
import signal
from dataclasses import dataclass
from types import FrameType

from pass_dataset.errors import SchedulerError
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.slurm import scheduler
from pass_dataset.executors.tasks import do_task
from pass_dataset.executors.work import Work
from pass_dataset.extras import require
from pass_dataset.progress import on_terminal
from pass_dataset.shown import ShownFormatter

__all__ = ["ShardTask"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShardTask:
    """Some shards, for one element of an array; it is pickled by submitit.

    Attributes:
      folder: path of their folder.
      jobs: which, and more of what to do with each.
      work: what is done with them, on the node.
    """

    folder: str
    jobs: tuple[ShardJob, ...]
    work: Work

    @property
    def shards(self) -> tuple[int, ...]:
        """Numbers of the shards."""
        return tuple(job.shard for job in self.jobs)

    def __call__(self) -> None:
        """Does what is missing of the shards.

        Raises:
          RunError: some could not be done.
        """
        handler = logging.StreamHandler()
        handler.setFormatter(ShownFormatter("%(asctime)s %(levelname)s %(message)s"))
        # Not the root logger's, which would show what submitit says twice.
        package = logging.getLogger("pass_dataset")
        package.addHandler(handler)
        package.setLevel(logging.INFO)
        # submitit's own handler goes on whatever SIGTERM is for.
        signal.signal(signal.SIGTERM, _end_if_over)
        with on_terminal() as progress:
            do_task(
                self.work.folder(self.folder),
                self.jobs,
                self.work,
                name=_task_name(),
                progress=progress,
            )

    def checkpoint(self) -> object:
        """What is to be queued when the time is over or another job needs the node.

        The same again: what was done of each shard is on the disk.
        """
        submitit = require("submitit", feature="The SLURM executor", extra="slurm")
        return submitit.helpers.DelayedSubmission(self)


def _end_if_over(number: int, frame: FrameType | None) -> None:
    """Ends the task if it was cancelled, and not only told that it will be preempted later."""
    job_id = int(os.environ.get("SLURM_ARRAY_JOB_ID") or os.environ["SLURM_JOB_ID"])
    index = int(os.environ.get("SLURM_ARRAY_TASK_ID", "0"))
    try:
        state = scheduler.ask_tasks([job_id]).get((job_id, index))
    except SchedulerError:
        return
    if state is None or state.is_ending or not state.is_active:
        logger.warning("SLURM ends this task; what is done is kept")
        raise SystemExit(128 + number)


def _task_name() -> str:
    job = os.environ.get("SLURM_ARRAY_JOB_ID") or os.environ.get("SLURM_JOB_ID", "")
    return f"slurm-{job}_{os.environ.get('SLURM_ARRAY_TASK_ID', '0')}-worker"
