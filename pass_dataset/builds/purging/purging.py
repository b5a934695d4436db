"""One folder purged: file after file, each whole before it takes its name, continued if cut."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.archives.removals import RemovalList, note_removals, removals_for
from pass_dataset.builds.purging.receipt import PurgedFile, PurgeReceipt
from pass_dataset.errors import DiskSpaceError, FolderError, VerificationError
from pass_dataset.files.hashing import file_sha256
from pass_dataset.files.parts import PART_SUFFIX, sweep_parts
from pass_dataset.files.whole import create_new, rename_lasting, sync_file
from pass_dataset.folders.lock import hold
from pass_dataset.folders.state import REMOVALS_NAME
from pass_dataset.progress import Progress, Silent

__all__ = ["Affected", "PurgeReport", "Purgeable", "Rewritten", "purge"]

logger = logging.getLogger(__name__)

_PART_SUFFIX = f".purge{PART_SUFFIX}"


@dataclass(frozen=True)
class Affected:
    """A file that has images to be deleted.

    Attributes:
      name: in the folder.
      hashes: of these images; for a metadata file, of its rows.
    """

    name: str
    hashes: tuple[str, ...]


@dataclass(frozen=True)
class Rewritten:
    """What went when a file was written anew.

    Attributes:
      images: number of images; rows of metadata do not count.
      example_bytes: bytes of these as the folder's description counts them.
    """

    images: int
    example_bytes: int = 0


class Purgeable(ABC):
    """A folder that images can be deleted from; `purge` does it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:  # noqa: B027  (most have nothing to do)
        """Called before the first file gets its name."""

    @abstractmethod
    def affected(self, hashes: frozenset[str], progress: Progress) -> list[Affected]:
        """The files that have any of these images, in the order in which they are to be purged.

        Raises:
          PassDatasetError: the folder cannot be read, or cannot be purged in this way.
        """

    @abstractmethod
    def rewrite(self, file: Affected, target: Path, progress: Progress) -> Rewritten:
        """Writes the file without its images.

        Args:
          file: which.
          target: where to write.
          progress: where it is shown.
        """

    @abstractmethod
    def data_files(self) -> list[Path]:
        """The files that `affected` looks into, whether they have any of the images or not."""

    @abstractmethod
    def images(self, name: str, path: Path, hashes: frozenset[str]) -> list[str]:
        """Which images a file has, in its order; what it tells of one counts as the image.

        Args:
          name: of the file in the folder.
          path: where it is read: there, or where it was written anew.
          hashes: those that go. What is written in another way than on lists is given as there.
        """

    @abstractmethod
    def describe(self, file: PurgedFile) -> None:
        """Has the folder's description say what the file is now; if it does already, nothing."""

    def known_sha256(self, name: str) -> str | None:
        """What the file must hash to; None where nothing says so."""
        return None

    def is_on_record(self, name: str) -> bool:
        """True if the file was hashed before and not touched since."""
        return False

    def finish(self) -> list[str]:
        """Makes anew, or deletes, what was made of the files; names of what it deleted."""
        return []


@dataclass(frozen=True)
class PurgeReport:
    """What a purge did, or would do.

    Attributes:
      folder: where.
      files: files written anew, with the images each had.
      hashes: different images that were deleted.
      absent: number of hashes on the lists that the folder has no image of.
      receipt: path of the receipt; None if nothing was written.
      deleted: other files that were deleted.
    """

    folder: Path
    files: tuple[Affected, ...]
    hashes: frozenset[str]
    absent: int
    receipt: Path | None = None
    deleted: tuple[str, ...] = ()


