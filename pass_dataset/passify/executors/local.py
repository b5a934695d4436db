"""Shards are done on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pass_dataset.passify.executors.executor import Executor
from pass_dataset.passify.executors.pool import ShardFailure, do_shards
from pass_dataset.passify.runs.run_folder import RunFolder, ShardStats
from pass_dataset.passify.steps.execution import Execution
from pass_dataset.passify.steps.job import ShardJob

__all__ = ["LocalExecutor"]


class LocalExecutor(Executor):
    """Worker processes here."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def execute(
        self, folder: RunFolder, jobs: Sequence[ShardJob], told: Callable[[int], None]
    ) -> Iterator[ShardStats | ShardFailure]:
        return do_shards(folder, jobs, self._execution, told)
