"""A process that does shards of a folder: told which on standard input, answers on standard output.

Lines in: a job, as `Work.job_class` has it. Lines out, JSON, one of

    {"images": 16}                            images done since the last line
    {"at": 17}                                a careful job comes to the image at this position
    an answer of `attempts`                   what became of the shard
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from typing import NoReturn

from pass_dataset.errors import PassDatasetError
from pass_dataset.executors.attempts import attempt, fatal
from pass_dataset.executors.work import Work, WorkerShare, work_of
from pass_dataset.shown import ShownFormatter
from pass_dataset.workers.giver import Giver

__all__ = ["main"]

#: Images done are told this often at most.
_TELL_S = 0.2


class _Replies:
    """Tells of images, many at a time."""

    def __init__(self, giver: Giver) -> None:
        self._giver = giver
        self._images = 0
        self._told_at = 0.0

    def done(self, images: int) -> None:
        self._images += images
        if time.monotonic() - self._told_at > _TELL_S:
            self.flush()

    def flush(self) -> None:
        if self._images:
            self._giver.tell(images=self._images)
        self._images, self._told_at = 0, time.monotonic()

    def begins(self, position: int) -> None:
        self._giver.tell(at=position)


def main(folder: str, name: str, fields: str, share: str) -> NoReturn:
    """Does the shards that are asked for until there are no more, and ends the process.

    Args:
      folder: of the shards.
      name, fields: the work, see `work_of`.
      share: a `WorkerShare`.
    """
    giver = Giver()
    handler = logging.StreamHandler()
    handler.setFormatter(ShownFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    if "SLURM_JOB_ID" in os.environ:
        # SLURM sends them to all processes of a task. They are meant for the one that gives the
        # shards, which ends this one when it has to.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    code = 1
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        code = _serve(folder, work_of(name, fields), WorkerShare.from_json(share), giver)
    # All files are closed; taking networks apart would only take time.
    os._exit(code)


def _serve(folder: str, work: Work, share: WorkerShare, giver: Giver) -> int:
    replies = _Replies(giver)
    try:
        doer = work.open(folder, share)
        for line in giver.lines():
            job = work.job_class.from_json(line)
            begins = replies.begins if job.careful else None
            reply = attempt(folder, doer, job, work.fatal_errors, replies.done, begins)
            replies.flush()
            giver.answer(**reply)
            if "fatal" in reply:
                return 1
    except (OSError, PassDatasetError) as error:
        giver.answer(**fatal(folder, error))
        return 1
    return 0
