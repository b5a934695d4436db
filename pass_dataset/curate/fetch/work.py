"""Fetching as work of executors: on a cluster, each task fetches shards, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from pass_dataset.curate.fetch.paths import STEP, FetchPaths
from pass_dataset.curate.fetch.settings import FetchSettings, Pace
from pass_dataset.curate.fetch.shards import fetch_shards
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.settings import section
from pass_dataset.curate.step_writer import begin_step
from pass_dataset.errors import DiskSpaceError, DownloadError, MissingExtraError, PassDatasetError
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import DoneShard, ShardFolder
from pass_dataset.executors.work import Work, WorkerShare
from pass_dataset.pages.words import count

__all__ = ["FetchFolder", "Fetching"]


class FetchFolder(ShardFolder[DoneShard]):
    """``work/fetch`` of a curation. A shard is done if its receipts are there too."""

    def marker(self, content: Mapping[str, Any]) -> DoneShard:
        return DoneShard(**content)

    @property
    def curation(self) -> CurationFolder:
        """The curation that it is in."""
        return CurationFolder(self.path.parent.parent)

    def done(self, stage: str | None = None) -> set[int]:
        paths = FetchPaths(self.curation)
        return {shard for shard in super().done(stage) if paths.receipts(shard).exists()}


@dataclass(frozen=True)
class Fetching(Work):
    """Fetches shards, in one process a task: more would not be faster.

    Attributes:
      settings: of the step, as JSON has them.
      connections: of each task to a host.
      tries: for a photograph.
      min_bytes_per_s: floor of speed.
      accept_failures: as that of `run_fetch`.
    """

    title: ClassVar[str] = "fetching"
    command: ClassVar[str] = "pass-curate-fetch"
    fatal_errors: ClassVar[tuple[type[PassDatasetError], ...]] = (
        DiskSpaceError,
        MissingExtraError,
    )

    settings: dict[str, Any] = field(default_factory=dict)
    connections: int = Pace.connections
    tries: int = 6
    min_bytes_per_s: float = 2000.0
    accept_failures: bool = False

    def folder(self, path: str) -> FetchFolder:
        return FetchFolder(path)

    def open(self, folder: str, share: WorkerShare) -> _Doer:
        return _Doer(FetchFolder(folder), self)

    def shares(self, most: int | None = None) -> list[WorkerShare]:
        return [WorkerShare()]

    def images(self, folder: ShardFolder[Any], shards: Sequence[int]) -> int:
        curation = FetchFolder(folder.path).curation
        ledger = Ledger(curation)
        return sum(ledger.said("select", shard, ["row"]).num_rows for shard in shards)

    def pace(self) -> Pace:
        """How fast, and how patiently."""
        policy = replace(
            Pace().policy, max_failures=self.tries, min_bytes_per_s=self.min_bytes_per_s
        )
        return Pace(self.connections, policy)


class _Doer:
    """Fetches shards of a curation that another process holds."""

    def __init__(self, folder: FetchFolder, work: Fetching) -> None:
        self._folder = folder
        self._work = work
        self._settings = section(FetchSettings, work.settings, "the work's settings")
        self._writer = begin_step(Ledger(folder.curation), STEP, work.settings, needs=("select",))

    def run(
        self,
        job: ShardJob,
        told: Callable[[int], None],
        begins: Callable[[int], None] | None = None,
    ) -> DoneShard:
        images = self._writer.given(job.shard).num_rows
        worked_on = 0
        if not FetchPaths(self._folder.curation).receipts(job.shard).exists():
            left = fetch_shards(
                self._writer,
                self._settings,
                [job.shard],
                pace=self._work.pace(),
                accept_failures=self._work.accept_failures,
                progress=_Told(told),
            )
            if left:
                causes = ", ".join(f"{cause} {times:,}" for cause, times in sorted(left.items()))
                number = count(left.total(), "photograph", "photographs")
                raise DownloadError(f"{number} could not be had ({causes})")
            worked_on = images
        marker = DoneShard(job.shard, images, worked_on, time.time())
        self._folder.mark_done(marker)
        return marker


@dataclass(frozen=True)
class _Told:
    """Progress that is told to whoever gave the shard."""

    told: Callable[[int], None]

    def task(self, description: str, total: int | None, unit: str, done: int = 0) -> _Told:
        return self

    def advance(self, amount: int) -> None:
        self.told(amount)

    def describe(self, description: str) -> None:
        pass

    def finish(self) -> None:
        pass
