"""Some shards of a run, done on this machine for whoever spread them over many."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence

from pass_dataset.errors import PassDatasetError, RunError
from pass_dataset.passify.executors.pool import ShardFailure, do_shards
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.steps.execution import Execution
from pass_dataset.passify.steps.job import ShardJob
from pass_dataset.progress import Progress, Silent

__all__ = ["do_task", "split_shards"]

logger = logging.getLogger(__name__)


def split_shards(shards: Sequence[int], max_tasks: int) -> list[tuple[int, ...]]:
    """Shards of each task: neighbours together, as even as can be, at most `max_tasks` tasks."""
    num_tasks = min(len(shards), max_tasks)
    bounds = [len(shards) * task // num_tasks for task in range(num_tasks + 1)] if shards else []
    return [tuple(shards[start:stop]) for start, stop in itertools.pairwise(bounds)]


def do_task(
    folder: RunFolder,
    jobs: Sequence[ShardJob],
    execution: Execution,
    *,
    name: str,
    progress: Progress | None = None,
) -> None:
    """Does shards in processes of this machine, those that are done already left out.

    Each shard that cannot be done is put on record, so that whoever waits learns why.

    Args:
      folder: the run.
      jobs: the shards.
      execution: how.
      name: starts the names of the worker processes' logs.
      progress: where progress is shown; the run folder shows it too.

    Raises:
      RunError: some could not be done.
    """
    missing = [job for job in jobs if not _is_done(folder, job)]
    logger.info("%d shards, %d of them to do", len(jobs), len(missing))
    failures = []
    images = _images(folder, missing)
    task = (progress or Silent()).task("Filtering", images, "images")
    try:
        for result in do_shards(folder, missing, execution, task.advance, log_name=name):
            if isinstance(result, ShardFailure):
                failures.append(result)
            else:
                logger.info("shard %d: %d images", result.shard, result.images)
    except PassDatasetError as error:
        for job in missing:
            if not _is_done(folder, job):
                folder.mark_failed(job.shard, str(error))
        raise
    finally:
        task.finish()
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


def _images(folder: RunFolder, jobs: Sequence[ShardJob]) -> int | None:
    """Images of shards; None if that is not known."""
    plan = Plan.load(folder)
    if plan is None:
        return None
    return sum(stop - start for start, stop in (plan.bounds(job.shard) for job in jobs))
