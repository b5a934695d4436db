"""One try at a shard. What goes wrong is an answer: it has to get to another process.

An answer is one of

    {"done": {…}}                             the shard is whole: its `ShardStats`
    {"failed": "RunError: …"}                 the shard cannot be done, now; others may be
    {"fatal": "WeightsError", "message": …}   no shard can be done
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeAlias

from pass_dataset import errors
from pass_dataset.errors import (
    DetectorError,
    MissingExtraError,
    PassDatasetError,
    RunError,
    WeightsError,
)
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.steps.examiner import Examiner
from pass_dataset.passify.steps.job import ShardJob

__all__ = ["Reply", "attempt", "error_of", "fatal"]

logger = logging.getLogger(__name__)

Reply: TypeAlias = "dict[str, Any]"


def attempt(
    folder: RunFolder,
    examiner: Examiner,
    job: ShardJob,
    told: Callable[[int], None] = lambda images: None,
    begins: Callable[[int], None] | None = None,
) -> Reply:
    """Does a shard, or says why not.

    Args:
      folder: the run.
      examiner: does it.
      job: what is to be done.
      told, begins: see `Examiner.run`.
    """
    try:
        return {"done": asdict(examiner.run(job, told, begins))}
    except (DetectorError, MissingExtraError, WeightsError) as error:
        return fatal(folder, error)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return fatal(folder, error)
        logger.exception("shard %d", job.shard)
        named = f"{type(error).__name__}: {error}"
        return {"failed": str(error) if isinstance(error, PassDatasetError) else named}


def fatal(folder: RunFolder, error: OSError | PassDatasetError) -> Reply:
    """Says that no shard can be done."""
    if isinstance(error, OSError) and not isinstance(error, PassDatasetError):
        place = os.fsdecode(error.filename) if error.filename else folder.path
        return {"fatal": "RunError", "message": f"{place}: {error.strerror or error}"}
    return {"fatal": type(error).__name__, "message": str(error)}


def error_of(reply: Reply) -> PassDatasetError:
    """The error that an answer says is fatal."""
    error: PassDatasetError = getattr(errors, str(reply["fatal"]), RunError)(reply["message"])
    return error
