"""An archive folder purged: its tars and its metadata, and what says how they are to be.

``pass_purged.tsv`` is the checksum file of the folder from then on: every reader, and
`pass-dataset verify`, take the folder for the release that it names, purged of so many images.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.hash_lists import AROUND_HASH
from pass_dataset.archives.metadata_rows import copy_rows, row_hashes
from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.tars import HARD_LINK, Member, image_hash, read_members
from pass_dataset.builds.purging.purging import Affected, Purgeable, Rewritten
from pass_dataset.builds.purging.receipt import PurgedFile, PurgeReceipt
from pass_dataset.builds.purging.tars import image_of, rewrite_tar
from pass_dataset.errors import ArchiveError
from pass_dataset.files.whole import write_whole
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.receipt import Receipt
from pass_dataset.folders.state import INDEX_NAME, PURGED_NAME, state_paths
from pass_dataset.progress import Progress
from pass_dataset.releases.release import Release, ReleaseFile, format_release, with_sum

__all__ = ["PurgeableArchives"]


class PurgeableArchives(Purgeable):
    """An archive folder."""

    def __init__(self, archives: ArchiveFolder) -> None:
        """A folder with tars and metadata."""
        super().__init__(archives.path)
        self._opened = archives
        #: Images that stay: what has their very name, and theirs alone, is theirs.
        self._staying: frozenset[str] = frozenset()

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
        write_whole(self.folder / PURGED_NAME, with_sum(format_release(release)).encode())

    def affected(self, hashes: frozenset[str], progress: Progress) -> list[Affected]:
        release = self.release
        # Not saved: the folder is held, and what is made here is old when the purge ends.
        archive = PassArchive(self.archives, save_index=False, progress=progress).with_removed()
        listed = pa.array(sorted(hashes), pa.string())
        self._staying = frozenset(archive.leaving_out(listed).columns(["hash"])["hash"].to_pylist())
        tars = archive.summary.tars
        rows = archive.keeping(listed).columns(["hash", "tar"]).to_pylist()
        found: dict[str, list[str]] = {name: [] for name in tars}
        for row in rows:
            found[tars[row["tar"]]].append(row["hash"])
        if archive.summary.others:
            # What is no image the index does not know, but it may be told of one.
            for name in tars:
                members = self._members(self.folder / name, hashes)
                found[name] = list(dict.fromkeys(one for one in members if one in hashes))
        files = [Affected(name, tuple(images)) for name, images in found.items() if images]
        # A row whose image is in a tar that is not here stays: a tar must fit its metadata.
        is_complete = len(tars) == len(release.tars)
        gone = hashes if is_complete else self._purged() | {row["hash"] for row in rows}
        metadata = release.metadata.filename
        told = self.images(metadata, self.archives.metadata, gone)
        its_rows = tuple(dict.fromkeys(image for image in told if image in gone))
        if its_rows:
            # Last: an image without a row would be refused, a row without an image is not.
            files.append(Affected(metadata, its_rows))
        return files

    def data_files(self) -> list[Path]:
        return [self.folder / file.filename for file in self.release.files]

    def images(self, name: str, path: Path, hashes: frozenset[str]) -> list[str]:
        if name == self.release.metadata.filename:
            return self._rows(path, hashes)
        return list(self._members(path, hashes))

    def _members(self, path: Path, hashes: frozenset[str]) -> Iterator[str]:
        """The image that each member of a tar is or is told of."""
        for member in read_members(path):
            found = self._image(member, hashes)
            if found is not None:
                yield found

    def _image(self, member: Member, hashes: frozenset[str]) -> str | None:
        return image_of(member, lambda name: name in hashes or name in self._staying)

    def _rows(self, path: Path, hashes: frozenset[str]) -> list[str]:
        """Of each row of the metadata the hash, as lists have it if it is to go."""
        written = row_hashes(path)
        names = _as_listed(written)
        gone = pa.array(sorted(hashes), pa.string())
        goes = pc.or_(
            pc.is_in(written, value_set=gone),
            pc.and_(
                pc.is_in(names, value_set=gone),
                pc.invert(pc.is_in(written, value_set=pa.array(self._staying, pa.string()))),
            ),
        )
        told: list[str] = pc.fill_null(pc.if_else(goes, names, written), "").to_pylist()
        return told

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
                rows = self._rows(path, hashes)
                copy_rows(path, target, np.array([row not in hashes for row in rows], np.bool_))
                return Rewritten(0)
            images = 0
            gone: set[str] = set()

            def is_removed(member: Member) -> bool:
                nonlocal images
                found = self._image(member, hashes)
                images += found in hashes and image_hash(member) is not None
                if found in hashes:
                    gone.add(member.name)
                elif member.kind == HARD_LINK and member.link in gone:
                    raise ArchiveError(
                        f"{path}: {member.name} is a hard link to {member.link}, which is to go, "
                        "and would lose its bytes. Put both on the list, or pack the tar anew "
                        "with --hard-dereference"
                    )
                return found in hashes

            rewrite_tar(path, target, is_removed, task.advance)
            return Rewritten(images)
        finally:
            task.finish()

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
        # It has the metadata of what is gone; that of a time when the folder was read-only, too.
        for path in state_paths(self.folder, INDEX_NAME):
            path.unlink()
        return []


def _as_listed(written: pa.ChunkedArray) -> pa.ChunkedArray:
    """Hashes as lists have them: without blanks, capitals, folders, ending and leading zeros."""
    names = pc.utf8_lower(pc.utf8_trim_whitespace(written))
    names = pc.replace_substring_regex(names, pattern=AROUND_HASH, replacement="")
    # A name may be of zeros only.
    short = pc.utf8_ltrim(names, characters="0")
    return pc.if_else(pc.equal(short, ""), names, short)
