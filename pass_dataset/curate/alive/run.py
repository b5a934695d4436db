"""The step `alive`: photographs that are no longer public go no further."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa

from pass_dataset.curate.alive.asking import Asker
from pass_dataset.curate.alive.settings import AliveSettings, Politeness
from pass_dataset.curate.fetch.spool import Spool
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.settings import as_content
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.curate.step_writer import StepWriter, begin_step
from pass_dataset.errors import DownloadError
from pass_dataset.pages.words import count
from pass_dataset.progress import Progress, Silent

__all__ = ["STEP", "run_alive"]

#: The step's name.
STEP = "alive"
_COLUMNS = {"page": "page_url", "download": "download_url"}


def run_alive(
    folder: CurationFolder,
    settings: AliveSettings,
    *,
    politeness: Politeness | None = None,
    accept_failures: bool = False,
    progress: Progress | None = None,
) -> StepRecord:
    """Asks of each photograph that is left whether it is still public, or goes on with that.

    Photographs without an address go on, and are not asked for.

    Args:
      folder: of the curation.
      settings: what is asked.
      politeness: how.
      accept_failures: those of which no answer is to be had go no further, with that as their
        cause; else the step ends with an error then, and the next run asks again.
      progress: where it is shown.

    Returns:
      What the step counted. Its details have `asked`, and when the first and the last one was:
      `asked_from` and `asked_until`, UTC; null where none was.

    Raises:
      DownloadError: of some nothing is known, or a host refuses this machine; what is known stays.
      CurationError: the step cannot be done now, or was begun with other settings.
      MissingExtraError: libcurl is not installed.
      OSError: a file cannot be read or written.
    """
    with folder.held():
        ledger = Ledger(folder)
        writer = begin_step(ledger, STEP, as_content(settings))
        if (done := writer.record) is not None:
            return done
        shards = range(ledger.shards())
        total = sum(writer.given(number).num_rows for number in shards)
        task = (progress or Silent()).task("asking", total, "images")
        try:
            with Asker(politeness or Politeness(), task, accept_failures=accept_failures) as asker:
                for number in shards:
                    _ask_shard(writer, number, _COLUMNS[settings.ask], asker)
        finally:
            task.finish()
        if asker.left:
            raise DownloadError(_left_text(folder, asker.left))
        record = writer.finish(_details(folder, ledger.shards()))
        for number in shards:
            _spool_path(folder, number).unlink(missing_ok=True)
        return record


def _spool_path(folder: CurationFolder, shard: int) -> Path:
    return folder.work_path(STEP) / f"{shard:06d}.spool"


def _ask_shard(writer: StepWriter, shard: int, column: str, asker: Asker) -> None:
    """Asks of a shard's photographs, and writes it if all of them are known."""
    if shard not in writer.missing():
        return
    rows = writer.given(shard, [column]).to_pylist()
    addresses = {row["row"]: row[column] for row in rows if row[column]}
    with Spool(_spool_path(writer.ledger.folder, shard)) as spool:
        asker.ask(addresses, spool)
        if not spool.receipts.keys() >= addresses.keys():
            return
        found = [spool.receipts.get(row["row"]) for row in rows]
    said = {
        "row": pa.array([row["row"] for row in rows], pa.int64()),
        "cause": pa.array([one and one.cause for one in found], pa.string()),
        "alive_status": pa.array([one and one.status for one in found], pa.int16()),
    }
    writer.write(shard, pa.table(said))


def _details(folder: CurationFolder, shards: int) -> dict[str, Any]:
    """How many were asked, and when."""
    times: list[str] = []
    for number in range(shards):
        with Spool(_spool_path(folder, number)) as spool:
            times += [receipt.said for receipt in spool.receipts.values()]
    return {
        "asked": len(times),
        "asked_from": min(times, default=None),
        "asked_until": max(times, default=None),
    }


def _left_text(folder: CurationFolder, left: Counter[str]) -> str:
    causes = ", ".join(f"{cause} {number:,}" for cause, number in sorted(left.items()))
    photographs = count(left.total(), "photograph", "photographs")
    return (
        f"{folder.path}: of {photographs} it could not be known whether they are public "
        f"({causes}); of all others it is. Run again to ask again, or give up with "
        "--accept-failures"
    )
