"""Hashing, describing in the test's own process: to start others takes longer than the images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pass_dataset.curate.duplicates.hash_work import Hashing
from pass_dataset.executors.executor import Executor
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.work import Work, WorkerShare

__all__ = ["Here"]


class Here(Executor):
    """Does shards one after the other; counts them."""

    def __init__(self, work: Work | None = None) -> None:
        self.work = work or Hashing()
        self.done = 0

    def execute(
        self, folder: Any, jobs: Sequence[ShardJob], told: Callable[[int], None]
    ) -> Iterator[Any]:
        doer = self.work.open(str(folder.path), WorkerShare())
        for job in jobs:
            self.done += 1
            yield doer.run(job, told)
