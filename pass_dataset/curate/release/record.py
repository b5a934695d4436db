"""What a release's folder says of itself: what it is made of, and which files are written.

It is written first and after each file, so a run that was cut is continued; what another curation
or other settings would write into the folder is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pass_dataset.curate.settings import differences
from pass_dataset.errors import CurationError
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.folders.state import RELEASE_RECORD_NAME
from pass_dataset.releases.release import ReleaseFile

__all__ = ["ReleaseRecord", "open_record"]


@dataclass
class ReleaseRecord:
    """What is written.

    Attributes:
      path: of the record.
      made_of: what decides the bytes: settings, the ledger's steps by digest, the photographs.
      files: that are written, by name.
    """

    path: Path
    made_of: Mapping[str, Any]
    files: dict[str, ReleaseFile] = field(default_factory=dict)

    def has(self, name: str) -> ReleaseFile | None:
        """A file that is written and still has its size; None: it is to be written."""
        file = self.files.get(name)
        if file is None:
            return None
        try:
            found = (self.path.parent / name).stat().st_size
        except OSError:
            return None
        return file if found == file.size_bytes else None

    def note(self, file: ReleaseFile) -> None:
        """Says that a file is written."""
        self.files[file.filename] = file
        self.save()

    def forget(self, name: str) -> None:
        """Says that a file is not what was written."""
        del self.files[name]
        self.save()

    def save(self) -> None:
        files = [asdict(file) for file in self.files.values()]
        save_json(self.path, {"made_of": dict(self.made_of), "files": files}, indent=1)


def open_record(folder: Path, made_of: Mapping[str, Any]) -> ReleaseRecord:
    """The record of a folder, begun if it is new.

    Raises:
      CurationError: the folder has another release, or its record cannot be read.
      OSError: it cannot be written.
    """
    path = folder / RELEASE_RECORD_NAME
    try:
        stored = load_json(path)
        files = {file["filename"]: ReleaseFile(**file) for file in stored["files"]}
        before = stored["made_of"]
    except FileNotFoundError:
        others = sorted(entry.name for entry in folder.iterdir() if entry.suffix in _OURS)
        if others:
            raise CurationError(
                f"{folder}: has {others[0]} already; expected an empty folder, or one with a "
                "release of this curation"
            ) from None
        record = ReleaseRecord(path, made_of)
        record.save()
        return record
    except (KeyError, TypeError, ValueError) as error:
        raise CurationError(f"{path}: is no record of a release: {error}") from error
    found = differences(before, made_of)
    if found:
        listed = "\n  ".join(found)
        raise CurationError(
            f"{folder}: has another release:\n  {listed}\nTake another folder, or remove this one"
        )
    return ReleaseRecord(path, made_of, files)


#: What a release consists of; such files of somebody else's are not written over.
_OURS = frozenset({".tar", ".csv", ".tsv"})
