"""The run loop of the filter: planned, done wherever an executor does it, and its lists written."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pass_dataset.errors import RunError, SourceError
from pass_dataset.executors.executor import Executor, do_jobs, sweep
from pass_dataset.folders.lock import hold
from pass_dataset.passify.outputs.lists import write_lists
from pass_dataset.passify.outputs.unmatched import require_paths, unmatched_lines, unmatched_text
from pass_dataset.passify.runs.exclusions import Exclusions, exclusions_of
from pass_dataset.passify.runs.outcomes import Thresholds, outcome_of
from pass_dataset.passify.runs.plan import Plan, make_plan
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.settings import RunSettings
from pass_dataset.passify.sources.opening import open_source
from pass_dataset.passify.sources.path_forms import form_of
from pass_dataset.passify.sources.source import Source
from pass_dataset.passify.steps.job import FilterJob
from pass_dataset.progress import Progress, Silent

__all__ = ["RunReport", "fill_run", "plan_run", "retry_jobs", "run_filter"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunReport:
    """What a run did this time.

    Attributes:
      folder: where all of it is.
      plan: the images.
      images: number of images that were worked on.
      seconds: time that took, without listing.
      shards_left: shards that others are to do; the lists are written when all are done.
    """

    folder: RunFolder
    plan: Plan
    images: int
    seconds: float
    shards_left: int = 0


def run_filter(
    folder: RunFolder,
    settings: RunSettings,
    executor: Executor,
    *,
    source: Source | None = None,
    exclusions: Path | None = None,
    strict: bool = False,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> RunReport:
    """Does what is missing of a run: all of a new one, the rest of one that was cut.

    Args:
      folder: where the run is kept.
      settings: what is to be run; `exclusions_sha256` is filled in here.
      executor: where.
      source: lists the images of a new run, of those that `settings` have; None: all of these.
      exclusions: opt-out list.
      strict: refuse it if lines of it name no image: by path before anything is written, by hash
        when all images were read.
      retry_failed: begin anew with images that failed.
      progress: where progress is shown.

    Raises:
      RunError: the folder is that of another run, or shards failed; the message has the list.
      FolderLockedError: another process has this run.
      SourceError: there are no images.
      OSError: the folder cannot be written.
    """
    progress = progress or Silent()
    with _planned(folder, settings, exclusions, strict, progress, source) as plan:
        sweep(folder, executor)
        done = folder.done()
        jobs = [FilterJob(shard) for shard in range(plan.num_shards) if shard not in done]
        if retry_failed:
            jobs += retry_jobs(folder)
        return _do(folder, plan, executor, jobs, progress, _require_lines if strict else None)


def plan_run(
    folder: RunFolder,
    settings: RunSettings,
    *,
    exclusions: Path | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> Plan:
    """Lists the images of a run and cuts them into shards, if that was not done yet.

    Others may then do the shards: `run_filter`, or `passify work` on many machines.

    Args:
      folder, settings, exclusions, strict, progress: as those of `run_filter`.

    Raises:
      RunError: the folder is that of another run.
      FolderLockedError: another process has this run.
      SourceError: there are no images.
      OSError: the folder cannot be written.
    """
    with _planned(folder, settings, exclusions, strict, progress or Silent()) as plan:
        return plan


@contextlib.contextmanager
def _planned(
    folder: RunFolder,
    settings: RunSettings,
    exclusions: Path | None,
    strict: bool,
    progress: Progress,
    listing: Source | None = None,
) -> Iterator[Plan]:
    """Holds a run, which is new or has these settings, with its plan made."""
    listed = None if exclusions is None else _read(exclusions)
    settings = _with_exclusions(settings, listed)
    source = open_source(settings.source)
    if exclusions is not None:
        # Before anything is written: a list that cannot be read is no list of nothing.
        named = Exclusions.load(exclusions, form_of(settings.source))
        if strict:
            require_paths(source, named)
    folder.path.mkdir(parents=True, exist_ok=True)
    with hold(folder.path, wait=False):
        folder.claim(settings, listed)
        yield Plan.load(folder) or make_plan(folder, listing or source, settings, progress)


def _require_lines(results: Results) -> None:
    """Refuses a run with an opt-out list of which lines name no image."""
    exclusions = exclusions_of(results.folder)
    left = unmatched_lines(results, exclusions) if exclusions else []
    if exclusions and left:
        raise RunError(unmatched_text(exclusions, left) + ". No lists were written")


def retry_jobs(folder: RunFolder) -> list[FilterJob]:
    """Jobs for the shards that have images that failed."""
    return [
        FilterJob(stats.shard, retry_failed=True)
        for stats in folder.stats()
        if stats.outcomes.get("failed")
    ]


def fill_run(
    folder: RunFolder,
    thresholds: Thresholds,
    executor: Executor,
    *,
    progress: Progress | None = None,
) -> RunReport:
    """Runs the detectors on images that these thresholds leave undecided.

    With faces first, people are not looked for where the run saw a face; a higher threshold for
    faces asks for just those.

    Raises:
      RunError: the run is not done, or shards failed.
      FolderLockedError: another process has this run.
    """
    results = Results(folder)
    results.require_whole()
    with hold(folder.path, wait=False):
        jobs = [
            FilterJob(shard, thresholds=thresholds)
            for shard, (_, reasons) in zip(results.shards, results.judged(thresholds), strict=True)
            if any(outcome_of(reason) == "undecided" for reason in reasons.unique().to_pylist())
        ]
        return _do(folder, results.plan, executor, jobs, progress or Silent())


def _do(
    folder: RunFolder,
    plan: Plan,
    executor: Executor,
    jobs: list[FilterJob],
    progress: Progress,
    check: Callable[[Results], None] | None = None,
) -> RunReport:
    to_do = sum(stop - start for start, stop in (plan.bounds(job.shard) for job in jobs))
    if jobs and to_do < plan.images:
        logger.info("%s: %d of %d shards to do", folder.path, len(jobs), plan.num_shards)
    task = progress.task("Filtering", plan.images, "images", done=plan.images - to_do)

    def describe(shard: int) -> str:
        first, stop = plan.bounds(shard)
        return f"shard {shard} (images {first:,} to {stop - 1:,})"

    try:
        done = do_jobs(
            folder, executor, jobs, task.advance, shards=plan.num_shards, describe=describe
        )
    finally:
        task.finish()
    if done.left:
        return RunReport(folder, plan, done.images, done.seconds, done.left)
    results = Results(folder)
    if check is not None:
        check(results)
    write_lists(results)
    return RunReport(folder, plan, done.images, done.seconds)


def _read(exclusions: Path) -> bytes:
    try:
        return exclusions.read_bytes()
    except OSError as error:
        raise SourceError(f"{exclusions}: {error.strerror}") from error


def _with_exclusions(settings: RunSettings, listed: bytes | None) -> RunSettings:
    digest = None if listed is None else hashlib.sha256(listed).hexdigest()
    return replace(settings, exclusions_sha256=digest)
