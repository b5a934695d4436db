"""A Parquet export purged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pass_dataset.builds.purging.purging import Affected, Purgeable, Rewritten
from pass_dataset.builds.purging.receipt import PurgedFile
from pass_dataset.builds.purging.rows import parted
from pass_dataset.errors import UnreadableBuildError
from pass_dataset.files.whole import write_whole
from pass_dataset.parquet.card import card_after
from pass_dataset.parquet.manifest import CARD_NAME, Export
from pass_dataset.parquet.shard_format import example_bytes, image_writer
from pass_dataset.progress import Progress

__all__ = ["PurgeableParquet"]


class PurgeableParquet(Purgeable):
    """A finished Parquet export."""

    def affected(self, hashes: frozenset[str], progress: Progress) -> list[Affected]:
        export = Export.load(self.folder)
        listed = pa.array(sorted(hashes), pa.string())
        files = []
        task = progress.task("Reading hashes", len(export.shards), "files")
        for shard in export.shards:
            found = _hashes(self.folder / shard.path)
            images = found.filter(pc.is_in(found, value_set=listed)).to_pylist()
            if images:
                files.append(Affected(shard.path, tuple(images)))
            task.advance(1)
        task.finish()
        return files

    def data_files(self) -> list[Path]:
        return [self.folder / shard.path for shard in Export.load(self.folder).shards]

    def images(self, name: str, path: Path, hashes: frozenset[str]) -> list[str]:
        found: list[str] = _hashes(path).to_pylist()
        return found

    def rewrite(self, file: Affected, target: Path, progress: Progress) -> Rewritten:
        listed = pa.array(sorted(file.hashes), pa.string())
        images = size_bytes = 0
        with (
            pq.ParquetFile(self.folder / file.name, memory_map=True) as source,
            image_writer(target) as copy,
        ):
            for group in range(source.num_row_groups):
                records = source.read_row_group(group)
                left, removed = parted(records, listed)
                images += removed.num_rows
                size_bytes += example_bytes(removed)
                if left.num_rows:
                    copy.write_table(left, row_group_size=left.num_rows)
        return Rewritten(images, size_bytes)

    def describe(self, file: PurgedFile) -> None:
        before = Export.load(self.folder)
        after = before.with_purged(file.name, file.new_size_bytes, file.images)
        if after is before:
            return
        after = replace(after, num_bytes=before.num_bytes - file.example_bytes)
        card = self.folder / CARD_NAME
        text = card_after(card.read_text(encoding="utf-8"), before, after)
        write_whole(card, text.encode())
        after.save(self.folder)


def _hashes(path: Path) -> pa.ChunkedArray:
    try:
        return pq.read_table(path, columns=["hash"])["hash"]
    except (OSError, pa.ArrowException) as error:
        raise UnreadableBuildError(
            f"{path}: cannot be read: {error}. Build the export again."
        ) from error
