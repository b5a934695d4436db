"""Fingerprints that were made, kept in parts: each is written whole, and none is changed.

What is kept of an image holds for as long as its path and the state of its file stay, so that a
later run makes only what is new.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pass_dataset.curate.duplicates.fingerprints import FINGERPRINTS
from pass_dataset.curate.duplicates.perceptual import HASH_VERSION
from pass_dataset.errors import CurationError
from pass_dataset.files.whole import writing_whole

__all__ = ["HashStore"]

_KEYS = pa.schema(
    [pa.field("key", pa.string(), nullable=False)]  # source, path and stamp
)
_SCHEMA = pa.schema([*_KEYS, *FINGERPRINTS], metadata={b"hash_version": HASH_VERSION.encode()})


class HashStore:
    """A folder of parts. Many processes may add to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def keys(source: str, items: pa.Table) -> pa.ChunkedArray:
        """What images are known by, of a collection's `ITEMS`."""
        return pc.binary_join_element_wise(source, items["path"], items["stamp"], "\0")

    def add(self, keys: pa.ChunkedArray, fingerprints: pa.Table) -> Path:
        """Adds a part."""
        table = fingerprints.cast(FINGERPRINTS).add_column(0, _KEYS[0], keys.cast(pa.string()))
        digest = hashlib.sha256("\n".join(keys.to_pylist()).encode("utf-8", "replace"))
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{digest.hexdigest()[:24]}.parquet"
        with writing_whole(path) as file:
            pq.write_table(table.cast(_SCHEMA), file, compression="zstd")
        return path

    def load(self) -> pa.Table:
        """All that is kept, with the columns `key` and those of `FINGERPRINTS`.

        Parts of another version of the hash are not asked.

        Raises:
          CurationError: a part cannot be read.
        """
        tables = [_SCHEMA.empty_table()]
        for path in sorted(self.folder.glob("*.parquet")):
            try:
                table = pq.read_table(path, partitioning=None)
            except (OSError, pa.ArrowException) as error:
                raise CurationError(
                    f"{path}: cannot be read: {error}; remove it, and it is made anew"
                ) from error
            if (table.schema.metadata or {}).get(b"hash_version") == HASH_VERSION.encode():
                tables.append(table.cast(_SCHEMA))
        return pa.concat_tables(tables)

    @staticmethod
    def places(kept: pa.Table, keys: pa.ChunkedArray) -> pa.Array:
        """Rows of what is kept, by key; null where there is none."""
        return pc.index_in(keys, value_set=kept["key"].combine_chunks())
