"""What became of each photograph of a shard that is done, with what is of no account elsewhere:
tries, and what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pass_dataset.curate.fetch.spool import Receipt
from pass_dataset.errors import CurationError
from pass_dataset.files.whole import writing_whole

__all__ = ["LEDGER_COLUMNS", "load_receipts", "save_receipts"]

#: What the ledger has of it.
LEDGER_COLUMNS = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("cause", pa.string()),
        pa.field("fetch_status", pa.int16()),
        pa.field("fetched_from", pa.string()),
        pa.field("size_bytes", pa.int64()),
        pa.field("sha256", pa.string()),
        pa.field("tar_offset", pa.int64()),
    ]
)
_SCHEMA = pa.schema([*LEDGER_COLUMNS, pa.field("tries", pa.int32()), pa.field("said", pa.string())])


def save_receipts(path: Path, receipts: Mapping[int, Receipt], offsets: Mapping[int, int]) -> None:
    """Writes the receipts of a shard; the file gets its name when it is whole. Raises OSError."""
    ordered = [receipts[row] for row in sorted(receipts)]
    columns = {
        "row": [receipt.row for receipt in ordered],
        "cause": [receipt.cause for receipt in ordered],
        "fetch_status": [receipt.status for receipt in ordered],
        "fetched_from": [receipt.source for receipt in ordered],
        "size_bytes": [receipt.size_bytes for receipt in ordered],
        "sha256": [receipt.sha256 for receipt in ordered],
        "tar_offset": [offsets.get(receipt.row) for receipt in ordered],
        "tries": [receipt.tries for receipt in ordered],
        "said": [receipt.said or None for receipt in ordered],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing_whole(path) as file:
        pq.write_table(pa.table(columns, schema=_SCHEMA), file, compression="zstd")


def load_receipts(path: Path, columns: list[str]) -> pa.Table:
    """Some columns of a shard's receipts, in order of row.

    Raises:
      CurationError: they cannot be read.
    """
    try:
        return pq.read_table(path, columns=columns, partitioning=None)
    except (OSError, pa.ArrowException) as error:
        raise CurationError(
            f"{path}: cannot be read: {error}; remove it to fetch the shard again"
        ) from error
