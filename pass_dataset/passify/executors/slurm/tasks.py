"""What a task of a job array does on its node."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass

from pass_dataset.errors import PassDatasetError, RunError
from pass_dataset.extras import require
from pass_dataset.passify.executors.pool import ShardFailure, do_shards
from pass_dataset.passify.runs import RunFolder
from pass_dataset.passify.steps import Execution, ShardJob

__all__ = ["ShardTask", "do_task"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShardTask:
    """Some shards of a run, for one element of an array; it is pickled by submitit.

    Attributes:
      run_folder: the run.
      jobs: what to do with the shards.
      execution: how, on the node.
    """

    run_folder: str
    jobs: tuple[ShardJob, ...]
    execution: Execution

    @property
    def shards(self) -> tuple[int, ...]:
        """Numbers of the shards."""
        return tuple(job.shard for job in self.jobs)

    def __call__(self) -> None:
        """Does what is missing of the shards.

        Raises:
          RunError: some could not be done.
        """
        logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
        do_task(RunFolder(self.run_folder), self.jobs, self.execution, name=_task_name())

    def checkpoint(self) -> object:
        """What is to be queued when the time is over or another job needs the node.

        The same again: what was done of each shard is on the disk.
        """
        submitit = require("submitit", feature="The SLURM executor", extra="slurm")
        return submitit.helpers.DelayedSubmission(self)


def do_task(
    folder: RunFolder, jobs: Sequence[ShardJob], execution: Execution, *, name: str
) -> None:
    """Does shards in processes of this machine, those that are done already left out.

    Each shard that cannot be done is put on record, so that whoever waits learns why.

    Args:
      folder: the run.
      jobs: the shards.
      execution: how.
      name: starts the names of the worker processes' logs.

    Raises:
      RunError: some could not be done.
    """
    missing = [job for job in jobs if not _is_done(folder, job)]
    logger.info("%d shards, %d of them to do", len(jobs), len(missing))
    failures = []
    try:
        for result in do_shards(folder, missing, execution, _tell_nobody, log_name=name):
            if isinstance(result, ShardFailure):
                failures.append(result)
            else:
                logger.info("shard %d: %d images", result.shard, result.images)
    except PassDatasetError as error:
        for job in missing:
            if not _is_done(folder, job):
                folder.mark_failed(job.shard, str(error))
        raise
    if failures:
        listed = "; ".join(f"{failure.shard}: {failure.message}" for failure in failures)
        raise RunError(f"{len(failures)} of {len(jobs)} shards failed: {listed}")


def _is_done(folder: RunFolder, job: ShardJob) -> bool:
    """True if there is surely nothing to do."""
    if job.retry_failed or job.thresholds is not None:
        return False
    if job.shard in folder.done():
        return True
    return job.targets == ("face",) and job.shard in folder.done("face")


def _tell_nobody(images: int) -> None:
    """Progress is seen in the run folder."""


def _task_name() -> str:
    job = os.environ.get("SLURM_ARRAY_JOB_ID") or os.environ.get("SLURM_JOB_ID", "")
    return f"slurm-{job}_{os.environ.get('SLURM_ARRAY_TASK_ID', '0')}-worker"
