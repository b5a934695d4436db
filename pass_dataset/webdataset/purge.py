"""A WebDataset export purged."""

from __future__ import annotations

from pathlib import Path

from pass_dataset.archives.tars import Member, image_hash, read_members
from pass_dataset.builds.purging.purging import Affected, Purgeable, Rewritten
from pass_dataset.builds.purging.receipt import PurgedFile
from pass_dataset.builds.purging.tars import rewrite_tar
from pass_dataset.progress import Progress
from pass_dataset.webdataset.manifest import WebDatasetExport

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
        after = before.with_purged(file.name, file.new_size_bytes, file.images)
        if after is not before:
            after.save(self.folder)


def _key(member: Member) -> str:
    """What the files of an example share."""
    return member.name.rpartition("/")[2].partition(".")[0]
