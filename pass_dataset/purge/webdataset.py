"""A WebDataset export purged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pass_dataset.exports.record import ExportShard
from pass_dataset.progress import Progress
from pass_dataset.purge.purging import Affected, Purgeable, Rewritten
from pass_dataset.purge.receipt import PurgedFile
from pass_dataset.purge.tars import rewrite_tar
from pass_dataset.tars import Member, image_hash, read_members
from pass_dataset.webdataset.export import WebDatasetExport

__all__ = ["PurgeableWebDataset"]


class PurgeableWebDataset(Purgeable):
    """A finished WebDataset export."""

    def affected(self, hashes: frozenset[str], progress: Progress) -> list[Affected]:
        export = WebDatasetExport.load(self.folder)
        files = []
        task = progress.task("Reading tar headers", len(export.shards), "files")
        for shard in export.shards:
            names = (image_hash(member) for member in read_members(self.folder / shard.path))
            images = tuple(name for name in names if name in hashes)
            if images:
                files.append(Affected(shard.path, images))
            task.advance(1)
        task.finish()
        return files

    def rewrite(self, file: Affected, target: Path, progress: Progress) -> Rewritten:
        hashes = frozenset(file.hashes)
        rewrite_tar(self.folder / file.name, target, lambda member: _key(member) in hashes)
        return Rewritten(len(file.hashes))

    def describe(self, file: PurgedFile) -> None:
        before = WebDatasetExport.load(self.folder)
        old = next(shard for shard in before.shards if shard.path == file.name)
        if old.size_bytes == file.new_size_bytes:
            return
        new = ExportShard(file.name, old.num_examples - file.images, file.new_size_bytes)
        after = replace(
            before,
            shards=tuple(new if shard is old else shard for shard in before.shards),
            removed=before.removed + file.images,
        )
        after.save(self.folder)


def _key(member: Member) -> str:
    """What the files of an example share."""
    return member.name.rpartition("/")[2].partition(".")[0]
