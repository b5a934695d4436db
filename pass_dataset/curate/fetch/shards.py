"""Some shards fetched in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pass_dataset.curate.fetch.fetcher import Fetcher
from pass_dataset.curate.fetch.paths import FetchPaths
from pass_dataset.curate.fetch.settings import FetchSettings, Pace
from pass_dataset.curate.fetch.shard import Shard
from pass_dataset.curate.step_writer import StepWriter
from pass_dataset.progress import Progress, Silent

__all__ = ["fetch_shards", "unfetched"]


def unfetched(writer: StepWriter) -> list[int]:
    """Shards that are not whole; of those that are, spools that a killed process left go."""
    paths = FetchPaths(writer.ledger.folder)
    missing = []
    for number in range(writer.ledger.shards()):
        if paths.receipts(number).exists():
            paths.spool(number).unlink(missing_ok=True)
        else:
            missing.append(number)
    return missing


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
