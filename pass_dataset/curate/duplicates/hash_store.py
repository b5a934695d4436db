"""Fingerprints that were made, kept in parts: each is written whole, and none is changed.

What is kept of an image holds for as long as its path and the state of its file stay, so that a
later run makes only what is new.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pass_dataset.curate.duplicates.fingerprints import FINGERPRINTS
from pass_dataset.curate.duplicates.perceptual import HASH_VERSION
from pass_dataset.errors import CurationError
from pass_dataset.files.whole import writing_whole

__all__ = ["HASHES", "HashStore", "Kept"]

_KEY = pa.field("key", pa.string(), nullable=False)  # source, path and stamp


@dataclass(frozen=True)
class Kept:
    """What a store keeps of images.

    Attributes:
      columns: of what is kept.
      version: how it is made: what is of another version is not to be compared with it.
    """

    columns: pa.Schema
    version: str

    @property
    def schema(self) -> pa.Schema:
        """Of a part's file."""
        return pa.schema([_KEY, *self.columns], metadata={b"hash_version": self.version.encode()})


HASHES = Kept(FINGERPRINTS, HASH_VERSION)


class HashStore:
    """A folder of parts. Many processes may add to it."""

    def __init__(self, folder: Path, kept: Kept = HASHES) -> None:
        self.folder = folder
        self.kept = kept

    @property
    def is_empty(self) -> bool:
        """Whether no part was added, of any version."""
        return next(self.folder.glob("*.parquet"), None) is None

    @staticmethod
    def keys(source: str, items: pa.Table) -> pa.ChunkedArray:
        """What images are known by, of a collection's `ITEMS`."""
        return pc.binary_join_element_wise(source, items["path"], items["stamp"], "\0")

    def add(self, keys: pa.ChunkedArray, made: pa.Table) -> Path:
        """Adds a part: what was made of the images of some keys."""
        table = made.cast(self.kept.columns).add_column(0, _KEY, keys.cast(pa.string()))
        digest = hashlib.sha256("\n".join(keys.to_pylist()).encode("utf-8", "replace"))
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{digest.hexdigest()[:24]}.parquet"
        with writing_whole(path) as file:
            pq.write_table(table.cast(self.kept.schema), file, compression="zstd")
        return path

    def parts(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """What is kept, part by part, with the columns `key` and those of `kept`, or some of them.

        Parts of another version are not asked.

        Raises:
          CurationError: a part cannot be read.
        """
        names = columns or self.kept.schema.names
        schema = pa.schema([self.kept.schema.field(name) for name in names])
        for path in sorted(self.folder.glob("*.parquet")):
            try:
                table = pq.read_table(path, columns=list(names), partitioning=None)
            except (OSError, pa.ArrowException) as error:
                raise CurationError(
                    f"{path}: cannot be read: {error}; remove it, and it is made anew"
                ) from error
            if self._is_ours(table):
                yield table.cast(schema)

    def load(self, columns: Sequence[str] | None = None) -> pa.Table:
        """All parts together, see `parts`."""
        names = columns or self.kept.schema.names
        empty = pa.schema([self.kept.schema.field(name) for name in names]).empty_table()
        return pa.concat_tables([empty, *self.parts(columns)])

    def _is_ours(self, table: pa.Table) -> bool:
        found: bytes | None = (table.schema.metadata or {}).get(b"hash_version")
        return found == self.kept.version.encode()

    @staticmethod
    def places(kept: pa.Table, keys: pa.ChunkedArray) -> pa.Array:
        """Rows of what is kept, by key; null where there is none."""
        return pc.index_in(keys, value_set=kept["key"].combine_chunks())
