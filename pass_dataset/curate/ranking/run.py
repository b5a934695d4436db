"""A ranking done, or gone on with: of any collection, a run of passify, or a list that is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.parquet as pq

from pass_dataset.curate.ranking.catalogue import open_rankers
from pass_dataset.curate.ranking.folder import RankFolder, Ranking
from pass_dataset.curate.ranking.settings import RankSettings
from pass_dataset.errors import RunError
from pass_dataset.executors.executor import Executor, do_jobs, sweep
from pass_dataset.executors.job import ShardJob
from pass_dataset.files.whole import writing_whole
from pass_dataset.folders.lock import hold
from pass_dataset.passify.runs.plan import Plan, make_plan
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.settings import RunSettings
from pass_dataset.passify.sources.file_states import FileStates
from pass_dataset.passify.sources.opening import SourceSettings, open_source
from pass_dataset.passify.sources.source import Kind, ListingReport, Reader, Source, SourceItem
from pass_dataset.progress import Progress, Silent

__all__ = ["KeptImages", "RankReport", "rank_images", "rank_source"]


@dataclass(frozen=True)
class RankReport:
    """What was done this time.

    Attributes:
      folder: where all of it is.
      images: number of all.
      worked_on: images that were looked at now.
      seconds: time that took.
      problems: images of all without scores, or not all, by why.
      shards_left: shards that others are to do.
    """

    folder: RankFolder
    images: int
    worked_on: int
    seconds: float
    problems: dict[str, int]
    shards_left: int = 0


def rank_source(
    folder: RankFolder,
    source: SourceSettings | RunFolder,
    settings: RankSettings,
    executor: Executor,
    *,
    progress: Progress | None = None,
) -> RankReport:
    """Ranks a collection, and writes all scores into one file, ``scores.parquet``.

    Args:
      folder: of the ranking; made if it is new.
      source: the collection; of a run of passify, the images that it kept.
      settings: what is asked.
      executor: where, made with a `RankWork` of the same rankers.
      progress: where progress is shown.

    Raises:
      RunError: the folder is that of another ranking, or shards failed.
      SourceError: there are no images.
      FolderLockedError: another process has the folder.
      WeightsError, MissingExtraError: a ranker cannot be had.
    """
    listing: Source | None = None
    if isinstance(source, RunFolder):
        listing = KeptImages(Results(source))
        source = source.settings().source
    report = rank_images(
        folder, source.resolved(), settings, executor, listing=listing, progress=progress
    )
    if not report.shards_left:
        _write_scores(folder)
    return report


def rank_images(
    folder: RankFolder,
    source: SourceSettings,
    settings: RankSettings,
    executor: Executor,
    *,
    listing: Source | None = None,
    progress: Progress | None = None,
) -> RankReport:
    """Does what is missing of a ranking; see `rank_source`.

    Args:
      folder, settings, executor, progress: see there.
      source: how images are read.
      listing: lists them; None: all of the source.
    """
    progress = progress or Silent()
    rankers = open_rankers(settings.names)
    ranking = Ranking(tuple((name, one.identity) for name, one in rankers.items()))
    with _held(folder):
        folder.claim(ranking)
        plan = _planned(folder, source, settings, listing, progress)
        sweep(folder, executor)
        done = folder.done()
        jobs = [ShardJob(shard) for shard in range(plan.num_shards) if shard not in done]
        to_do = sum(stop - start for start, stop in (plan.bounds(job.shard) for job in jobs))
        task = progress.task("Ranking", plan.images, "images", done=plan.images - to_do)
        try:
            did = do_jobs(folder, executor, jobs, task.advance, shards=plan.num_shards)
        finally:
            task.finish()
    problems: dict[str, int] = {}
    for marker in folder.stats():
        for name, number in marker.problems.items():
            problems[name] = problems.get(name, 0) + number
    return RankReport(
        folder, plan.images, did.images, did.seconds, dict(sorted(problems.items())), did.left
    )


def _held(folder: RankFolder):  # type: ignore[no-untyped-def]  # of contextlib
    folder.path.mkdir(parents=True, exist_ok=True)
    return hold(folder.path, wait=False)


def _planned(
    folder: RankFolder,
    source: SourceSettings,
    settings: RankSettings,
    listing: Source | None,
    progress: Progress,
) -> Plan:
    """The list of images, made if it is not there."""
    asked = RunSettings(source, (), max_pixels=settings.max_pixels)
    folder.images.claim(asked, None)
    plan = Plan.load(folder.images)
    return plan or make_plan(folder.images, listing or open_source(source), asked, progress)


def _write_scores(folder: RankFolder) -> None:
    """All results as one file."""
    if folder.scores_path.exists():
        return
    tables = folder.tables()
    first = next(tables, None)
    if first is None:
        raise RunError(f"{folder.path}: there are no results")
    with (
        writing_whole(folder.scores_path) as file,
        pq.ParquetWriter(file, first.schema, compression="zstd") as writer,
    ):
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)


class KeptImages:
    """The images that a run of passify kept, as a source."""

    def __init__(self, results: Results) -> None:
        """Args: `results` are those of the run.

        Raises:
          RunError: it is not done.
        """
        results.require_whole()
        self._results = results
        self._source = open_source(results.settings.source)

    @property
    def kind(self) -> Kind:
        return self._source.kind

    def items(self, report: ListingReport) -> Iterator[SourceItem]:
        results = self._results
        report.files.update(results.plan.files)
        kept = results.judged(results.settings.thresholds, ["path"])
        for shard, (_, reasons) in zip(results.shards, kept, strict=True):
            items = results.plan.items(results.folder, shard)
            for item, reason in zip(items, reasons.to_pylist(), strict=True):
                if reason is None:
                    yield item

    def reader(self, states: FileStates) -> Reader:
        return self._source.reader(states)

    def file_of(self, item: SourceItem) -> bytes | None:
        return self._source.file_of(item)
