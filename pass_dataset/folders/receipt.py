"""The receipt of an archive folder: which files were hashed and found right, and when.

Hashing 180 GB takes minutes. A file whose size and modification time are still those of its
receipt is taken for whole by the loaders; `pass-dataset verify` hashes all the same, and
`verify --quick` asks whether the file was touched at all.
"""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pass_dataset.errors import ReleaseError
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.folders.file_mark import FileMark
from pass_dataset.folders.state import RECEIPT_NAME, state_path
from pass_dataset.releases.release import Release, ReleaseFile, format_release, parse_release

__all__ = ["Receipt", "ReceiptEntry"]

logger = logging.getLogger(__name__)

_SCHEMA = 1


@dataclass(frozen=True)
class ReceiptEntry:
    """That a file was found right.

    Attributes:
      size_bytes, mtime_ns: of the file when it was hashed; a change of either voids the entry.
      sha256: what was found.
      verified: UTC time of the hashing, ISO 8601.
      changed_ns: when the system had noted a change of the file last, in nanoseconds since 1970,
        which nobody can put back; a copy of the file has another one. 0: not known, as in receipts
        of former versions, which have no checksum either: the file is hashed once more.
    """

    size_bytes: int
    mtime_ns: int
    sha256: str
    verified: str
    changed_ns: int = 0


@dataclass
class Receipt:
    """The receipt of one folder. Write it only while holding the folder.

    Attributes:
      folder: the archive folder.
      release: the release the folder was filled with or verified against, None if not known.
      entries: file name to what was found.
    """

    folder: Path
    release: Release | None = None
    entries: dict[str, ReceiptEntry] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Receipt:
        """Reads the folder's receipt; none, or one that cannot be read, is an empty receipt."""
        path = state_path(folder, RECEIPT_NAME)
        try:
            content = load_json(path)
            if content["schema"] != _SCHEMA:
                raise ValueError(f"schema {content['schema']}, expected {_SCHEMA}")
            entries = {name: ReceiptEntry(**entry) for name, entry in content["files"].items()}
            text = content["release"]
            release = None if text is None else parse_release(text, path)
        except FileNotFoundError:
            return cls(folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ReleaseError) as error:
            # Losing a receipt costs one more hashing, never trust.
            logger.warning("%s cannot be used (%s); the files will be hashed again", path, error)
            return cls(folder)
        return cls(folder, release, entries)

    def claims(self, file: ReleaseFile) -> bool:
        """True if it says that the file was once found right, as this very file."""
        entry = self.entries.get(file.filename)
        return entry is not None and entry.sha256 == file.sha256

    def stands(self, file: ReleaseFile) -> bool:
        """True if the file is on record as right, and so are its size and modification time.

        A copy with its receipt stands, too, for jobs that begin with copying to a disk of theirs.
        """
        return self._found_as_recorded(file) is not None

    def is_untouched(self, file: ReleaseFile) -> bool:
        """True if it stands, and the system has noted no change of it, nor is it a copy."""
        found = self._found_as_recorded(file)
        return found is not None and found.changed_ns == self.entries[file.filename].changed_ns

    def _found_as_recorded(self, file: ReleaseFile) -> FileMark | None:
        entry = self.entries.get(file.filename)
        if entry is None or not self.claims(file) or not entry.changed_ns:
            return None
        found = FileMark.at(self.folder / file.filename)
        if found is None or found.content != (entry.size_bytes, entry.mtime_ns):
            return None
        return found

    def record(self, file: ReleaseFile, hashed: FileMark | None = None) -> None:
        """Puts on record that a file was hashed and is right.

        Args:
          file: which.
          hashed: the file as it was before its hash was begun; None: as it is on disk now, for who
            has just given it its name.
        """
        if hashed is None:
            hashed = FileMark.of((self.folder / file.filename).stat())
        verified = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.entries[file.filename] = ReceiptEntry(
            *hashed.content, file.sha256, verified, hashed.changed_ns
        )

    def strike(self, filename: str) -> None:
        """Takes a file off the record."""
        self.entries.pop(filename, None)

    def save(self) -> None:
        """Writes the receipt beside the archives, or in the cache for a read-only folder."""
        content = {
            "schema": _SCHEMA,
            "release": None if self.release is None else format_release(self.release),
            "files": {name: asdict(entry) for name, entry in sorted(self.entries.items())},
        }
        path = state_path(self.folder, RECEIPT_NAME, for_writing=True)
        save_json(path, content, indent=1)
