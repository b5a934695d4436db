"""A WebDataset export purged."""

from __future__ import annotations

from pathlib import Path

from pass_dataset.archives.tars import Member, image_hash, read_members
from pass_dataset.builds.purging.purging import Affected, Purgeable, Rewritten
from pass_dataset.builds.purging.receipt import PurgedFile
from pass_dataset.builds.purging.tars import rewrite_tar
from pass_dataset.progress import Progress
from pass_dataset.webdataset.keys import image_of_key
from pass_dataset.webdataset.manifest import WebDatasetExport

__all__ = ["PurgeableWebDataset"]


class PurgeableWebDataset(Purgeable):
    """A finished WebDataset export."""

    def affected(self, hashes: frozenset[str], progress: Progress) -> list[Affected]:
        export = WebDatasetExport.load(self.folder)
        files = []
        task = progress.task("Reading tar headers", len(export.shards), "files")
        for shard in export.shards:
            members = read_members(self.folder / shard.path)
            names = (_image(member, hashes) for member in members if image_hash(member))
            images = tuple(name for name in names if name in hashes)
            if images:
                files.append(Affected(shard.path, images))
            task.advance(1)
        task.finish()
        return files

    def rewrite(self, file: Affected, target: Path, progress: Progress) -> Rewritten:
        hashes = frozenset(file.hashes)
        rewrite_tar(
            self.folder / file.name, target, lambda member: _image(member, hashes) in hashes
        )
        return Rewritten(len(file.hashes))

    def describe(self, file: PurgedFile) -> None:
        before = WebDatasetExport.load(self.folder)
        after = before.with_purged(file.name, file.new_size_bytes, file.images)
        if after is not before:
            after.save(self.folder)


def _image(member: Member, hashes: frozenset[str]) -> str:
    """The image that a file of an example belongs to."""
    key = member.name.rpartition("/")[2].rpartition(".")[0]
    # Versions before 0.10 wrote the name as it is.
    return key if key in hashes else image_of_key(key)
