"""Shards on a SLURM cluster, as job arrays.

settings     what the tasks ask for
submissions  which job has which shards, on record in the run folder
scheduler    what SLURM says of the tasks
stages       which arrays a run needs
arrays       puts job arrays into the queue, through submitit
shard_task   what a task does on its node
endings      why a task ended, in words
queue        how many of a run's tasks wait and run
executor     submits, waits, and submits again what was lost
"""

from __future__ import annotations

from pass_dataset.passify.executors.slurm.executor import SlurmExecutor, Waiting
from pass_dataset.passify.executors.slurm.queue import QueuedArray, cancel_run, read_queue
from pass_dataset.passify.executors.slurm.settings import (
    SlurmResources,
    SlurmSettings,
    parse_time_min,
)
from pass_dataset.passify.executors.slurm.submissions import require_log_folder

__all__ = [
    "QueuedArray",
    "SlurmExecutor",
    "SlurmResources",
    "SlurmSettings",
    "Waiting",
    "cancel_run",
    "parse_time_min",
    "read_queue",
    "require_log_folder",
]
