"""Where shards are done: the interface, and all shards of a call done by whatever has it."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

from pass_dataset.errors import RunError
from pass_dataset.executors.attempts import ShardFailure
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import MarkerT, ShardFolder

__all__ = ["Done", "Executor", "do_jobs", "sweep"]

logger = logging.getLogger(__name__)

#: A piece of a file that nobody wrote to for an hour belongs to a process that is gone.
_ABANDONED_S = 3600.0


class Executor(ABC):
    """A place where shards are done; it was made with the work that it does there.

    Attributes:
      waits: False if `execute` leaves shards to others and comes back before they are done.
      others_at_work: whether shards may be being done when `execute` is called, by what an earlier
        call left.
    """

    waits: bool = True
    others_at_work: bool = False

    @abstractmethod
    def execute(
        self,
        folder: ShardFolder[MarkerT],
        jobs: Sequence[ShardJob],
        told: Callable[[int], None],
    ) -> Iterator[MarkerT | ShardFailure]:
        """Does shards, in any order; yields what became of each.

        Args:
          folder: of the shards, ready for them; of the kind that the work has.
          jobs: shards to do; those that are done already come back quickly.
          told: is told of images as they are done, negative when work has to be done again.

        Raises:
          PassDatasetError: what makes all shards impossible.
        """


@dataclass(frozen=True)
class Done(Generic[MarkerT]):
    """What was done of some jobs.

    Attributes:
      markers: of the shards that were done, in the order in which they were.
      seconds: time that took.
      left: shards that others are to do, where the executor does not wait.
    """

    markers: tuple[MarkerT, ...]
    seconds: float
    left: int

    @property
    def images(self) -> int:
        """Images that were worked on."""
        return sum(marker.worked_on for marker in self.markers)


def sweep(folder: ShardFolder[MarkerT], executor: Executor) -> None:
    """Removes what killed processes left and nobody writes to. Call it holding the folder."""
    folder.sweep(_ABANDONED_S if executor.others_at_work else None)


def do_jobs(
    folder: ShardFolder[MarkerT],
    executor: Executor,
    jobs: Sequence[ShardJob],
    told: Callable[[int], None],
    *,
    shards: int,
    describe: Callable[[int], str] = lambda shard: f"shard {shard}",
) -> Done[MarkerT]:
    """Has jobs done. Whoever calls it holds the folder.

    Args:
      folder: of the shards.
      executor: where.
      jobs: shards to do; there may be none.
      told: is told of images as they are done; see `Executor.execute`.
      shards: how many there are in the folder.
      describe: names one that failed.

    Raises:
      RunError: shards failed; the message has the list.
      PassDatasetError: what makes all shards impossible.
    """
    started = time.monotonic()
    failed: dict[int, str] = {}
    markers: list[MarkerT] = []
    for result in executor.execute(folder, jobs, told) if jobs else ():
        if isinstance(result, ShardFailure):
            failed[result.shard] = result.message
        else:
            markers.append(result)
    seconds = time.monotonic() - started
    if failed:
        raise RunError(
            "\n  ".join(
                [
                    f"{folder.path}: {len(failed)} of {shards} shards failed, though they were "
                    "tried again; all others are done. Run again to try them once more.",
                    *(f"{describe(shard)}: {failed[shard]}" for shard in sorted(failed)),
                ]
            )
        )
    left = 0 if executor.waits else len(jobs) - len(markers)
    return Done(tuple(markers), seconds, left)
