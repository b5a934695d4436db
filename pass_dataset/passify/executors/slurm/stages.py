"""Which job arrays a run needs: faces and people together, or on different nodes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.executors.slurm.settings import SlurmResources, SlurmSettings
from pass_dataset.passify.executors.tasks import split_shards
from pass_dataset.passify.steps.execution import Execution
from pass_dataset.passify.steps.job import ShardJob

__all__ = ["PLAIN_STAGES", "Array", "Stage", "arrays_to_submit", "execution_on", "stage_of"]

#: What the tasks of an array do: all detectors, those for faces or people alone, images that
#: failed once more, or people where other thresholds ask for them.
Stage = Literal["all", "face", "person", "retry", "fill"]

#: Stages in which a shard that is missing may be.
PLAIN_STAGES: tuple[Stage, ...] = ("all", "face", "person")

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

    stage: Stage
    tasks: tuple[tuple[ShardJob, ...], ...]
    resources: SlurmResources
    follows: bool = False


def stage_of(job: ShardJob) -> Stage:
    """The stage that a job of the run loop is of, when it is done in one."""
    if job.retry_failed:
        return "retry"
    return "all" if job.thresholds is None else "fill"


def arrays_to_submit(
    jobs: Sequence[ShardJob],
    targets: Collection[Target],
    staged: Collection[int],
    settings: SlurmSettings,
    max_array_size: int,
) -> list[Array]:
    """The arrays that do these jobs, in the order in which they are to be submitted.

    Args:
      jobs: shards to do.
      targets: what the run looks for.
      staged: shards that have their face scores and wait for people.
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

    # Where people are looked for, for all that is done in one stage.
    here = settings.people if settings.people and "person" in targets else settings.resources
    in_stages = settings.people is not None and {"face", "person"} <= set(targets)
    arrays = []
    whole: dict[Stage, list[ShardJob]] = {}
    both, people = [], []
    for job in jobs:
        stage = stage_of(job)
        if stage != "all" or not in_stages:
            whole.setdefault(stage, []).append(job)
        elif job.shard in staged:
            people.append(job)
        else:
            both.append(job)
    for stage, some in whole.items():
        arrays.append(Array(stage, split(some), here))
    if both:
        faces = split([replace(job, targets=("face",)) for job in both])
        arrays.append(Array("face", faces, settings.resources))
        then = split([replace(job, targets=("person",)) for job in both])
        arrays.append(Array("person", then, here, follows=True))
    if people:
        arrays.append(
            Array("person", split([replace(job, targets=("person",)) for job in people]), here)
        )
    return arrays


def execution_on(resources: SlurmResources, execution: Execution) -> Execution:
    """How a task does its shards: with what it asked for, not with all that the node has."""
    return replace(
        execution,
        cores=resources.cpus,
        device=execution.device if resources.gpus else "cpu",
    )
