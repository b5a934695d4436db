"""Worker processes: started, given shards, watched, ended."""

from __future__ import annotations

import logging
import os
import pickle
import selectors
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from pass_dataset import errors
from pass_dataset.builds.writing.plan import BuildPlan
from pass_dataset.errors import BuildError, PassDatasetError
from pass_dataset.progress import Task
from pass_dataset.workers.process import WorkerProcess

__all__ = ["write_shards"]

logger = logging.getLogger(__name__)

#: How often a shard is given to another worker after one died on it.
_MAX_DEATHS = 2


class _Worker(WorkerProcess):
    """One process, and the shard it is at."""

    def __init__(self, plan: BuildPlan) -> None:
        self.shard: int | None = None
        super().__init__(
            "pass_dataset.builds.writing.worker",
            [os.fspath(plan.folder), pickle.dumps(plan.shard_format).hex()],
        )

    def give(self, shard: int) -> None:
        self.shard = shard
        self.send(str(shard))


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
    waiting = deque(shards)
    deaths = dict.fromkeys(shards, 0)
    whole = False
    with selectors.DefaultSelector() as selector:

        def start() -> None:
            worker = _Worker(plan)
            selector.register(worker.stdout, selectors.EVENT_READ, worker)
            worker.give(waiting.popleft())

        def stop(worker: _Worker, kill: bool) -> None:
            selector.unregister(worker.stdout)
            worker.end(kill=kill)

        try:
            for _ in range(min(count, len(waiting))):
                start()
            while selector.get_map():
                for key, _ in selector.select():
                    worker: _Worker = key.data
                    replies = worker.replies()
                    if replies is None:
                        shard = worker.shard
                        death = worker.death()
                        stop(worker, kill=False)
                        _count_death(deaths, shard, death, plan)
                        if shard is not None:
                            waiting.appendleft(shard)
                        if waiting:
                            start()
                    elif _take_in(worker, replies, task):
                        if waiting:
                            worker.give(waiting.popleft())
                        else:
                            stop(worker, kill=False)
            whole = True
        finally:
            for key in list(selector.get_map().values()):
                stop(key.data, kill=not whole)


def _take_in(worker: _Worker, replies: Iterator[dict[str, Any]], task: Task) -> bool:
    """Handles what a worker said; True if it is ready for another shard."""
    ready = False
    for reply in replies:
        if "bytes" in reply:
            task.advance(reply["bytes"])
        elif "done" in reply:
            worker.shard = None
            ready = True
        else:
            raise _error(reply)
    return ready


def _error(reply: dict[str, Any]) -> PassDatasetError:
    kind = getattr(errors, reply["error"], BuildError)
    error: PassDatasetError = kind(reply["message"])
    return error


def _count_death(deaths: dict[int, int], shard: int | None, death: str, plan: BuildPlan) -> None:
    if shard is None:
        raise BuildError(f"{plan.data}: a worker process ended on its own ({death})")
    deaths[shard] += 1
    message = f"{plan.data / plan.names[shard]}: the worker process that wrote it died ({death})"
    if deaths[shard] > _MAX_DEATHS:
        raise BuildError(f"{message}, {deaths[shard]} times. Too little memory? Use fewer workers.")
    logger.warning("%s; another one takes over", message)
