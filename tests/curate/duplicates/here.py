"""Hashing in the test's own process: starting others takes longer than the few images of tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pass_dataset.curate.duplicates.hash_work import Hashing
from pass_dataset.executors.executor import Executor
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.work import WorkerShare

__all__ = ["Here"]


class Here(Executor):
    """Does shards one after the other."""

    def execute(
        self, folder: Any, jobs: Sequence[ShardJob], told: Callable[[int], None]
    ) -> Iterator[Any]:
        doer = Hashing().open(str(folder.path), WorkerShare())
        for job in jobs:
            yield doer.run(job, told)
