"""A build of TFDS purged: TFRecord, ArrayRecord and TFDS's own Parquet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pass_dataset.builds.catalogue import INFO_NAME
from pass_dataset.builds.purging.purging import Affected, Purgeable, Rewritten
from pass_dataset.builds.purging.receipt import PurgedFile
from pass_dataset.builds.stored_build import Damage
from pass_dataset.errors import UnreadableBuildError
from pass_dataset.files.whole import write_whole
from pass_dataset.progress import Progress
from pass_dataset.tfds.frames import FORMATS
from pass_dataset.tfds.stored_records import stored_hash
from pass_dataset.tfds.stored_shards import read_shard
from pass_dataset.workers.threads import in_threads

__all__ = ["PurgeableTfds"]

#: ``pass-train.tfrecord-00003-of-01024``: split, format, number of the shard.
_SHARD = re.compile(r".+-(?P<split>[^-.]+)\.(?P<format>[a-z_]+)-(?P<number>\d+)-of-\d+")


class PurgeableTfds(Purgeable):
    """A finished build of TFDS. All of it is read to find the images: nothing says where they are.

    In TFRecord files the records that stay keep their bytes and frames.
    """

    def affected(self, hashes: frozenset[str], progress: Progress) -> list[Affected]:
        info = self._info()
        file_format = str(info["fileFormat"])
        if file_format not in FORMATS:
            raise UnreadableBuildError(
                f"{self.folder}: files of format {file_format!r} are not written anew; delete the "
                "folder and build it again: its images are left out then"
            )
        paths = self.data_files()
        task = progress.task("Reading the build", len(paths), "files")

        def find(number: int) -> tuple[str, ...]:
            found = (image for image, _ in _records(paths[number], file_format))
            images = tuple(image for image in found if image in hashes)
            task.advance(1)
            return images

        found = in_threads(find, range(len(paths)))
        files = [
            Affected(path.name, images) for path, images in zip(paths, found, strict=True) if images
        ]
        task.finish()
        return files

    def data_files(self) -> list[Path]:
        return [path for path in sorted(self.folder.iterdir()) if _SHARD.fullmatch(path.name)]

    def images(self, name: str, path: Path, hashes: frozenset[str]) -> list[str]:
        return [image for image, _ in _records(path, str(self._info()["fileFormat"]))]

    def rewrite(self, file: Affected, target: Path, progress: Progress) -> Rewritten:
        path = self.folder / file.name
        file_format = str(self._info()["fileFormat"])
        images = size_bytes = 0
        with FORMATS[file_format](target) as copy:
            for image, data in _records(path, file_format):
                if image in file.hashes:
                    images += 1
                    size_bytes += len(data)
                else:
                    copy.add(b"", data)
        return Rewritten(images, size_bytes)

    def describe(self, file: PurgedFile) -> None:
        # In TFDS's own form, numbers as text; what else stands there stays.
        info = self._info()
        match = _SHARD.fullmatch(file.name)
        assert match is not None
        split = next(one for one in info["splits"] if one["name"] == match["split"])
        lengths, number = split["shardLengths"], int(match["number"])
        left = sum(1 for _ in _records(self.folder / file.name, str(info["fileFormat"])))
        if int(lengths[number]) == left:
            return
        lengths[number] = str(left)
        split["numBytes"] = str(int(split["numBytes"]) - file.example_bytes)
        text = json.dumps(info, indent=2, ensure_ascii=False)
        write_whole(self.folder / INFO_NAME, text.encode())

    def _info(self) -> dict[str, Any]:
        path = self.folder / INFO_NAME
        try:
            info: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            info.setdefault("fileFormat", "tfrecord")
        except (OSError, ValueError, AttributeError) as error:
            raise UnreadableBuildError(f"{path}: cannot be read: {error}") from error
        return info


def _records(path: Path, file_format: str) -> Iterator[tuple[str, bytes]]:
    """Hash and bytes of each record.

    Raises:
      UnreadableBuildError: one is damaged.
    """
    for number, data in enumerate(read_shard(path, file_format)):
        image = None if isinstance(data, Damage) else stored_hash(data)
        if isinstance(data, Damage) or image is None:
            detail = data.detail if isinstance(data, Damage) else "no example of this dataset"
            raise UnreadableBuildError(
                f"{path}: record {number}: {detail}. Delete the folder and build it again: the "
                "images on the list are left out then."
            )
        yield image, data
