"""Which job arrays jobs need: all of the work together, or its stages on different nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import ShardFolder
from pass_dataset.executors.slurm.settings import SlurmResources, SlurmSettings
from pass_dataset.executors.tasks import split_shards
from pass_dataset.executors.work import Work

__all__ = ["WHOLE", "Array", "arrays_to_submit", "work_on"]

#: The stage of an array that does all of the work on shards that are missing. Others are called as
#: the stages of the work, or as `ShardJob.again` of jobs that do something once more.
WHOLE = "all"

#: Tasks for each that may run at a time: enough that none idles while the last ones end, and few
#: enough that starting Python and loading detectors, some seconds, does not count.
_TASKS_PER_PARALLEL = 4


@dataclass(frozen=True)
class Array:
    """A job array to be.

    Attributes:
      stage: what its tasks do.
      tasks: the jobs of each task.
      resources: what each task asks for.
      follows: each task waits for that of the array before it with the same index.
    """

    stage: str
    tasks: tuple[tuple[ShardJob, ...], ...]
    resources: SlurmResources
    follows: bool = False


def arrays_to_submit(
    jobs: Sequence[ShardJob],
    work: Work,
    folder: ShardFolder[Any],
    settings: SlurmSettings,
    max_array_size: int,
) -> list[Array]:
    """The arrays that do these jobs, in the order in which they are to be submitted.

    Args:
      jobs: shards to do.
      work: what is done with them.
      folder: where they are; it knows which are through the first stage.
      settings: where tasks run.
      max_array_size: what SLURM takes.
    """
    most = min(
        max_array_size, settings.max_tasks or _TASKS_PER_PARALLEL * settings.max_parallel_tasks
    )

    def split(some: Sequence[ShardJob]) -> tuple[tuple[ShardJob, ...], ...]:
        by_shard = {job.shard: job for job in some}
        return tuple(
            tuple(by_shard[shard] for shard in shards)
            for shards in split_shards(sorted(by_shard), most)
        )

    stages = work.stages(folder)
    on_gpu = settings.gpu if settings.gpu and any(stage.on_gpu for stage in stages) else None
    # Where a stage for GPUs is done, for all that is done in one.
    here = on_gpu or settings.resources
    if on_gpu is None or len(stages) < 2:
        return _whole(jobs, split, here)
    first, last = (stage.name for stage in stages)
    staged = folder.done(first)
    arrays = _whole([job for job in jobs if job.again is not None], split, here)
    missing = [job for job in jobs if job.again is None]
    both = [job for job in missing if job.shard not in staged]
    rest = [job for job in missing if job.shard in staged]
    if both:
        early = split([work.at_stage(job, first) for job in both])
        arrays.append(Array(first, early, settings.resources))
        then = split([work.at_stage(job, last) for job in both])
        arrays.append(Array(last, then, here, follows=True))
    if rest:
        arrays.append(Array(last, split([work.at_stage(job, last) for job in rest]), here))
    return arrays


def _whole(
    jobs: Sequence[ShardJob],
    split: Callable[[Sequence[ShardJob]], tuple[tuple[ShardJob, ...], ...]],
    resources: SlurmResources,
) -> list[Array]:
    """The arrays of jobs that are done in one stage each."""
    by_stage: dict[str, list[ShardJob]] = {}
    for job in jobs:
        by_stage.setdefault(job.again or WHOLE, []).append(job)
    return [Array(stage, split(some), resources) for stage, some in by_stage.items()]


def work_on(resources: SlurmResources, work: Work) -> Work:
    """The work as a task does it: with what it asked for, not with all that the node has."""
    return replace(
        work,
        cores=resources.cpus,
        device=work.device if resources.gpus else "cpu",
    )
