"""Worker processes that write the shards of a plan."""

from __future__ import annotations

import logging
import os
import pickle
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from pass_dataset import errors
from pass_dataset.builds.writing.plan import BuildPlan
from pass_dataset.builds.writing.shard_files import name_shard
from pass_dataset.errors import BuildError, PassDatasetError
from pass_dataset.progress import Task
from pass_dataset.workers.pool import Pool, Reply, Worker

__all__ = ["Writers", "write_shards"]

logger = logging.getLogger(__name__)

#: How often a shard is given to another worker after one died on it.
_MAX_DEATHS = 2


def write_shards(plan: BuildPlan, shards: Sequence[int], count: int, task: Task) -> None:
    """Writes shards in worker processes.

    Args:
      plan: saved in its folder.
      shards: numbers of the shards to write.
      count: number of workers.
      task: is told the bytes.

    Raises:
      PassDatasetError: what a worker met, such as ArchiveError; or BuildError: workers died.
    """
    # A file gets its name when it is on the disk. Who wrote it does not wait for that, nor do the
    # others: the disk is at work while they are.
    with ThreadPoolExecutor(1, "naming shards") as naming:
        named = [
            naming.submit(name_shard, plan.data / beside, plan.data / plan.names[number])
            for number, beside in Writers(plan, shards, task).run(count)
        ]
    for one in named:
        one.result()


class _Writer(Worker[int]):
    """A process that writes shards, by their numbers."""

    def __init__(self, plan: BuildPlan) -> None:
        super().__init__(
            "pass_dataset.builds.writing.worker",
            [os.fspath(plan.folder), pickle.dumps(plan.shard_format).hex()],
        )

    def line(self, piece: int) -> str:
        return str(piece)


class Writers(Pool[_Writer, int, tuple[int, str]]):
    """Yields the numbers of shards as they are whole, and the names that they have till then."""

    def __init__(self, plan: BuildPlan, shards: Sequence[int], task: Task) -> None:
        super().__init__(shards)
        self._plan = plan
        self._task = task
        self._deaths: Counter[int] = Counter()

    def start(self, number: int) -> _Writer:
        return _Writer(self._plan)

    def take_in(self, worker: _Writer, reply: Reply) -> Iterator[tuple[int, str]]:
        if "bytes" in reply:
            self._task.advance(reply["bytes"])
        elif "done" in reply:
            worker.piece = None
            yield reply["done"], reply["beside"]
        else:
            raise _error(reply)

    def bury(self, worker: _Writer, how: str) -> Iterator[tuple[int, str]]:
        shard, plan = worker.piece, self._plan
        if shard is None:
            raise BuildError(f"{plan.data}: a worker process ended on its own ({how})")
        self._deaths[shard] += 1
        deaths = self._deaths[shard]
        message = f"{plan.data / plan.names[shard]}: the worker process that wrote it died ({how})"
        if deaths > _MAX_DEATHS:
            raise BuildError(f"{message}, {deaths} times. Too little memory? Use fewer workers.")
        logger.warning("%s; another one takes over", message)
        self.waiting.appendleft(shard)
        yield from ()


def _error(reply: Reply) -> PassDatasetError:
    kind = getattr(errors, reply["error"], BuildError)
    error: PassDatasetError = kind(reply["message"])
    return error
