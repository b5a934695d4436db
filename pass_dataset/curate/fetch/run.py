"""The step `fetch`: shards fetched, then the ledger written, when it is known what placeholders
are."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.fetch.paths import STEP, FetchPaths
from pass_dataset.curate.fetch.placeholders import Placeholder, find_placeholders
from pass_dataset.curate.fetch.receipts import LEDGER_COLUMNS, load_receipts
from pass_dataset.curate.fetch.settings import FetchSettings, Pace
from pass_dataset.curate.fetch.shards import fetch_shards, unfetched
from pass_dataset.curate.fetch.work import FetchFolder
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.settings import as_content
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.curate.step_writer import StepWriter, begin_step
from pass_dataset.errors import DownloadError
from pass_dataset.executors.executor import Executor, do_jobs, sweep
from pass_dataset.executors.job import ShardJob
from pass_dataset.pages.words import count
from pass_dataset.progress import Progress, Silent

__all__ = ["run_fetch"]


def run_fetch(
    folder: CurationFolder,
    settings: FetchSettings,
    *,
    pace: Pace | None = None,
    accept_failures: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> StepRecord | None:
    """Fetches the photographs of a curation, or goes on with it.

    The tars have all that is a JPEG, placeholders too: which photographs go on, the ledger says.

    Args:
      folder: of the curation; photographs are selected.
      settings: what decides the result.
      pace: how fast, and how patiently.
      accept_failures: what could not be had after all tries is given up, with its cause in the
        ledger; else the step ends with an error then, and the next run tries again.
      executor: where, made with a `Fetching`, which then says how, and not `pace` and
        `accept_failures`; None: in this process.
      progress: where it is shown.

    Returns:
      What the step counted; its details have `placeholders`. None: others are still at work
      (`Executor.waits`), and the same call, later, ends the step.

    Raises:
      DownloadError: some photographs could not be had; all others are kept.
      DiskSpaceError: the disk is full; what was fetched is kept.
      RunError: the same, of an executor.
      CurationError: the step cannot be done now, or was begun with other settings.
      MissingExtraError: libcurl is not installed.
      OSError: a file cannot be read or written.
    """
    with folder.held():
        ledger = Ledger(folder)
        writer = begin_step(ledger, STEP, as_content(settings), needs=("select",))
        if (done := writer.record) is not None:
            return done
        shards = unfetched(writer)
        if executor is not None:
            if not _spread(writer, shards, executor, progress):
                return None
        else:
            left = fetch_shards(
                writer,
                settings,
                shards,
                pace=pace,
                accept_failures=accept_failures,
                progress=progress,
            )
            if left:
                raise DownloadError(_left_text(folder, left))
        return write_ledger(writer, settings)


def _spread(
    writer: StepWriter, shards: list[int], executor: Executor, progress: Progress | None
) -> bool:
    """Has shards fetched elsewhere; false if others are still at them."""
    folder = FetchFolder(writer.ledger.folder.work_path(STEP))
    folder.path.mkdir(parents=True, exist_ok=True)
    sweep(folder, executor)
    total = sum(writer.given(number).num_rows for number in shards)
    task = (progress or Silent()).task("fetching", total, "images")
    try:
        jobs = [ShardJob(number) for number in shards]
        done = do_jobs(folder, executor, jobs, task.advance, shards=writer.ledger.shards())
    finally:
        task.finish()
    return not done.left


def write_ledger(writer: StepWriter, settings: FetchSettings) -> StepRecord:
    """Writes the step's part of the ledger, of shards that are all whole.

    Raises:
      CurationError: receipts cannot be read, or are not of the photographs that were selected.
      OSError: it cannot be written.
    """
    paths = FetchPaths(writer.ledger.folder)
    shards = range(writer.ledger.shards())
    placeholders = find_placeholders(
        (paths.receipts(number) for number in shards), settings.placeholder_copies
    )
    for number in writer.missing():
        receipts = load_receipts(paths.receipts(number), LEDGER_COLUMNS.names)
        writer.write(number, _with_placeholders(receipts, placeholders))
    return writer.finish({"placeholders": [one._asdict() for one in placeholders]})


def _with_placeholders(receipts: pa.Table, placeholders: list[Placeholder]) -> pa.Table:
    """Receipts in which placeholders have their cause."""
    digests = pa.array([one.sha256 for one in placeholders], pa.string())
    is_one = pc.is_in(receipts["sha256"], digests)
    causes = pc.if_else(is_one, pa.scalar("placeholder"), receipts["cause"])
    return receipts.set_column(1, LEDGER_COLUMNS.field("cause"), causes)


def _left_text(folder: CurationFolder, left: Counter[str]) -> str:
    causes = ", ".join(f"{cause} {number:,}" for cause, number in sorted(left.items()))
    photographs = count(left.total(), "photograph", "photographs")
    return (
        f"{folder.path}: {photographs} could not be had ({causes}); all others are kept. Run again "
        "to try again, or give up with --accept-failures"
    )
