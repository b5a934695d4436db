"""The archive folder: found, and told which release it holds, once, at the door.

A reader, a build or a command opens an `ArchiveFolder` with what the user names, and hands it on;
nothing below asks again where the archives are, or of which release. So all that read a folder
come to the same answer, whatever gave it: the record of a purge, the receipt, the sizes of the
files, or a checksum file.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.errors import FolderError, ReleaseError
from pass_dataset.folders.receipt import Receipt
from pass_dataset.folders.state import PURGED_NAME, state_path
from pass_dataset.releases.release import (
    OFFICIAL_VERSIONS,
    Release,
    ReleaseFile,
    official_release,
    part_numbers,
    read_release,
    resolve_release,
)

__all__ = ["ARCHIVES_VARIABLE", "ArchiveFolder", "named_folder"]

#: Environment variable that names the archive folder for all readers.
ARCHIVES_VARIABLE = "PASS_ARCHIVES"


def named_folder(given: str | os.PathLike[str] | None = None) -> Path | None:
    """The folder that the user names: the one given, else that of ``PASS_ARCHIVES``, else none."""
    named = given or os.environ.get(ARCHIVES_VARIABLE)
    return Path(named).expanduser().absolute() if named else None


@dataclass(frozen=True)
class ArchiveFolder:
    """A folder with the files of a release. It holds no open file, and pickles.

    Attributes:
      path: absolute.
      release: what it holds, as it is kept there: purged of some images, or as it was published.
      parts: numbers of the tars that are meant, sorted; None for all that are there.
    """

    path: Path
    release: Release
    parts: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.parts is not None:
            object.__setattr__(self, "parts", tuple(sorted(set(self.parts))))
        self.release.select(self.parts)

    @classmethod
    def open(
        cls,
        given: str | os.PathLike[str] | ArchiveFolder | None = None,
        release: str | os.PathLike[str] | Release | None = None,
        parts: str | Iterable[int] | None = None,
        *,
        version: str | None = None,
    ) -> ArchiveFolder:
        """Opens a folder that is there.

        Args:
          given: the folder, or one that has a sub-folder named like the release; None for the one
            that ``PASS_ARCHIVES`` names. One that is open already is taken as it is.
          release: what it holds: version, checksum file or Release. None to be told by the record
            of a purge, the receipt, the sizes of the files, or a checksum file in the folder.
          parts: numbers of the tars that are meant, or text such as ``0,3-5``; None for all.
          version: where nothing is known of the release but its version, a sub-folder of that name
            is meant all the same.

        Raises:
          FolderError: there is no such folder, or it cannot be told what it holds.
          ReleaseError: `release` is neither a known version nor a readable checksum file, or has
            no such part; or the record of a purge cannot be read.
          TypeError: the folder is open already, and `release` or `parts` are given as well.
        """
        if isinstance(given, ArchiveFolder):
            if release is not None or parts is not None:
                raise TypeError(
                    "release, parts: are those of the archive folder that is open already"
                )
            return given
        root = named_folder(given)
        if root is None:
            raise FolderError(f"name the archive folder, or set {ARCHIVES_VARIABLE} to it")
        _require_readable(root)
        if release is None:
            path = root if version is None else _inside(root, version)
            _require_readable(path)
            return cls(path, _told_by(path), part_numbers(parts))
        found = cls.of(release, root, parts)
        _require_readable(found.path)
        return found

    @classmethod
    def of(
        cls,
        release: str | os.PathLike[str] | Release,
        given: str | os.PathLike[str] | None = None,
        parts: str | Iterable[int] | None = None,
        *,
        default: Path | None = None,
    ) -> ArchiveFolder:
        """The folder of a release; it need not be there, or whole, yet.

        Args:
          release: which: version, checksum file or Release.
          given: the user's folder: that of the release, or one that has a sub-folder named like
            its version, as one keeps several releases side by side. None for the one that
            ``PASS_ARCHIVES`` names.
          parts: numbers of the tars that are meant, or text such as ``0,3-5``; None for all.
          default: the folder if none is named.

        Raises:
          FolderError: no folder is named, and there is no default.
          ReleaseError: no such release or part; or the record of a purge cannot be read.
        """
        known = resolve_release(release)
        root = named_folder(given) or default
        if root is None:
            raise FolderError(f"name the archive folder, or set {ARCHIVES_VARIABLE} to it")
        return cls.at(_inside(root, known.version), known, parts)

    @classmethod
    def at(
        cls, path: Path, release: Release, parts: str | Iterable[int] | None = None
    ) -> ArchiveFolder:
        """This very folder, of a release that is known; it need not be there yet.

        Raises:
          ReleaseError: no such part; or the record of a purge cannot be read.
        """
        path = path.expanduser().absolute()
        purged = _purged(path)
        kept = purged if purged is not None and purged.is_of(release) else release
        return cls(path, kept, part_numbers(parts))

    @classmethod
    def own_release(cls, given: str | os.PathLike[str] | None = None) -> Release | None:
        """The release of the user's own that a folder tells of, where none was named.

        Args:
          given: the folder; None for the one that ``PASS_ARCHIVES`` names.

        Returns:
          The release as it was before any purge. None if there is no such folder, or it tells of
          none, or of a published release: of these the newest is meant, whatever is there.
        """
        root = named_folder(given)
        if root is None or not os.path.isdir(root):  # noqa: PTH112
            return None
        try:
            told = _told_by(root)
        except (FolderError, ReleaseError, OSError):
            return None
        return None if told.is_official else told.origin

    def require_own_files(self) -> None:
        """Refuses a folder that has files of another release under the names of this one.

        Raises:
          FolderError: with what it holds, as far as it tells.
        """
        other = [file.filename for file in self.absent if (self.path / file.filename).exists()]
        if not other:
            return
        try:
            holds = f"holds {_told_by(self.path).label}"
        except (FolderError, ReleaseError, OSError):
            holds = f"{', '.join(other[:3])}{' …' if other[3:] else ''} there has another size"
        raise FolderError(
            f"{self.path}: {holds}, and {self.release.label} is asked for. Name what is there with "
            "release= (a version, or the checksum file of a collection of your own), or name "
            "another folder"
        )

    def renewed(self) -> ArchiveFolder:
        """The same folder as it is kept now, after a purge.

        Raises:
          ReleaseError: the record of the purge cannot be read.
        """
        return self.at(self.path, self.release, self.parts)

    @property
    def files(self) -> tuple[ReleaseFile, ...]:
        """The files that are meant: the tars of the parts, and the metadata."""
        return self.release.select(self.parts)

    @property
    def metadata(self) -> Path:
        """Path of the metadata CSV."""
        return self.path / self.release.metadata.filename

    @property
    def receipt(self) -> Receipt:
        """What was hashed and found right, read anew each time."""
        return Receipt.load(self.path)

    @property
    def is_on_record(self) -> bool:
        """True if all files were found right, and were not touched since."""
        receipt = self.receipt
        return all(receipt.stands(file) for file in self.files)

    def state_path(self, name: str, *, for_writing: bool = False) -> Path:
        """Where a state file is, or is to be written; see `pass_dataset.folders.state`."""
        return state_path(self.path, name, for_writing=for_writing)

    @property
    def absent(self) -> tuple[ReleaseFile, ...]:
        """The files that are meant and are not there in their size."""
        return tuple(file for file in self.files if not _has_size(self.path, file))

    def require_files(self) -> None:
        """Refuses a folder in which files that are meant are missing.

        Raises:
          FolderError: with their names.
        """
        absent = [file.filename for file in self.files if not (self.path / file.filename).is_file()]
        if absent:
            raise FolderError(
                f"{self.path}: {', '.join(absent)} of {self.release.label} missing or not to be "
                "read; pass-dataset download fetches what is missing"
            )


def _inside(root: Path, version: str) -> Path:
    """The sub-folder that is named like a version, if there is one; else the folder itself."""
    # os.path and not Path: the latter raises where a folder above may not be looked into.
    return root / version if os.path.isdir(root / version) else root  # noqa: PTH112


def _has_size(folder: Path, file: ReleaseFile) -> bool:
    try:
        return (folder / file.filename).stat().st_size == file.size_bytes
    except OSError:
        return False


def _purged(folder: Path) -> Release | None:
    path = folder / PURGED_NAME
    return read_release(path) if os.path.isfile(path) else None


def _told_by(folder: Path) -> Release:
    """The release that a folder's own files tell of."""
    purged = _purged(folder)
    if purged is not None:
        return purged
    received = Receipt.load(folder).release
    if received is not None:
        return received
    for version in reversed(OFFICIAL_VERSIONS):
        if _sizes_match(folder, official_release(version)):
            return official_release(version)
    described = []
    for path in sorted(folder.glob("*.tsv")):
        with contextlib.suppress(ReleaseError):
            described.append(read_release(path))
    if len(described) == 1:
        return described[0]
    raise FolderError(
        f"{folder}: cannot tell which release this is (no receipt, the sizes are those of no "
        f"published release, {len(described)} checksum files). Name it with --release / release=; "
        "for a collection of your own write a checksum file with: "
        f"pass-dataset checksums {folder} --version 1.0.0"
    )


def _require_readable(folder: Path) -> None:
    # os.path and not Path: the latter raises where a folder above may not be looked into.
    if not os.path.isdir(folder):  # noqa: PTH112
        found = "a file" if os.path.exists(folder) else "nothing"
        raise FolderError(
            f"{folder}: expected an archive folder, found {found}. pass-dataset download fills one."
        )
    if not os.access(folder, os.R_OK | os.X_OK):
        raise FolderError(
            f"{folder}: this user may not read the folder; its mode or owner is wrong"
        )


def _sizes_match(folder: Path, release: Release) -> bool:
    """True if at least one tar of the release is here, and none has another size."""
    found = 0
    for file in release.tars:
        try:
            size = (folder / file.filename).stat().st_size
        except OSError:
            continue
        if size != file.size_bytes:
            return False
        found += 1
    return found > 0