def purge(
    target: Purgeable,
    removals: RemovalList | None = None,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> PurgeReport:
    """Deletes the images on removal lists from a folder.

    The lists are those of the folder and of the environment, and the one given, which is put on
    the folder's first.

    Args:
      target: the folder.
      removals: one more list.
      dry_run: only say which files would be written anew.
      progress: where progress is shown.

    Raises:
      FolderError: nothing says which images, or the folder cannot be written.
      DiskSpaceError: too little room for the largest file that is to be written anew.
      VerificationError: a file is not what it should be; what is wrong is not rewritten.
      PassDatasetError: the folder cannot be read.
    """
    shown = progress or Silent()
    folder = target.folder
    with _system_errors(folder):
        listed = removals_for(folder, given=removals)
        if not listed:
            raise FolderError(
                f"{folder}: no list says what to delete; give --list, or put one into "
                f"{folder / REMOVALS_NAME}"
            )
        if dry_run:
            return _report(folder, target.affected(listed.hashes, shown), listed)
        if not os.access(folder, os.W_OK):
            raise FolderError(f"{folder}: is read-only; its owner can purge it")
        with hold(folder):
            return _purge(target, listed, shown)


def _purge(target: Purgeable, listed: RemovalList, progress: Progress) -> PurgeReport:
    folder = target.folder
    note_removals(folder, listed.listed.to_pylist(), listed.sources)
    receipt = PurgeReceipt.load(folder)
    if receipt.purges and receipt.purges[-1].pending is not None:
        _commit(target, receipt)
    for left in folder.rglob(f"*{_PART_SUFFIX}"):
        left.unlink()
    for inside in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        sweep_parts(inside)
    files = target.affected(listed.hashes, progress)
    unfinished = bool(receipt.purges) and receipt.purges[-1].finished is None
    if not files and not unfinished:
        return _report(folder, [], listed)
    _check(folder, files)
    current = receipt.begin(listed.sources)
    receipt.save()
    target.prepare()
    for file in files:
        current.pending = _written(target, file, progress)
        receipt.save()
        _commit(target, receipt)
    deleted = target.finish()
    receipt.end(current)
    done = [Affected(file.name, file.hashes) for file in current.files]
    return _report(folder, done, listed, receipt.path, deleted)


def _written(target: Purgeable, file: Affected, progress: Progress) -> PurgedFile:
    """The file written anew beside the old one."""
    path = target.folder / file.name
    part = _part(path)
    known = target.known_sha256(file.name)
    sha256 = known if known and target.is_on_record(file.name) else _hashed(path, progress)
    if known not in (None, sha256):
        raise VerificationError(
            f"{path}: is not what it should be (SHA-256 {sha256}, expected {known}), and is left "
            "as it is. Fetch it again, then purge."
        )
    try:
        create_new(part)
        went = target.rewrite(file, part, progress)
        gone = _gone(target, file, part)
        sync_file(part)
        os.chmod(part, path.stat().st_mode & 0o7777)  # noqa: PTH101
        return PurgedFile(
            name=file.name,
            hashes=gone,
            images=went.images,
            example_bytes=went.example_bytes,
            old_size_bytes=path.stat().st_size,
            old_sha256=sha256,
            new_size_bytes=part.stat().st_size,
            new_sha256=_hashed(part, progress),
        )
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _gone(target: Purgeable, file: Affected, part: Path) -> tuple[str, ...]:
    """The images that a file written anew has no more, found by reading it and the old one.

    Raises:
      VerificationError: it has any of them still, or lacks another.
    """
    path, hashes = target.folder / file.name, frozenset(file.hashes)
    before = target.images(file.name, path, hashes)
    after = target.images(file.name, part, hashes)
    if after != [image for image in before if image not in hashes]:
        raise VerificationError(
            f"{path}: written anew without {len(hashes):,} images, it was found to have "
            f"{len(after):,} of {len(before):,}, and not those that are to stay; it is left as it "
            "is. Please report this."
        )
    return tuple(sorted(set(before) - set(after)))


def _commit(target: Purgeable, receipt: PurgeReceipt) -> None:
    """Gives the pending file its name, and has the description say so."""
    current = receipt.purges[-1]
    file = current.pending
    if file is None:
        return
    path = target.folder / file.name
    part = _part(path)
    # Without it the file has its name already: the receipt spoke of it when it was whole.
    if part.exists():
        rename_lasting(part, path)
    target.describe(file)
    current.files.append(file)
    current.pending = None
    receipt.save()


def _part(path: Path) -> Path:
    # Hidden: readers ask for shards by patterns such as data/train-*.
    return path.with_name(f".{path.name}{_PART_SUFFIX}")


def _hashed(path: Path, progress: Progress) -> str:
    task = progress.task(f"{path.name} (checking)", path.stat().st_size, "bytes")
    try:
        return file_sha256(path, task.advance)
    finally:
        task.finish()


def _check(folder: Path, files: Iterable[Affected]) -> None:
    """Refuses, before anything is written, what cannot end well or would delete nothing."""
    paths = [folder / file.name for file in files]
    for path in paths:
        if path.is_symlink():
            raise FolderError(
                f"{path}: is a link to {path.resolve()}; purge the folder that file lies in, or "
                "its bytes stay"
            )
        names = path.stat().st_nlink
        if names > 1:
            logger.warning(
                "%s: has %d other names (hard links); under these its images stay", path, names - 1
            )
    largest = max((path.stat().st_size for path in paths), default=0)
    free = shutil.disk_usage(folder).free
    if largest > free:
        raise DiskSpaceError(
            f"{folder}: files are written anew one by one, the largest of {largest:,} bytes, but "
            f"its disk has {free:,} bytes free: {largest - free:,} too few. Free some room."
        )


def _report(
    folder: Path,
    files: list[Affected],
    listed: RemovalList,
    receipt: Path | None = None,
    deleted: Iterable[str] = (),
) -> PurgeReport:
    found = frozenset(one for file in files for one in file.hashes)
    return PurgeReport(
        folder, tuple(files), found, len(listed.unmatched(found)), receipt, tuple(deleted)
    )


@contextlib.contextmanager
def _system_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FolderError(
            f"{folder}: cannot be purged: {error}. What was done is kept; the same command "
            "continues."
        ) from error
