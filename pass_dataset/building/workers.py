"""Worker processes: started, given shards, watched, ended.

They are started as commands of their own, not forked (TensorFlow does not outlive a fork) and not
by `multiprocessing` (which runs the user's script again where it has no ``__main__`` guard).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import selectors
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from typing import IO, Any

from pass_dataset import errors
from pass_dataset.building.plan import BuildPlan
from pass_dataset.errors import BuildError, PassDatasetError
from pass_dataset.progress import Task

__all__ = ["default_workers", "write_shards"]

logger = logging.getLogger(__name__)

#: How often a shard is given to another worker after one died on it.
_MAX_DEATHS = 2
#: Seconds that a worker is given to end by itself.
_END_S = 5.0

#: The worker sees the modules that this process sees, and nothing else: not what happens to lie in
#: the folder it is started in.
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from pass_dataset.building.worker import main; main(sys.argv[1], sys.argv[3])"
)


def default_workers() -> int:
    """As many workers as this process may use cores."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Worker:
    """One process, and the shard it is at."""

    def __init__(self, plan: BuildPlan) -> None:
        self.shard: int | None = None
        self.pending = b""
        # A file, not a pipe: nobody reads it before the end, and a full pipe would stop the worker.
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `end`)
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _START,
                os.fspath(plan.folder),
                json.dumps(sys.path),
                pickle.dumps(plan.shard_format).hex(),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            # Ctrl-C reaches the process that waits, which then ends its workers.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self.stdout = self._process.stdin, self._process.stdout

    def give(self, shard: int) -> None:
        self.shard = shard
        # If it is dead already, reading from it will say so.
        with contextlib.suppress(BrokenPipeError):
            self._stdin.write(b"%d\n" % shard)
            self._stdin.flush()

    def replies(self) -> Iterator[dict[str, Any]] | None:
        """What it said since; None if it is gone."""
        data = os.read(self.stdout.fileno(), 1 << 16)
        if not data:
            return None
        *lines, self.pending = (self.pending + data).split(b"\n")
        return map(json.loads, lines)

    def death(self) -> str:
        """Why it is gone."""
        code = self._process.wait()
        self._stderr.seek(0)
        said = self._stderr.read().decode(errors="replace").strip().splitlines()
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"{how}{': ' + said[-1] if said else ''}"

    def end(self, kill: bool) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        if kill:
            self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.stdout.close()
        self._stderr.close()


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
            worker.end(kill)

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
