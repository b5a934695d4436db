"""Shards are done on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pass_dataset.executors.attempts import ShardFailure
from pass_dataset.executors.executor import Executor
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.pool import do_shards
from pass_dataset.executors.shard_folder import MarkerT, ShardFolder
from pass_dataset.executors.work import Work

__all__ = ["LocalExecutor"]


class LocalExecutor(Executor):
    """Worker processes here."""

    def __init__(self, work: Work) -> None:
        """Args: `work` is what is done, in how many processes."""
        self._work = work

    def execute(
        self,
        folder: ShardFolder[MarkerT],
        jobs: Sequence[ShardJob],
        told: Callable[[int], None],
    ) -> Iterator[MarkerT | ShardFailure]:
        self._work.check_machine(folder)
        return do_shards(folder, jobs, self._work, told)
