"""A WebDataset export purged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from pass_dataset.archives.tars import Member, image_hash, read_members
from pass_dataset.builds.purging.purging import Affected, Purgeable, Rewritten
from pass_dataset.builds.purging.receipt import PurgedFile
from pass_dataset.builds.purging.tars import image_of, rewrite_tar
from pass_dataset.progress import Progress
from pass_dataset.webdataset.keys import image_of_key, key_of
from pass_dataset.webdataset.manifest import WebDatasetExport

__all__ = ["PurgeableWebDataset"]


class PurgeableWebDataset(Purgeable):
    """A finished WebDataset export."""

    def affected(self, hashes: frozenset[str], progress: Progress) -> list[Affected]:
        export = WebDatasetExport.load(self.folder)
        files = []
        task = progress.task("Reading tar headers", len(export.shards), "files")
        for shard in export.shards:
            path = self.folder / shard.path
            names = (_image(key, hashes) for key in _keys(read_members(path)))
            images = tuple(name for name in names if name in hashes)
            if images:
                files.append(Affected(shard.path, images))
            task.advance(1)
        task.finish()
        return files

    def data_files(self) -> list[Path]:
        return [self.folder / shard.path for shard in WebDatasetExport.load(self.folder).shards]

    def images(self, name: str, path: Path, hashes: frozenset[str]) -> list[str]:
        members = list(read_members(path))
        found = map(_told_of(members, hashes), members)
        return [image for image in found if image is not None]

    def rewrite(self, file: Affected, target: Path, progress: Progress) -> Rewritten:
        path, hashes = self.folder / file.name, frozenset(file.hashes)
        image = _told_of(read_members(path), hashes)
        rewrite_tar(path, target, lambda member: image(member) in hashes)
        return Rewritten(len(file.hashes))

    def describe(self, file: PurgedFile) -> None:
        before = WebDatasetExport.load(self.folder)
        after = before.with_purged(file.name, file.new_size_bytes, file.images)
        if after is not before:
            after.save(self.folder)


def _told_of(members: Iterable[Member], hashes: frozenset[str]) -> Callable[[Member], str | None]:
    """What tells the image that a file of an example belongs to; None of what belongs to none.

    The files of an example stand together, and the one that is an image says which it is.
    """
    known = {*_keys(members), *hashes, *map(key_of, hashes)}

    def image(member: Member) -> str | None:
        key = image_of(member, known.__contains__)
        return None if key is None else _image(key, hashes)

    return image


def _keys(members: Iterable[Member]) -> list[str]:
    found = map(image_hash, members)
    return [key for key in found if key is not None]


def _image(key: str, hashes: frozenset[str]) -> str:
    """The image that a key is of."""
    # Versions before 0.10 wrote the name as it is.
    return key if key in hashes else image_of_key(key)
