"""A process that does shards of a run: told which on standard input, answers on standard output.

Lines in: a `ShardJob`. Lines out, JSON, one of

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
from pass_dataset.passify.executors.attempts import attempt, fatal
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.steps.examiner import Examiner
from pass_dataset.passify.steps.execution import WorkerShare
from pass_dataset.passify.steps.job import ShardJob
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


def main(folder: str, share: str) -> NoReturn:
    """Does the shards that are asked for until there are no more, and ends the process."""
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
        code = _serve(RunFolder(folder), WorkerShare.from_json(share), giver)
    # All files are closed; taking networks apart would only take time.
    os._exit(code)


def _serve(folder: RunFolder, share: WorkerShare, giver: Giver) -> int:
    replies = _Replies(giver)
    try:
        examiner = Examiner(folder, share)
        for line in giver.lines():
            job = ShardJob.from_json(line)
            begins = replies.begins if job.careful else None
            reply = attempt(folder, examiner, job, replies.done, begins)
            replies.flush()
            giver.answer(**reply)
            if "fatal" in reply:
                return 1
    except (OSError, PassDatasetError) as error:
        giver.answer(**fatal(folder, error))
        return 1
    return 0
