"""Worker processes of one machine: given shards, watched, and begun anew when they die."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Generic

from pass_dataset.errors import RunError
from pass_dataset.executors.attempts import ShardFailure, Tries, error_of
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import MarkerT, ShardFolder
from pass_dataset.executors.work import Work, WorkerShare
from pass_dataset.workers.pool import Pool, Reply, Worker

__all__ = ["ShardFailure", "do_shards"]

logger = logging.getLogger(__name__)

#: More images of a shard that take a process down: the machine is at fault, not the images.
_MAX_CULPRITS = 20
#: Processes that die without having come to an image.
_MAX_IDLE_DEATHS = 3


class _ShardWorker(Worker[ShardJob]):
    """One process, and the image it is at, if that is known."""

    def __init__(self, folder: Path, work: Work, share: WorkerShare, log: Path) -> None:
        self.at: int | None = None
        self.images = 0
        log.parent.mkdir(parents=True, exist_ok=True)
        # Networks' threads are set by themselves; this is for libraries below them.
        threads = {"OMP_NUM_THREADS": str(share.threads)}
        super().__init__(
            "pass_dataset.executors.worker",
            [os.fspath(folder), work.name, work.to_json(), share.to_json()],
            log=log,
            environment=threads,
        )

    def give(self, piece: ShardJob) -> None:
        self.at, self.images = None, 0
        super().give(piece)

    def line(self, piece: ShardJob) -> str:
        return piece.to_json()


def do_shards(
    folder: ShardFolder[MarkerT],
    jobs: Sequence[ShardJob],
    work: Work,
    told: Callable[[int], None],
    *,
    log_name: str = "worker",
) -> Iterator[MarkerT | ShardFailure]:
    """Does shards in worker processes of this machine; yields what became of each.

    A shard that fails is tried again. When processes die on one, it is done image by image, until
    it is known which image does it: the folder's `CrashRecord` says so, and the shard goes on.

    Args:
      folder: of the shards.
      jobs: shards to do.
      work: what is done with them, in how many processes.
      told: is told of images done; of fewer than none when a shard has to be done again.
      log_name: what names of the processes' logs start with.

    Raises:
      PassDatasetError: what makes all shards impossible, such as missing weights or a full disk.
    """
    shares = work.shares(len(jobs))
    yield from _ShardPool(folder, work, shares, jobs, told, log_name).run(len(shares))


class _ShardPool(
    Pool[_ShardWorker, ShardJob, "MarkerT | ShardFailure"],
    Generic[MarkerT],
):
    def __init__(
        self,
        folder: ShardFolder[MarkerT],
        work: Work,
        shares: Sequence[WorkerShare],
        jobs: Sequence[ShardJob],
        told: Callable[[int], None],
        log_name: str,
    ) -> None:
        self._folder = folder
        self._work = work
        self._log_name = log_name
        self._shares = shares
        self._told = told
        self._idle_deaths = 0
        super().__init__(())
        self._tries = Tries(folder, self.waiting)
        self.waiting.extend(map(self._tries.with_care, jobs))

    def start(self, number: int) -> _ShardWorker:
        log = self._folder.log_path(f"{self._log_name}-{number}")
        return _ShardWorker(self._folder.path, self._work, self._shares[number], log)

    def take_in(self, worker: _ShardWorker, reply: Reply) -> Iterator[MarkerT | ShardFailure]:
        if "images" in reply:
            worker.images += reply["images"]
            self._told(reply["images"])
        elif "at" in reply:
            worker.at = reply["at"]
        elif "fatal" in reply:
            raise error_of(reply)
        else:
            job = worker.piece
            assert job is not None
            if "done" in reply:
                self._idle_deaths = 0
                yield self._folder.marker(reply["done"])
            else:
                self._told(-worker.images)
                yield from self._tries.again(job, reply["failed"])
            worker.piece = None

    def bury(self, worker: _ShardWorker, how: str) -> Iterator[ShardFailure]:
        self._told(-worker.images)
        if worker.piece is not None:
            came_to_images = worker.images > 0
            yield from self._count_death(worker.piece, worker.at, how, came_to_images)

    def _count_death(
        self, job: ShardJob, at: int | None, how: str, came_to_images: bool
    ) -> Iterator[ShardFailure]:
        record = self._folder.crashes(job.shard)
        record.deaths += 1
        if at is not None and at not in record.slow:
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
        careful = self._tries.with_care(job)
        logger.warning(
            "shard %d: its process died (%s); another one takes over%s",
            job.shard,
            how,
            ", one image at a time" if careful.careful else "",
        )
        self.waiting.appendleft(careful)
