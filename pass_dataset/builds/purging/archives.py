"""An archive folder purged: its tars and its metadata, and what says how they are to be.

``pass_purged.tsv`` is the checksum file of the folder from then on: every reader, and
`pass-dataset verify`, take the folder for the release that it names, purged of so many images.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.metadata import read_metadata
from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.tars import image_hash, list_tar
from pass_dataset.builds.purging.purging import Affected, Purgeable, Rewritten
from pass_dataset.builds.purging.receipt import PurgedFile, PurgeReceipt
from pass_dataset.builds.purging.tars import rewrite_tar
from pass_dataset.errors import ArchiveError, MetadataError
from pass_dataset.files import write_whole
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.receipt import Receipt
from pass_dataset.folders.state import INDEX_NAME, PURGED_NAME
from pass_dataset.progress import Progress
from pass_dataset.releases.release import Release, ReleaseFile, format_release

__all__ = ["PurgeableArchives"]


class PurgeableArchives(Purgeable):
    """An archive folder."""

    def __init__(self, archives: ArchiveFolder) -> None:
        """A folder with tars and metadata."""
        super().__init__(archives.path)
        self._opened = archives

    @property
    def archives(self) -> ArchiveFolder:
        """The folder as far as it is purged."""
        return self._opened.renewed()

    @property
    def release(self) -> Release:
        """What the folder holds, as far as it is purged."""
        return self.archives.release

    def prepare(self) -> None:
        # From now on this says what the folder holds, as sizes tell no more.
        if not (self.folder / PURGED_NAME).exists():
            self._save(self.release)

    def _save(self, release: Release) -> None:
        write_whole(self.folder / PURGED_NAME, format_release(release).encode())

    def affected(self, hashes: frozenset[str], progress: Progress) -> list[Affected]:
        release = self.release
        # Not saved: the folder is held, and what is made here is old when the purge ends.
        archive = PassArchive(self.archives, save_index=False, progress=progress).with_removed()
        listed = pa.array(sorted(hashes), pa.string())
        tars = archive.summary.tars
        rows = archive.keeping(listed).columns(["hash", "tar"]).to_pylist()
        found: dict[str, list[str]] = {}
        for row in rows:
            found.setdefault(tars[row["tar"]], []).append(row["hash"])
        files = [Affected(name, tuple(images)) for name, images in found.items()]
        # A row whose image is in a tar that is not here stays: a tar must fit its metadata.
        is_complete = len(tars) == len(release.tars)
        gone = hashes if is_complete else self._purged() | {row["hash"] for row in rows}
        known = read_metadata(self.archives.metadata)["hash"]
        its_rows = known.filter(pc.is_in(known, value_set=pa.array(sorted(gone), pa.string())))
        if len(its_rows):
            # Last: an image without a row would be refused, a row without an image is not.
            files.append(Affected(release.metadata.filename, tuple(its_rows.to_pylist())))
        return files

    def _purged(self) -> frozenset[str]:
        purges = PurgeReceipt.load(self.folder).purges
        return frozenset(
            one for purge in purges for file in purge.files if file.images for one in file.hashes
        )

    def rewrite(self, file: Affected, target: Path, progress: Progress) -> Rewritten:
        path = self.folder / file.name
        hashes = frozenset(file.hashes)
        task = progress.task(file.name, path.stat().st_size, "bytes")
        try:
            if file.name == self.release.metadata.filename:
                _rewrite_csv(path, target, hashes)
                return Rewritten(0)
            images = rewrite_tar(
                path, target, lambda member: image_hash(member) in hashes, task.advance
            )
        finally:
            task.finish()
        left, before = list_tar(target), list_tar(path)
        if (len(left), left.num_others) != (len(before) - images, before.num_others):
            raise ArchiveError(
                f"{path}: expected {len(before) - images:,} images to be left, found "
                f"{len(left):,}; the tar is left as it is"
            )
        return Rewritten(images)

    def describe(self, file: PurgedFile) -> None:
        now = ReleaseFile(file.name, file.new_size_bytes, file.new_sha256)
        release = self.release.with_purged(now, file.images)
        self._save(release)
        receipt = Receipt.load(self.folder)
        receipt.release = release
        receipt.record(now)
        receipt.save()

    def known_sha256(self, name: str) -> str | None:
        return self._file(name).sha256

    def is_on_record(self, name: str) -> bool:
        return Receipt.load(self.folder).stands(self._file(name))

    def _file(self, name: str) -> ReleaseFile:
        return next(file for file in self.release.files if file.filename == name)

    def finish(self) -> list[str]:
        # It has the metadata of what is gone.
        self._opened.state_path(INDEX_NAME).unlink(missing_ok=True)
        return []


def _rewrite_csv(path: Path, target: Path, hashes: frozenset[str]) -> None:
    """Copies a metadata CSV without the rows of some images, all other lines as they are."""
    with path.open("rb") as source, target.open("wb") as copy:
        header = source.readline()
        names = _fields(path, header.removeprefix(b"\xef\xbb\xbf"))
        column = names.index("hash")
        copy.write(header)
        for line in source:
            fields = _fields(path, line)
            if len(fields) <= column or fields[column] not in hashes:
                copy.write(line)


def _fields(path: Path, line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode()]), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise MetadataError(f"{path}: cannot be read as a metadata CSV: {error}") from error
