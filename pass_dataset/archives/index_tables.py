"""The table of an index: the images of the tars, joined with their metadata.

It is made of all rows of a release at once, so that what each step needs beside them is freed
before the next one: 1.44 million images take 0.6 GB at most, and the table 0.2 GB.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.hash_order import hash_order
from pass_dataset.archives.tar_listing import TarListing
from pass_dataset.errors import ArchiveError
from pass_dataset.files.arrow import column_of, give_back

__all__ = ["IndexTable", "index_table"]


@dataclass(frozen=True)
class IndexTable:
    """The images of an archive folder.

    Attributes:
      table: see `archives.ArchiveIndex`.
      metadata_rows: number of rows of the metadata.
      without_metadata: hashes of the images that have none.
    """

    table: pa.RecordBatch
    metadata_rows: int
    without_metadata: list[str]

    @property
    def with_metadata(self) -> int:
        """Number of images that have metadata."""
        return int(self.table.num_rows) - len(self.without_metadata)


def index_table(
    listings: Sequence[TarListing], tars: Sequence[str], metadata: Callable[[], pa.Table]
) -> IndexTable:
    """Makes the table.

    Args:
      listings: of each tar.
      tars: their names, for messages.
      metadata: gives it away: it is freed column by column.

    Raises:
      ArchiveError: a hash stands twice.
    """
    images = _images_table(listings)
    by_hash = _order_of_hashes(images, tars)
    rest = metadata()
    give_back()
    metadata_rows = rest.num_rows
    rows = pc.index_in(images["hash"], value_set=rest["hash"])
    without = images["hash"].filter(pc.is_null(rows)).to_pylist() if rows.null_count else []
    rest = rest.drop_columns(["hash"])
    for name in rest.column_names:
        images = images.append_column(name, rest[name].take(rows))
        rest = rest.drop_columns([name])
    return IndexTable(_one_batch(images.append_column("by_hash", by_hash)), metadata_rows, without)


def _images_table(listings: Sequence[TarListing]) -> pa.Table:
    """One row an image, in the memory of the listings."""
    # One byte does for 256 tars; as they stand in the order of the tars, one width does for all.
    width = np.min_scalar_type(max(len(listings) - 1, 0))
    return pa.concat_tables(
        pa.table(
            {
                "hash": pa.StringArray.from_buffers(
                    len(listing), pa.py_buffer(listing.hash_ends), pa.py_buffer(listing.hash_text)
                ),
                "tar": column_of(np.full(len(listing), number, width)),
                "offset": column_of(np.frombuffer(listing.offsets, np.int64)),
                "size_bytes": column_of(np.frombuffer(listing.sizes, np.int64)),
            }
        )
        for number, listing in enumerate(listings)
    )


def _order_of_hashes(images: pa.Table, tars: Sequence[str]) -> pa.Array:
    """Row numbers sorted by hash. Raises ArchiveError if a hash stands twice."""
    order = hash_order(images["hash"])
    if len(order.repeats):
        first = int(order.repeats[0]) - 1
        rows = images.take(column_of(order.rows[first : first + 2])).to_pylist()
        places = " and in ".join(f"{tars[row['tar']]} at byte {row['offset']:,}" for row in rows)
        raise ArchiveError(
            f"the image {rows[0]['hash']} stands twice: in {places} "
            f"({len(order.repeats)} such pairs). A hash names one image; remove or rename one."
        )
    return column_of(order.rows.astype(np.int32))


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    """One contiguous batch: rows are then found without searching through chunks."""
    batches = table.combine_chunks().to_batches(max_chunksize=None)
    if len(batches) == 1:
        return batches[0]
    return pa.RecordBatch.from_pylist([], schema=table.schema)
