"""Worker processes of one machine: given shards, watched, and begun anew when they die."""

from __future__ import annotations

import logging
import os
import selectors
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pass_dataset.errors import RunError
from pass_dataset.passify.executors.attempts import error_of
from pass_dataset.passify.runs.run_folder import RunFolder, ShardStats
from pass_dataset.passify.steps.execution import Execution, WorkerShare
from pass_dataset.passify.steps.job import ShardJob
from pass_dataset.workers.process import WorkerProcess

__all__ = ["ShardFailure", "do_shards"]

logger = logging.getLogger(__name__)

#: A shard that fails is tried this often in all.
_MAX_TRIES = 3
#: A shard on which this many processes died is done one image at a time, to find out which it is.
_DEATHS_TO_CARE = 2
#: More images of a shard that take a process down: the machine is at fault, not the images.
_MAX_CULPRITS = 20
#: Processes that die without having come to an image.
_MAX_IDLE_DEATHS = 3


@dataclass(frozen=True)
class ShardFailure:
    """A shard that could not be done, though it was tried again."""

    shard: int
    message: str


class _Worker(WorkerProcess):
    """One process, the job it is at, and the image, if that is known."""

    def __init__(self, number: int, folder: RunFolder, share: WorkerShare, log: Path) -> None:
        self.number = number
        self.job: ShardJob | None = None
        self.at: int | None = None
        self.images = 0
        log.parent.mkdir(parents=True, exist_ok=True)
        # The detectors' threads are set by themselves; this is for libraries below them.
        threads = {"OMP_NUM_THREADS": str(share.threads)}
        super().__init__(
            "pass_dataset.passify.executors.worker",
            [os.fspath(folder.path), share.to_json()],
            log=log,
            environment=threads,
        )

    def give(self, job: ShardJob) -> None:
        self.job, self.at, self.images = job, None, 0
        self.send(job.to_json())


def do_shards(
    folder: RunFolder,
    jobs: Sequence[ShardJob],
    execution: Execution,
    told: Callable[[int], None],
    *,
    log_name: str = "worker",
) -> Iterator[ShardStats | ShardFailure]:
    """Does shards in worker processes of this machine; yields what became of each.

    A shard that fails is tried again. When processes die on one, it is done image by image, until
    it is known which image does it; that image's row says so, and the shard goes on without it.

    Args:
      folder: the run.
      jobs: shards to do.
      execution: how many processes, and how fast.
      told: is told of images done; of fewer than none when a shard has to be done again.
      log_name: what names of the processes' logs start with.

    Raises:
      PassDatasetError: what makes all shards impossible, such as missing weights or a full disk.
    """
    pool = _Pool(folder, execution.shares(len(jobs)), jobs, told, log_name)
    yield from pool.run()


class _Pool:
    def __init__(
        self,
        folder: RunFolder,
        shares: Sequence[WorkerShare],
        jobs: Sequence[ShardJob],
        told: Callable[[int], None],
        log_name: str,
    ) -> None:
        self._folder = folder
        self._log_name = log_name
        self._shares = shares
        self._waiting = deque(self._with_care(job) for job in jobs)
        self._told = told
        self._tries: Counter[int] = Counter()
        self._idle_deaths = 0
        self._selector = selectors.DefaultSelector()

    def _with_care(self, job: ShardJob) -> ShardJob:
        deaths = self._folder.crashes(job.shard).deaths
        return replace(job, careful=deaths >= _DEATHS_TO_CARE)

    def run(self) -> Iterator[ShardStats | ShardFailure]:
        whole = False
        try:
            for number in range(min(len(self._shares), len(self._waiting))):
                self._start(number)
            while self._selector.get_map():
                for key, _ in self._selector.select():
                    worker: _Worker = key.data
                    replies = worker.replies()
                    if replies is None:
                        yield from self._bury(worker)
                        continue
                    for reply in replies:
                        yield from self._take_in(worker, reply)
            whole = True
        finally:
            for key in list(self._selector.get_map().values()):
                self._stop(key.data, kill=not whole)
            self._selector.close()

    def _start(self, number: int) -> None:
        log = self._folder.log_path(f"{self._log_name}-{number}")
        worker = _Worker(number, self._folder, self._shares[number], log)
        self._selector.register(worker.stdout, selectors.EVENT_READ, worker)
        worker.give(self._waiting.popleft())

    def _stop(self, worker: _Worker, *, kill: bool) -> None:
        self._selector.unregister(worker.stdout)
        worker.end(kill=kill)

    def _go_on(self, worker: _Worker) -> None:
        worker.job = worker.at = None
        if self._waiting:
            worker.give(self._waiting.popleft())
        else:
            self._stop(worker, kill=False)

    def _take_in(
        self, worker: _Worker, reply: dict[str, object]
    ) -> Iterator[ShardStats | ShardFailure]:
        if "images" in reply:
            worker.images += int(str(reply["images"]))
            self._told(int(str(reply["images"])))
        elif "at" in reply:
            worker.at = int(str(reply["at"]))
        elif "fatal" in reply:
            raise error_of(reply)
        else:
            job = worker.job
            assert job is not None
            if "done" in reply:
                self._idle_deaths = 0
                yield ShardStats(**reply["done"])  # type: ignore[arg-type]  # its own JSON
            else:
                self._told(-worker.images)
                yield from self._try_again(job, str(reply["failed"]))
            self._go_on(worker)

    def _try_again(self, job: ShardJob, message: str) -> Iterator[ShardFailure]:
        self._tries[job.shard] += 1
        if self._tries[job.shard] < _MAX_TRIES:
            logger.warning("shard %d: %s; it is tried again", job.shard, message)
            # At the end of the line: what passes has time to pass.
            self._waiting.append(job)
            return
        self._folder.mark_failed(job.shard, message)
        yield ShardFailure(job.shard, message)

    def _bury(self, worker: _Worker) -> Iterator[ShardFailure]:
        job, at, how = worker.job, worker.at, worker.death()
        self._stop(worker, kill=False)
        self._told(-worker.images)
        if job is not None:
            yield from self._count_death(job, at, how, came_to_images=worker.images > 0)
        if self._waiting:
            self._start(worker.number)

    def _count_death(
        self, job: ShardJob, at: int | None, how: str, came_to_images: bool
    ) -> Iterator[ShardFailure]:
        record = self._folder.crashes(job.shard)
        record.deaths += 1
        if at is not None:
            record.culprits[at] = f"the process that examined it died: {how}"
        elif job.careful and not came_to_images:
            self._idle_deaths += 1
        self._folder.record_crash(job.shard, record)
        if self._idle_deaths > _MAX_IDLE_DEATHS:
            raise RunError(
                f"{self._folder.path}: worker processes die before they come to an image ({how}). "
                "Too little memory? Use fewer --workers. "
                f"{self._folder.log_path(f'{self._log_name}-0')} may tell more."
            )
        if len(record.culprits) > _MAX_CULPRITS:
            message = (
                f"processes died on {len(record.culprits)} of its images, the last one {how}. Too "
                "little memory? Use fewer --workers"
            )
            self._folder.mark_failed(job.shard, message)
            yield ShardFailure(job.shard, message)
            return
        careful = self._with_care(job)
        logger.warning(
            "shard %d: its process died (%s); another one takes over%s",
            job.shard,
            how,
            ", one image at a time" if careful.careful else "",
        )
        self._waiting.appendleft(careful)
