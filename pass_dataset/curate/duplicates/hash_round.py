"""A round of hashing: what was missing when it began, cut into shards, and what is done of it.

ROUND/
  todo.parquet              the images that are missing, a row group a shard
  todo.json                 their collections; written last, so the list is whole
  done/, failed/, crashes/  see `pass_dataset.executors.shard_folder`

What is found lies in the store, which the rounds are in, and a round is removed when it is over.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pass_dataset.curate.duplicates.hash_store import HASHES, HashStore, Kept
from pass_dataset.curate.duplicates.listing import ITEMS, Listing
from pass_dataset.errors import RunError
from pass_dataset.executors.shard_folder import DoneShard, ShardFolder, written_whole
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.runs.settings import RunSettings
from pass_dataset.passify.sources.opening import SourceSettings

__all__ = ["Collection", "HashRound"]

#: Of the list: the number of an image's collection, and where it is there.
_TODO = pa.schema([pa.field("source", pa.int32(), nullable=False), *ITEMS])


@dataclass(frozen=True)
class Collection:
    """What a worker process has to know of a collection.

    Attributes:
      settings: of its source, with the kind told.
      files: states of files that images were listed from.
    """

    settings: SourceSettings
    files: dict[str, FileVersion]


class HashRound(ShardFolder[DoneShard]):
    """Names of files, and what is in the small ones."""

    def __init__(self, path: str | os.PathLike[str], kept: Kept = HASHES) -> None:
        super().__init__(path)
        self._kept = kept

    @property
    def store(self) -> HashStore:
        """Where what is found goes; the round lies in it, see `of`."""
        return HashStore(self.path.parent.parent, self._kept)

    @classmethod
    def of(cls, store: HashStore, digest: str) -> HashRound:
        """The round of a digest of what is asked."""
        return cls(store.folder / "rounds" / digest, store.kept)

    @property
    def _todo_path(self) -> Path:
        return self.path / "todo.parquet"

    @property
    def _sources_path(self) -> Path:
        return self.path / "todo.json"

    def marker(self, content: Mapping[str, Any]) -> DoneShard:
        return DoneShard(**content)

    @property
    def is_begun(self) -> bool:
        """Whether there is a list."""
        return self._sources_path.is_file()

    def begin(self, listings: Sequence[Listing], missing: pa.Table, shard_size: int) -> None:
        """Writes the list.

        Args:
          listings: the collections.
          missing: what is to be hashed: the number of the collection as ``source``, and `ITEMS`.
          shard_size: images of a shard.
        """
        with written_whole(self._todo_path) as file:
            pq.write_table(missing.cast(_TODO), file, row_group_size=shard_size, compression="zstd")
        sources = [
            {
                "settings": RunSettings(listing.settings, ()).to_json(),
                "files": {name: list(state) for name, state in listing.files.items()},
            }
            for listing in listings
        ]
        save_json(self._sources_path, {"sources": sources})

    @functools.cached_property
    def collections(self) -> list[Collection]:
        """The collections, in order.

        Raises:
          RunError: they cannot be read.
        """
        try:
            return [
                Collection(
                    RunSettings.from_json(source["settings"]).source,
                    {name: FileVersion(*state) for name, state in source["files"].items()},
                )
                for source in load_json(self._sources_path)["sources"]
            ]
        except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._unreadable(self._sources_path, error) from error

    def sizes(self) -> list[int]:
        """Images in each shard.

        Raises:
          RunError: the list cannot be read.
        """
        metadata = self._todo().metadata
        return [metadata.row_group(shard).num_rows for shard in range(metadata.num_row_groups)]

    def images(self, shards: Sequence[int]) -> int:
        """Images in some shards; see `sizes`."""
        sizes = self.sizes()
        return sum(sizes[shard] for shard in shards)

    def items(self, shard: int | None = None) -> pa.Table:
        """The images of a shard, or all, as `begin` was given them.

        Raises:
          RunError: the list cannot be read.
        """
        try:
            todo = self._todo()
            return todo.read() if shard is None else todo.read_row_group(shard, use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise self._unreadable(self._todo_path, error) from error

    def keys(self, items: pa.Table) -> pa.ChunkedArray:
        """What the store knows images of the list by."""
        paths = pa.array([one.settings.path for one in self.collections])
        return self.store.keys(paths.take(items["source"].combine_chunks()), items)

    def finish(self, shard: int, items: pa.Table, made: pa.Table) -> DoneShard:
        """Puts what was made of a shard's images into the store; then the shard is done.

        Args:
          shard: its number.
          items: the images.
          made: a row for each of them.

        Returns:
          What the shard is marked with.
        """
        self.store.add(self.keys(items), made)
        marker = DoneShard(shard, made.num_rows, made.num_rows, time.time())
        self.mark_done(marker)
        return marker

    def undone(self) -> list[int]:
        """Shards of which fingerprints are not in the store; they are no longer marked as done."""
        found = self.store.places(self.store.load(["key"]), self.keys(self.items()))
        shards = np.repeat(np.arange(len(self.sizes())), self.sizes())
        undone: list[int] = np.unique(shards[np.asarray(pc.is_null(found))]).tolist()
        for shard in undone:
            self._marker_path(shard, None).unlink(missing_ok=True)
        return undone

    def _todo(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self._todo_path)
        except (OSError, pa.ArrowException) as error:
            raise self._unreadable(self._todo_path, error) from error

    def _unreadable(self, path: Path, error: Exception) -> RunError:
        return RunError(f"{path}: cannot be read ({error}); remove {self.path} and run again")
