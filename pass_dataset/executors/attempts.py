"""One try at a shard. What goes wrong is an answer: it has to get to another process.

An answer is one of

    {"done": {…}}                             the shard is whole: its marker
    {"failed": "RunError: …"}                 the shard cannot be done, now; others may be
    {"fatal": "WeightsError", "message": …}   no shard can be done
"""

from __future__ import annotations

import errno
import logging
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

from pass_dataset import errors
from pass_dataset.errors import PassDatasetError, RunError
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import ShardFolder
from pass_dataset.executors.work import ShardDoer

__all__ = ["Reply", "ShardFailure", "Tries", "attempt", "error_of", "fatal"]

logger = logging.getLogger(__name__)

Reply: TypeAlias = "dict[str, Any]"

#: A shard that fails is tried this often in all.
_MAX_TRIES = 3
#: A shard on which this many processes died is done one image at a time, to find out which it is.
_DEATHS_TO_CARE = 2


def attempt(
    folder: str,
    doer: ShardDoer,
    job: ShardJob,
    fatal_errors: tuple[type[PassDatasetError], ...],
    told: Callable[[int], None] = lambda images: None,
    begins: Callable[[int], None] | None = None,
) -> Reply:
    """Does a shard, or says why not.

    Args:
      folder: path of the folder.
      doer: does it.
      job: what is to be done.
      fatal_errors: those of the work, see `Work.fatal_errors`.
      told, begins: see `ShardDoer.run`.
    """
    try:
        return {"done": asdict(doer.run(job, told, begins))}
    except fatal_errors as error:
        return fatal(folder, error)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return fatal(folder, error)
        logger.exception("shard %d", job.shard)
        named = f"{type(error).__name__}: {error}"
        return {"failed": str(error) if isinstance(error, PassDatasetError) else named}


def fatal(folder: str, error: OSError | PassDatasetError) -> Reply:
    """Says that no shard can be done."""
    if isinstance(error, OSError) and not isinstance(error, PassDatasetError):
        place = os.fsdecode(error.filename) if error.filename else folder
        return {"fatal": "RunError", "message": f"{place}: {error.strerror or error}"}
    return {"fatal": type(error).__name__, "message": str(error)}


def error_of(reply: Reply) -> PassDatasetError:
    """The error that an answer says is fatal."""
    error: PassDatasetError = getattr(errors, str(reply["fatal"]), RunError)(reply["message"])
    return error


@dataclass(frozen=True)
class ShardFailure:
    """A shard that could not be done, though it was tried again."""

    shard: int
    message: str


class Tries:
    """How often shards are tried, and how carefully."""

    def __init__(self, folder: ShardFolder[Any], waiting: deque[ShardJob]) -> None:
        """Args:
        folder: of the shards.
        waiting: jobs that nobody has; those that are tried again are put there.
        """
        self._folder = folder
        self._waiting = waiting
        self._tries: Counter[int] = Counter()

    def with_care(self, job: ShardJob) -> ShardJob:
        """A job as it is to be done after the deaths on its shard that are on record."""
        deaths = self._folder.crashes(job.shard).deaths
        return replace(job, careful=deaths >= _DEATHS_TO_CARE)

    def again(self, job: ShardJob, message: str) -> Iterator[ShardFailure]:
        """Has a job tried again; when that was done often enough, yields its failure."""
        self._tries[job.shard] += 1
        if self._tries[job.shard] < _MAX_TRIES:
            logger.warning("shard %d: %s; it is tried again", job.shard, message)
            # At the end of the line: what passes has time to pass.
            self._waiting.append(job)
            return
        self._folder.mark_failed(job.shard, message)
        yield ShardFailure(job.shard, message)
