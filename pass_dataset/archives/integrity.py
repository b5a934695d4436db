"""Is an archive folder whole? Every file of the release, by size and SHA-256."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pass_dataset.errors import FolderError
from pass_dataset.files.parts import part_path
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.file_mark import FileMark, hash_at_rest
from pass_dataset.folders.lock import hold
from pass_dataset.folders.receipt import Receipt
from pass_dataset.folders.state import PAPER_NAMES, STATE_NAMES
from pass_dataset.progress import Progress, Silent
from pass_dataset.releases.release import Release, ReleaseFile

__all__ = ["FileState", "FileVerdict", "Verification", "verify"]

logger = logging.getLogger(__name__)

#: Two streams keep a disk busy; more make a spinning one slower.
_HASHING_THREADS = 2


class FileState(str, Enum):
    """What was found of a file."""

    WHOLE = "whole"
    MISSING = "missing"
    PARTIAL = "partial"  # only the part file of an interrupted download
    SHORT = "short"
    LONG = "long"
    CORRUPT = "corrupt"
    UNREADABLE = "unreadable"
    UNCHECKED = "unchecked"  # the size is right, the bytes were not hashed
    CHANGED = "changed"  # somebody wrote it, or replaced it, while it was hashed


@dataclass(frozen=True)
class FileVerdict:
    """One file: what was expected and what was found.

    Attributes:
      filename: name in the folder.
      state: the verdict.
      expected_bytes, found_bytes: sizes; found is None where there is no file.
      expected_sha256, found_sha256: found is None where it was not hashed.
    """

    filename: str
    state: FileState
    expected_bytes: int
    found_bytes: int | None
    expected_sha256: str
    found_sha256: str | None = None

    def __str__(self) -> str:
        text = f"{self.filename}: {self.state.value}"
        if self.state in (FileState.SHORT, FileState.LONG, FileState.PARTIAL):
            text += f" ({self.found_bytes:,} bytes, expected {self.expected_bytes:,})"
        elif self.state is FileState.CORRUPT:
            text += f" (SHA-256 {self.found_sha256}, expected {self.expected_sha256})"
        elif self.state is FileState.UNCHECKED:
            text += " (size is right; not hashed since it was made, changed or copied: run verify "
            text += "without --quick)"
        elif self.state is FileState.CHANGED:
            text += " (it was written while it was hashed; wait for it to end, and verify again)"
        return text


@dataclass(frozen=True)
class Verification:
    """What was found of a whole folder.

    Attributes:
      folder: archive folder.
      release: what it was compared with.
      files: a verdict for each file asked about.
      unknown: names in the folder that belong neither to the release nor to this package.
    """

    folder: Path
    release: Release
    files: tuple[FileVerdict, ...]
    unknown: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """True if every file asked about is there and right; unknown files do no harm."""
        return all(verdict.state is FileState.WHOLE for verdict in self.files)


def verify(
    folder: str | os.PathLike[str] | ArchiveFolder,
    release: str | os.PathLike[str] | Release | None = None,
    *,
    parts: str | Sequence[int] | None = None,
    quick: bool = False,
    progress: Progress | None = None,
) -> Verification:
    """Compares an archive folder with its release, and keeps the receipt up to date.

    Args:
      folder: archive folder, or one that has it as a sub-folder named like the release; or one
        that is open already.
      release: version, checksum file or Release; None to tell it from the folder.
      parts: numbers of the tars asked about (with the metadata), or text such as ``0,3-5``; None
        for all.
      quick: trust the receipt for files that were not touched since they were put on it, and hash
        nothing. Without it every file is hashed.
      progress: where progress is shown.

    Raises:
      FolderError: no such folder, or it cannot be told which release it holds.
      ReleaseError: no such release or part.
    """
    archives = ArchiveFolder.open(folder, release, parts)
    path, found = archives.path, archives.release
    if quick:
        receipt = archives.receipt
        verdicts = tuple(_quick_verdict(path, file, receipt) for file in archives.files)
    else:
        keep = _ReceiptKeeper(path, found).keep
        verdicts = _hash_all(path, archives.files, progress or Silent(), keep)
    return Verification(path, found, verdicts, _unknown_names(path, found))


def _quick_verdict(folder: Path, file: ReleaseFile, receipt: Receipt) -> FileVerdict:
    verdict = _by_size(folder, file)
    if verdict.state is FileState.UNCHECKED and receipt.is_untouched(file):
        return _stated(file, FileState.WHOLE, file.size_bytes, file.sha256)
    return verdict


class _Stopped(Exception):
    """The verification was interrupted while a file was being hashed."""


def _hash_all(
    folder: Path,
    files: Sequence[ReleaseFile],
    progress: Progress,
    keep: Callable[[ReleaseFile, FileVerdict, FileMark | None], None],
) -> tuple[FileVerdict, ...]:
    stop = threading.Event()

    def checked(file: ReleaseFile) -> FileVerdict:
        verdict, hashed = _full_verdict(folder, file, progress, stop)
        # At once: an interruption after 170 of 180 GB loses nothing.
        keep(file, verdict, hashed)
        return verdict

    with ThreadPoolExecutor(_HASHING_THREADS) as pool:
        try:
            return tuple(pool.map(checked, files))
        except BaseException:
            stop.set()  # else Ctrl-C would wait until 18 GB are hashed
            raise


def _full_verdict(
    folder: Path, file: ReleaseFile, progress: Progress, stop: threading.Event
) -> tuple[FileVerdict, FileMark | None]:
    """What a file is, and the file that was hashed if it is whole."""
    verdict = _by_size(folder, file)
    if verdict.state is not FileState.UNCHECKED:
        return verdict, None
    task = progress.task(file.filename, file.size_bytes, "bytes")

    def advance(amount: int) -> None:
        if stop.is_set():
            raise _Stopped
        task.advance(amount)

    try:
        sha256, hashed = hash_at_rest(folder / file.filename, advance)
    except OSError:
        return _stated(file, FileState.UNREADABLE, file.size_bytes), None
    finally:
        task.finish()
    if hashed is None:
        return _stated(file, FileState.CHANGED, file.size_bytes, sha256), None
    state = FileState.WHOLE if sha256 == file.sha256 else FileState.CORRUPT
    return _stated(file, state, file.size_bytes, sha256), hashed


def _by_size(folder: Path, file: ReleaseFile) -> FileVerdict:
    path = folder / file.filename
    try:
        size = path.stat().st_size
    except OSError:
        part = part_path(path)
        if part.exists():
            return _stated(file, FileState.PARTIAL, part.stat().st_size)
        return _stated(file, FileState.MISSING, None)
    if size == file.size_bytes:
        return _stated(file, FileState.UNCHECKED, size)
    return _stated(file, FileState.SHORT if size < file.size_bytes else FileState.LONG, size)


def _stated(
    file: ReleaseFile, state: FileState, found_bytes: int | None, sha256: str | None = None
) -> FileVerdict:
    return FileVerdict(
        file.filename, state, file.size_bytes, found_bytes, file.sha256, found_sha256=sha256
    )


class _ReceiptKeeper:
    """Puts on record what was found, file by file."""

    def __init__(self, folder: Path, release: Release) -> None:
        self._folder = folder
        self._release = release
        self._lock = threading.Lock()
        self._is_told = False

    def keep(self, file: ReleaseFile, verdict: FileVerdict, hashed: FileMark | None) -> None:
        """Records a file that is whole, and strikes one that is not.

        Args:
          file: which.
          verdict: what was found of it.
          hashed: the file that was hashed.
        """
        try:
            # Two threads of one process would else wait for each other as processes do.
            with self._lock, hold(self._folder):
                receipt = Receipt.load(self._folder)
                if verdict.state is FileState.WHOLE:
                    receipt.release = self._release
                    receipt.record(file, hashed)
                elif receipt.claims(file):
                    # A file that is another release's, and right as that, stays on record.
                    receipt.strike(file.filename)
                else:
                    return
                receipt.save()
        except (OSError, FolderError) as error:
            with self._lock:
                is_told, self._is_told = self._is_told, True
            if not is_told:
                logger.warning(
                    "%s: what is found cannot be kept for the next time: %s", self._folder, error
                )


def _unknown_names(folder: Path, release: Release) -> tuple[str, ...]:
    known = {file.filename for file in release.files}
    known |= {part_path(folder / name).name for name in known} | STATE_NAMES | PAPER_NAMES
    # A collection's own checksum file lives with it.
    names = (path.name for path in folder.iterdir())
    return tuple(sorted(name for name in names if name not in known and name[-4:] != ".tsv"))
