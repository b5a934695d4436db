"""A process that does shards of a run: told which on standard input, answers on standard output.

Lines in: a `ShardJob`. Lines out, JSON, one of

    {"images": 16}                            images done since the last line
    {"at": 17}                                a careful job comes to the image at this position
    an answer of `attempts`                   what became of the shard
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from typing import Any, NoReturn

from pass_dataset.errors import PassDatasetError
from pass_dataset.passify.executors.attempts import attempt, fatal
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.steps.examiner import Examiner
from pass_dataset.passify.steps.execution import WorkerShare
from pass_dataset.passify.steps.job import ShardJob

__all__ = ["main"]

#: Images done are told this often at most.
_TELL_S = 0.2


class _Replies:
    """Tells the process that started this one."""

    def __init__(self) -> None:
        # Whatever a library prints must not get between the lines: they have a pipe of their own.
        self._pipe = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        self._images = 0
        self._told_at = 0.0

    def send(self, **content: Any) -> None:
        self._pipe.write(json.dumps(content) + "\n")
        self._pipe.flush()

    def done(self, images: int) -> None:
        self._images += images
        if time.monotonic() - self._told_at > _TELL_S:
            self.flush()

    def flush(self) -> None:
        if self._images:
            self.send(images=self._images)
        self._images, self._told_at = 0, time.monotonic()

    def begins(self, position: int) -> None:
        self.send(at=position)


def main(folder: str, share: str) -> NoReturn:
    """Does the shards that are asked for until there are no more, and ends the process."""
    jobs: queue.SimpleQueue[ShardJob | None] = queue.SimpleQueue()
    busy = threading.Event()
    threading.Thread(target=_listen, args=(jobs, busy), daemon=True).start()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    if "SLURM_JOB_ID" in os.environ:
        # SLURM sends them to all processes of a task. They are meant for the one that gives the
        # shards, which ends this one when it has to.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    code = 1
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        code = _serve(RunFolder(folder), WorkerShare.from_json(share), jobs, busy)
    # All files are closed; taking networks apart would only take time.
    os._exit(code)


def _listen(jobs: queue.SimpleQueue[ShardJob | None], busy: threading.Event) -> None:
    """Takes in jobs; ends the process when whoever gives them is gone."""
    for line in sys.stdin:
        busy.set()
        jobs.put(ShardJob.from_json(line))
    if busy.is_set():
        # Killed, or it gave up. Another run may take this folder any time: nothing goes on here.
        os._exit(1)
    jobs.put(None)


def _serve(
    folder: RunFolder,
    share: WorkerShare,
    jobs: queue.SimpleQueue[ShardJob | None],
    busy: threading.Event,
) -> int:
    replies = _Replies()
    try:
        examiner = Examiner(folder, share)
        while (job := jobs.get()) is not None:
            begins = replies.begins if job.careful else None
            reply = attempt(folder, examiner, job, replies.done, begins)
            replies.flush()
            # Before it is told: the next job may be there at once.
            busy.clear()
            replies.send(**reply)
            if "fatal" in reply:
                return 1
    except (OSError, PassDatasetError) as error:
        replies.send(**fatal(folder, error))
        return 1
    return 0
