"""A WebDataset export purged."""

from __future__ import annotations

from pathlib import Path

from pass_dataset.archives.tars import image_hash, read_members
from pass_dataset.builds.purging.purging import Affected, Purgeable, Rewritten
from pass_dataset.builds.purging.receipt import PurgedFile
from pass_dataset.builds.purging.tars import image_of, rewrite_tar
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

    def data_files(self) -> list[Path]:
        return [self.folder / shard.path for shard in WebDatasetExport.load(self.folder).shards]

    def images(self, name: str, path: Path, hashes: frozenset[str]) -> list[str]:
        # The files of an example stand together, and the one that is an image says which it is.
        known = _images(path) | hashes
        found = (image_of(member, known.__contains__) for member in read_members(path))
        return [image for image in found if image is not None]

    def rewrite(self, file: Affected, target: Path, progress: Progress) -> Rewritten:
        path, hashes = self.folder / file.name, frozenset(file.hashes)
        known = _images(path) | hashes
        rewrite_tar(path, target, lambda member: image_of(member, known.__contains__) in hashes)
        return Rewritten(len(file.hashes))

    def describe(self, file: PurgedFile) -> None:
        before = WebDatasetExport.load(self.folder)
        after = before.with_purged(file.name, file.new_size_bytes, file.images)
        if after is not before:
            after.save(self.folder)


def _images(path: Path) -> frozenset[str]:
    found = (image_hash(member) for member in read_members(path))
    return frozenset(image for image in found if image is not None)
