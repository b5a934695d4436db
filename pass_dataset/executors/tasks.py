"""Some shards of a folder, done on this machine for whoever spread them over many."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence

from pass_dataset.errors import PassDatasetError, RunError
from pass_dataset.executors.attempts import ShardFailure
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.pool import do_shards
from pass_dataset.executors.shard_folder import MarkerT, ShardFolder
from pass_dataset.executors.work import Work
from pass_dataset.progress import Progress, Silent

__all__ = ["do_task", "split_shards"]

logger = logging.getLogger(__name__)


def split_shards(shards: Sequence[int], max_tasks: int) -> list[tuple[int, ...]]:
    """Shards of each task: neighbours together, as even as can be, at most `max_tasks` tasks."""
    num_tasks = min(len(shards), max_tasks)
    bounds = [len(shards) * task // num_tasks for task in range(num_tasks + 1)] if shards else []
    return [tuple(shards[start:stop]) for start, stop in itertools.pairwise(bounds)]


def do_task(
    folder: ShardFolder[MarkerT],
    jobs: Sequence[ShardJob],
    work: Work,
    *,
    name: str,
    progress: Progress | None = None,
) -> None:
    """Does shards in processes of this machine, those that are done already left out.

    Each shard that cannot be done is put on record, so that whoever waits learns why.

    Args:
      folder: of the shards.
      jobs: the shards.
      work: what is done with them.
      name: starts the names of the worker processes' logs.
      progress: where progress is shown; the folder shows it too.

    Raises:
      RunError: some could not be done.
    """
    missing = [job for job in jobs if not job.is_done(folder)]
    logger.info("%d shards, %d of them to do", len(jobs), len(missing))
    failures = []
    images = work.images(folder, [job.shard for job in missing])
    task = (progress or Silent()).task(work.title, images, "images")
    try:
        for result in do_shards(folder, missing, work, task.advance, log_name=name):
            if isinstance(result, ShardFailure):
                failures.append(result)
            else:
                logger.info("shard %d: %d images", result.shard, result.images)
    except PassDatasetError as error:
        for job in missing:
            if not job.is_done(folder):
                folder.mark_failed(job.shard, str(error))
        raise
    finally:
        task.finish()
    if failures:
        listed = "; ".join(f"{failure.shard}: {failure.message}" for failure in failures)
        raise RunError(f"{len(failures)} of {len(jobs)} shards failed: {listed}")
