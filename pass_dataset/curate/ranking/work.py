"""Ranking as a kind of work: each image is decoded once, and shown to all rankers."""

from __future__ import annotations

import functools
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from pass_dataset.curate.ranking.catalogue import open_rankers
from pass_dataset.curate.ranking.folder import IMAGE, RankedShard, RankFolder, Ranking
from pass_dataset.curate.ranking.ranker import Ranker, RankerSettings
from pass_dataset.errors import (
    CurationError,
    DetectorError,
    MissingExtraError,
    PassDatasetError,
    RunError,
    SourceChangedError,
    WeightsError,
)
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import ShardFolder
from pass_dataset.executors.work import Work, WorkerShare
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.schema import ImageResult
from pass_dataset.passify.sources.opening import open_source
from pass_dataset.passify.sources.source import SourceItem
from pass_dataset.passify.steps.culprits import announced, end_process, give_up
from pass_dataset.passify.steps.decoding import Decoding
from pass_dataset.passify.steps.record import Examined

__all__ = ["RANKER_FAILED", "RankWork"]

logger = logging.getLogger(__name__)

#: Problem of an image that a ranker raised on; what the others say of it is there.
RANKER_FAILED = "ranker-failed"
#: Images that rankers are shown at once.
_AT_ONCE = 8
#: How often what is done of a shard is written, so that a death costs no more than this.
_CHECKPOINT_S = 60.0
#: A ranker that raises on this many images and succeeds on none is at fault, not the images.
_ALL_FAILED = 8


@dataclass(frozen=True)
class RankWork(Work):
    """Ranks shards; none of it changes what is said.

    Attributes:
      rankers: names of the rankers. They are told to workers, and not read from the folder: a
        folder of others loads nothing.
    """

    title: ClassVar[str] = "Ranking"
    command: ClassVar[str] = "pass-curate-rank"
    fatal_errors: ClassVar[tuple[type[PassDatasetError], ...]] = (
        CurationError,
        DetectorError,
        MissingExtraError,
        SourceChangedError,
        WeightsError,
    )

    rankers: tuple[str, ...] = ()

    def folder(self, path: str) -> RankFolder:
        return RankFolder(path)

    def open(self, folder: str, share: WorkerShare) -> _Doer:
        settings = RankerSettings(share.device, share.threads)
        return _Doer(RankFolder(folder), tuple(self.rankers), settings)

    def images(self, folder: ShardFolder[Any], shards: Sequence[int]) -> int | None:
        plan = Plan.load(RankFolder(folder.path).images)
        if plan is None:
            return None
        return sum(stop - start for start, stop in map(plan.bounds, shards))


