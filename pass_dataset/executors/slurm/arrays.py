"""Puts job arrays into SLURM's queue, through submitit."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from pass_dataset.errors import SchedulerError
from pass_dataset.executors.slurm.settings import SlurmResources, SlurmSettings
from pass_dataset.executors.slurm.submissions import (
    Submission,
    log_folder,
    require_log_folder,
)
from pass_dataset.extras import require

__all__ = ["ArrayTask", "submit_array"]

logger = logging.getLogger(__name__)

#: How often a task that ran into its time limit is queued again. Each time it goes on with the
#: shards that are left, so only a shard that takes longer than the limit comes to this.
_MAX_TIMEOUTS = 10

#: Seconds before its end that a task is told, to queue itself again.
_WARNING_S = 90


class ArrayTask(Protocol):
    """What a task of an array does; it is pickled."""

    @property
    def shards(self) -> tuple[int, ...]:
        """The shards it is to do."""

    @property
    def __call__(self) -> Callable[[], None]:
        """Does them."""

    @property
    def checkpoint(self) -> Callable[[], object]:
        """What submitit calls when the task's time is over; see `ShardTask`."""


def submit_array(
    run_folder: Path,
    stage: str,
    tasks: Sequence[ArrayTask],
    resources: SlurmResources,
    settings: SlurmSettings,
    *,
    command: str,
    after: Submission | None = None,
) -> Submission:
    """Submits an array and puts it on record in the folder of its shards.

    Args:
      run_folder: on a file system that the login node and all nodes see, as all of it is.
      stage: what the tasks do, for the record and the job's name.
      tasks: one for each element of the array.
      resources: of each task.
      settings: of all tasks.
      command: what the job's name begins with.
      after: an array of as many tasks; each task starts when the one with its index has ended well.

    Raises:
      MissingExtraError: submitit is not installed.
      RunError: the run folder has a name that SLURM cannot write to.
      SchedulerError: SLURM is not here or refuses the jobs.
    """
    submitit = require("submitit", feature="The SLURM executor", extra="slurm")
    require_log_folder(run_folder)
    logs = log_folder(run_folder.absolute())
    logs.mkdir(parents=True, exist_ok=True)
    try:
        executor = submitit.SlurmExecutor(folder=logs, max_num_timeout=_MAX_TIMEOUTS)
        executor.update_parameters(**_parameters(f"{command}-{stage}", resources, settings, after))
        with executor.batch():
            jobs = [executor.submit(task) for task in tasks]
    except RuntimeError as error:
        # No sbatch on this machine, or what sbatch said.
        raise SchedulerError(f"sbatch did not take the tasks: {str(error).strip()}") from error
    submission = Submission(
        job_id=int(jobs[0].job_id.partition("_")[0]),
        stage=stage,
        tasks=tuple(task.shards for task in tasks),
        partition=resources.partition,
        submitted_at=time.strftime("%FT%T"),
    )
    submission.save(run_folder)
    logger.info(
        "SLURM job %d: %s, %d tasks%s", submission.job_id, stage, len(tasks), _where(resources)
    )
    return submission


def _where(resources: SlurmResources) -> str:
    return "" if resources.partition is None else f" in partition {resources.partition}"


def _parameters(
    name: str, resources: SlurmResources, settings: SlurmSettings, after: Submission | None
) -> dict[str, object]:
    """Parameters of `submitit.SlurmExecutor`."""
    further: dict[str, object] = {"requeue": True, **dict(resources.options)}
    dependency = None
    if after is not None:
        # The tasks of a single-task array are told apart by no index.
        kind = "aftercorr" if len(after.tasks) > 1 else "afterok"
        dependency = f"{kind}:{after.job_id}"
        further["kill-on-invalid-dep"] = "yes"
    memory = resources.memory_gb
    return {
        "job_name": name,
        "partition": resources.partition,
        "account": settings.account,
        "qos": settings.qos,
        "constraint": resources.constraint,
        "time": resources.time_limit_min,
        "cpus_per_task": resources.cpus,
        "mem": None if memory is None else f"{math.ceil(memory * 1024)}M",
        "gpus_per_node": resources.gpus or None,
        "nodes": 1,
        "ntasks_per_node": 1,
        "array_parallelism": settings.max_parallel_tasks,
        "dependency": dependency,
        "setup": list(settings.setup) or None,
        "signal_delay_s": _WARNING_S,
        "stderr_to_stdout": True,
        # Since SLURM 22.05 srun does not take it from the job.
        "srun_args": [f"--cpus-per-task={resources.cpus}"],
        # submitit's own; clusters that check such keys do not know it.
        "wckey": None,
        "additional_parameters": further,
    }
