"""The step `fetch`: shards fetched, then the ledger written, when it is known what placeholders
are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.fetch.fetcher import Fetcher
from pass_dataset.curate.fetch.paths import STEP, FetchPaths
from pass_dataset.curate.fetch.placeholders import Placeholder, find_placeholders
from pass_dataset.curate.fetch.receipts import LEDGER_COLUMNS, load_receipts
from pass_dataset.curate.fetch.settings import FetchSettings, Pace
from pass_dataset.curate.fetch.shard import Shard
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger, StepRecord, StepWriter
from pass_dataset.curate.settings import as_content
from pass_dataset.errors import DownloadError
from pass_dataset.progress import Progress, Silent

__all__ = ["fetch_shards", "run_fetch"]


def run_fetch(
    folder: CurationFolder,
    settings: FetchSettings,
    *,
    pace: Pace | None = None,
    accept_failures: bool = False,
    progress: Progress | None = None,
) -> StepRecord:
    """Fetches the photographs of a curation, or goes on with it.

    The tars have all that is a JPEG, placeholders too: which photographs go on, the ledger says.

    Args:
      folder: of the curation; photographs are selected.
      settings: what decides the result.
      pace: how fast, and how patiently.
      accept_failures: what could not be had after all tries is given up, with its cause in the
        ledger; else the step ends with an error then, and the next run tries again.
      progress: where it is shown.

    Returns:
      What the step counted. Its details have `placeholders`, and `accepted_failures` if any were.

    Raises:
      DownloadError: some photographs could not be had; all others are kept.
      DiskSpaceError: the disk is full; what was fetched is kept.
      CurationError: the step cannot be done now, or was begun with other settings.
      MissingExtraError: libcurl is not installed.
      OSError: a file cannot be read or written.
    """
    with folder.held():
        ledger = Ledger(folder)
        writer = ledger.begin(STEP, as_content(settings), needs=("select",))
        done = ledger.record(STEP)
        if done is not None:
            return done
        left = fetch_shards(
            writer,
            settings,
            unfetched(writer),
            pace=pace,
            accept_failures=accept_failures,
            progress=progress,
        )
        if left:
            raise DownloadError(_left_text(folder, left))
        return write_ledger(writer, settings)


def unfetched(writer: StepWriter) -> list[int]:
    """Shards that are not whole."""
    paths = FetchPaths(writer.ledger.folder)
    return [n for n in range(writer.ledger.shards()) if not paths.receipts(n).exists()]


def fetch_shards(
    writer: StepWriter,
    settings: FetchSettings,
    shards: Sequence[int],
    *,
    pace: Pace | None = None,
    accept_failures: bool = False,
    progress: Progress | None = None,
) -> Counter[str]:
    """Fetches some shards. Each may be done by one process at a time, different ones by many.

    Returns:
      Photographs that could not be had, by what was the matter. Their shards are not whole.

    Raises:
      DiskSpaceError, CurationError, MissingExtraError, OSError: as those of `run_fetch`.
    """
    total = sum(writer.given(number).num_rows for number in shards)
    task = (progress or Silent()).task("fetching", total, "images")
    fetcher = Fetcher(settings, pace or Pace(), task, accept_failures=accept_failures)
    try:
        fetcher.run(Shard(number, writer, settings) for number in shards)
    finally:
        task.finish()
    return fetcher.left


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
    return (
        f"{folder.path}: {left.total():,} photographs could not be had ({causes}); all others are "
        "kept. Run again to try these again, or give them up with --accept-failures"
    )
