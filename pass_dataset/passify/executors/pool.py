"""Worker processes of one machine: given shards, watched, and begun anew when they die."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pass_dataset.errors import RunError
from pass_dataset.passify.executors.attempts import ShardFailure, Tries, error_of
from pass_dataset.passify.runs.run_folder import RunFolder, ShardStats
from pass_dataset.passify.steps.execution import Execution, WorkerShare
from pass_dataset.passify.steps.job import ShardJob
from pass_dataset.workers.pool import Pool, Reply, Worker

__all__ = ["ShardFailure", "do_shards"]

logger = logging.getLogger(__name__)

#: More images of a shard that take a process down: the machine is at fault, not the images.
_MAX_CULPRITS = 20
#: Processes that die without having come to an image.
_MAX_IDLE_DEATHS = 3


class _Examiner(Worker[ShardJob]):
    """One process, and the image it is at, if that is known."""

    def __init__(self, folder: RunFolder, share: WorkerShare, log: Path) -> None:
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

    def give(self, piece: ShardJob) -> None:
        self.at, self.images = None, 0
        super().give(piece)

    def line(self, piece: ShardJob) -> str:
        return piece.to_json()


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
    shares = execution.shares(len(jobs))
    yield from _Examiners(folder, shares, jobs, told, log_name).run(len(shares))


class _Examiners(Pool[_Examiner, ShardJob, "ShardStats | ShardFailure"]):
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
        self._told = told
        self._idle_deaths = 0
        super().__init__(())
        self._tries = Tries(folder, self.waiting)
        self.waiting.extend(map(self._tries.with_care, jobs))

    def start(self, number: int) -> _Examiner:
        log = self._folder.log_path(f"{self._log_name}-{number}")
        return _Examiner(self._folder, self._shares[number], log)

    def take_in(self, worker: _Examiner, reply: Reply) -> Iterator[ShardStats | ShardFailure]:
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
                yield ShardStats(**reply["done"])
            else:
                self._told(-worker.images)
                yield from self._tries.again(job, reply["failed"])
            worker.piece = None

    def bury(self, worker: _Examiner, how: str) -> Iterator[ShardFailure]:
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