class _Doer:
    """Ranks shards of a folder, in a process of its own."""

    def __init__(
        self, folder: RankFolder, names: tuple[str, ...], settings: RankerSettings
    ) -> None:
        self._folder = folder
        self._plan = folder.plan()
        self._settings = folder.images.settings()
        self._source = open_source(self._settings.source)
        self._threads = settings.threads
        self._rankers = open_rankers(names, settings)
        found = Ranking(tuple((name, one.identity) for name, one in self._rankers.items()))
        unlike = folder.ranking().differences(found)
        if unlike:
            listed = "\n  ".join(unlike)
            raise CurationError(f"{folder.path}: rankers are others here:\n  {listed}")
        fields = [field for one in self._rankers.values() for field in one.columns]
        self._schema = pa.schema([*IMAGE, *fields])

    def run(
        self,
        job: ShardJob,
        told: Callable[[int], None],
        begins: Callable[[int], None] | None = None,
    ) -> RankedShard:
        items = self._plan.items(self._folder.images, job.shard)
        rows = self._existing(job.shard, items)
        todo = [
            Examined(position, item, ImageResult("", item.path))
            for position, item in enumerate(items)
            if rows[position] is None
        ]
        for record in give_up(self._folder.crashes(job.shard), todo):
            rows[record.position] = _row(record)
        told(len(items) - len(todo))
        reader = self._source.reader(self._plan.files)
        decoding = Decoding(
            reader,
            Exclusions(),
            self._settings.max_pixels,
            threads=0 if job.careful else self._threads,
            ahead=2 * _AT_ONCE,
            stuck=functools.partial(end_process, self._folder, job.shard),
        )
        asking = _Asking(self._rankers)
        checkpoint = time.monotonic()
        try:
            records = decoding.run(announced(todo, begins))
            while batch := list(islice(records, 1 if job.careful else _AT_ONCE)):
                for record, row in zip(batch, asking.ask(batch), strict=True):
                    rows[record.position] = row
                told(len(batch))
                if time.monotonic() - checkpoint > _CHECKPOINT_S:
                    self._folder.write(self._folder.partial_path(job.shard), self._table(rows))
                    checkpoint = time.monotonic()
        finally:
            reader.close()
        asking.check()
        table = self._table(rows)
        self._folder.write(self._folder.results_path(job.shard), table)
        marker = RankedShard(
            shard=job.shard,
            images=len(items),
            worked_on=len(todo),
            problems=dict(sorted(Counter(table["problem"].drop_null().to_pylist()).items())),
            decode_s=decoding.seconds,
            rank_s=asking.seconds,
            finished_at=time.time(),
        )
        self._folder.mark_done(marker)
        return marker

    def _table(self, rows: Sequence[dict[str, Any] | None]) -> pa.Table:
        return pa.Table.from_pylist([row for row in rows if row is not None], self._schema)

    def _existing(self, shard: int, items: list[SourceItem]) -> list[dict[str, Any] | None]:
        """Rows of a checkpoint, by position."""
        rows: list[dict[str, Any] | None] = [None] * len(items)
        path = self._folder.partial_path(shard)
        try:
            stored = pq.read_table(path, partitioning=None, use_threads=False)
        except FileNotFoundError:
            return rows
        except (OSError, pa.ArrowException) as error:
            logger.warning("%s: cannot be read (%s); what it held is done again", path, error)
            return rows
        if stored.schema.names != self._schema.names:
            return rows
        places = {item.path: position for position, item in enumerate(items)}
        for row in stored.to_pylist():
            rows[places[row["path"]]] = row
        return rows


def _row(record: Examined) -> dict[str, Any]:
    result = record.result
    return {
        "path": result.path,
        "sha256": result.sha256,
        "width": result.width,
        "height": result.height,
        "problem": result.reason,
        "message": result.message,
    }


class _Asking:
    """Shows images to rankers, and keeps count of what they fail on."""

    def __init__(self, rankers: dict[str, Ranker]) -> None:
        self._rankers = rankers
        self.seconds = dict.fromkeys(rankers, 0.0)
        self._tried: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._last: dict[str, str] = {}

    def ask(self, records: Sequence[Examined]) -> list[dict[str, Any]]:
        """The row of each image."""
        rows = [_row(record) for record in records]
        sound = [
            (row, pixels)
            for row, record in zip(rows, records, strict=True)
            if record.image is not None and (pixels := record.image.pixels_by("pillow")) is not None
        ]
        for name, ranker in self._rankers.items():
            started = time.perf_counter()
            for row, pixels in sound:
                self._tried[name] += 1
                try:
                    row |= ranker.rank([pixels])[0]
                except PassDatasetError:
                    raise  # nothing to do with this image
                except Exception as error:  # of whatever library: it becomes the image's row
                    said = f"{name}: {type(error).__name__}: {error}"
                    row["problem"], row["message"] = RANKER_FAILED, said
                    self._failed[name] += 1
                    self._last[name] = said
            self.seconds[name] += time.perf_counter() - started
        for record in records:
            record.image = None
        return rows

    def check(self) -> None:
        """Refuses a shard on all of whose images a ranker failed."""
        for name, failed in self._failed.items():
            if failed == self._tried[name] >= _ALL_FAILED:
                raise RunError(
                    f"a ranker failed on all {failed} images that it was shown; the last time: "
                    f"{self._last[name]}"
                )
