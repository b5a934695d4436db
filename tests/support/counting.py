"""A small kind of work: counts bytes. Some of what it counts kills it, or raises."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from pass_dataset.errors import SourceError, WeightsError
from pass_dataset.executors.executor import Executor, do_jobs, sweep
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import ShardFolder, written_whole
from pass_dataset.executors.work import Work, WorkerShare

__all__ = ["CountFolder", "Counted", "Counting", "count", "give"]


@dataclass(frozen=True)
class Counted:
    """Marker of a shard."""

    shard: int
    images: int
    worked_on: int
    finished_at: float
    size_bytes: int


class CountFolder(ShardFolder[Counted]):
    """What is to be counted is in ``given``, a folder for each shard."""

    def marker(self, content: Mapping[str, Any]) -> Counted:
        return Counted(**content)

    def given(self, shard: int) -> list[Path]:
        return sorted((self.path / "given" / f"{shard:06d}").iterdir())

    def result_path(self, shard: int) -> Path:
        return self.path / "results" / f"{shard:06d}.txt"

    @property
    def shards(self) -> int:
        return len(list((self.path / "given").iterdir()))

    def results(self) -> list[str]:
        return [self.result_path(shard).read_text() for shard in range(self.shards)]


@dataclass(frozen=True)
class Counting(Work):
    """Counts bytes.

    Attributes:
      factor: what each is multiplied by.
      delay_s: time that a file takes.
    """

    title: ClassVar[str] = "Counting"
    command: ClassVar[str] = "count"
    fatal_errors = (WeightsError,)

    factor: int = 1
    delay_s: float = 0.0

    def folder(self, path: str) -> CountFolder:
        return CountFolder(path)

    def open(self, folder: str, share: WorkerShare) -> Counter:
        return Counter(CountFolder(folder), self)

    def images(self, folder: ShardFolder[Any], shards: Sequence[int]) -> int:
        return sum(len(CountFolder(folder.path).given(shard)) for shard in shards)


class Counter:
    """Does shards."""

    def __init__(self, folder: CountFolder, work: Counting) -> None:
        self.folder = folder
        self.work = work

    def run(
        self,
        job: ShardJob,
        told: Callable[[int], None],
        begins: Callable[[int], None] | None = None,
    ) -> Counted:
        files = self.folder.given(job.shard)
        crashes = self.folder.crashes(job.shard)
        lines = []
        for position, path in enumerate(files):
            if position in crashes.culprits:
                lines.append(f"{path.name}: died")
                continue
            if begins is not None:
                begins(position)
            lines.append(f"{path.name}: {self._count(path)}")
            told(1)
        with written_whole(self.folder.result_path(job.shard)) as file:
            file.write("\n".join(lines).encode())
        counted = Counted(
            job.shard,
            len(files),
            len(files),
            time.time(),
            sum(path.stat().st_size for path in files),
        )
        self.folder.mark_done(counted)
        return counted

    def _count(self, path: Path) -> int:
        data = path.read_bytes()
        time.sleep(self.work.delay_s)
        if data == b"deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        if data == b"broken":
            raise SourceError(f"{path}: cannot be counted")
        if data == b"fatal":
            raise WeightsError(f"{path}: nothing can be counted")
        return len(data) * self.work.factor


def give(path: Path, *shards: Sequence[bytes]) -> CountFolder:
    """A folder with these files in its shards."""
    for shard, contents in enumerate(shards):
        place = path / "given" / f"{shard:06d}"
        place.mkdir(parents=True)
        for number, data in enumerate(contents):
            (place / f"{number:03d}").write_bytes(data)
    return CountFolder(path)


def count(folder: CountFolder, executor: Executor) -> list[dict[str, Any]]:
    """Has all counted that is missing; returns what was marked this time, without times."""
    sweep(folder, executor)
    done = folder.done()
    jobs = [ShardJob(shard) for shard in range(folder.shards) if shard not in done]
    report = do_jobs(folder, executor, jobs, lambda images: None, shards=folder.shards)
    found = sorted(
        (asdict(marker) for marker in report.markers), key=lambda marker: marker["shard"]
    )
    return [{key: each[key] for key in ("shard", "images", "size_bytes")} for each in found]
