"""The same shards, written on Apache Beam: for building on more than one machine.

Each worker opens the archive folder, which must be on a path that all of them see, works out the
same order from the hashes, and writes the shards it is given with the code of the local build. The
files are those of the local build to the byte, on any runner.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
from etils import epath

from pass_dataset.archives.records import PassArchive
from pass_dataset.builds.writing.layout import Layout, lay_out, shuffled_records
from pass_dataset.builds.writing.shard_files import write_shard
from pass_dataset.tfds.shard_format import TfdsFormat

__all__ = ["ShardWriter", "write_on_beam"]


class ShardWriter(beam.DoFn):
    """Takes numbers of shards, writes them, and gives the numbers on."""

    def __init__(
        self,
        archive: PassArchive,
        split: str,
        limit: int | None,
        paths: tuple[str, ...],
        shard_format: TfdsFormat,
    ) -> None:
        """A writer of shards.

        Args:
          archive: the records; pickled, it opens its folder again where it runs.
          split: name of the split.
          limit: only the first records, so many; None for all.
          paths: of all shards; a path with a scheme (``gs://…``) is written through `epath`.
          shard_format: how shards are written.
        """
        self._archive = archive
        self._split = split
        self._limit = limit
        self._paths = paths
        self._format = shard_format
        self._layout: Layout | None = None

    def process(self, number: int) -> Iterator[int]:
        layout = self._shared_layout()
        records = layout.shard(number)
        path = self._paths[number]
        tars = self._archive.open_tars()
        try:
            if "://" not in path:
                write_shard(records, tars, Path(path), self._format, _unseen)
            else:
                with tempfile.TemporaryDirectory() as folder:
                    local = Path(folder) / path.rpartition("/")[2]
                    write_shard(records, tars, local, self._format, _unseen)
                    with local.open("rb") as source, epath.Path(path).open("wb") as target:
                        shutil.copyfileobj(source, target, 8 << 20)
        finally:
            tars.close()
        yield number

    def _shared_layout(self) -> Layout:
        # Not in `setup`: many runners set up more copies than they use.
        if self._layout is None:
            records = shuffled_records(self._archive, self._split, self._format, self._limit)
            self._layout = lay_out(records, len(self._paths))
        return self._layout


def _unseen(size_bytes: int) -> None:
    """Progress is the runner's to show."""


def write_on_beam(pipeline: Any, writer: ShardWriter, num_shards: int) -> None:
    """Adds the writing of all shards to a pipeline."""
    _ = (
        pipeline
        | "Shards" >> beam.Create(range(num_shards))
        # Without it a runner may fuse the steps and do all on one worker.
        | "Share out" >> beam.Reshuffle()
        | "Write" >> beam.ParDo(writer)
    )
