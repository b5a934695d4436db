"""The receipt of purges: what was deleted, when, from which files. It has hashes and no names."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pass_dataset.archives.removals import ListSource
from pass_dataset.errors import FolderError
from pass_dataset.files.whole import write_whole
from pass_dataset.folders.state import PURGE_RECEIPT_NAME

__all__ = ["Purge", "PurgeReceipt", "PurgedFile"]

_SCHEMA = 1


@dataclass(frozen=True)
class PurgedFile:
    """A file that images were purged from.

    Attributes:
      name: in the folder.
      hashes: of the images that it has no more.
      images: number of records that went.
      example_bytes: bytes of these as the folder's description counts them.
      old_size_bytes, old_sha256: of the file before.
      new_size_bytes, new_sha256: of the file after.
    """

    name: str
    hashes: tuple[str, ...]
    images: int
    example_bytes: int
    old_size_bytes: int
    old_sha256: str
    new_size_bytes: int
    new_sha256: str


@dataclass
class Purge:
    """One purge of a folder.

    Attributes:
      started, finished: UTC times, ISO 8601; finished is None while it is under way.
      lists: removal lists that it followed.
      hashes: images that were deleted.
      files: files that are done.
      pending: a file that is written, and may have its name or not.
    """

    started: str
    lists: tuple[ListSource, ...]
    finished: str | None = None
    hashes: tuple[str, ...] = ()
    files: list[PurgedFile] = field(default_factory=list)
    pending: PurgedFile | None = None


@dataclass
class PurgeReceipt:
    """All purges of a folder. Write it only while holding the folder.

    Attributes:
      folder: which.
      purges: in their order.
    """

    folder: Path
    purges: list[Purge] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / PURGE_RECEIPT_NAME

    @classmethod
    def load(cls, folder: Path) -> PurgeReceipt:
        """Reads the folder's receipt; none is an empty one.

        Raises:
          FolderError: it cannot be read. It may be needed to end a purge, so that nothing is done.
        """
        receipt = cls(folder)
        try:
            content = json.loads(receipt.path.read_text(encoding="utf-8"))
            if content["schema"] != _SCHEMA:
                raise ValueError(f"schema {content['schema']}, expected {_SCHEMA}")
            receipt.purges = [_purge(one) for one in content["purges"]]
        except (FileNotFoundError, NotADirectoryError):
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FolderError(
                f"{receipt.path}: cannot be read: {error}. Move it away if no purge was interrupted"
            ) from error
        return receipt

    def begin(self, lists: tuple[ListSource, ...]) -> Purge:
        """The purge that was cut, or a new one."""
        if not self.purges or self.purges[-1].finished is not None:
            self.purges.append(Purge(_now(), ()))
        purge = self.purges[-1]
        known = {source.sha256: source for source in (*purge.lists, *lists)}
        purge.lists = tuple(known.values())
        return purge

    def end(self, purge: Purge) -> None:
        """Notes that all is done."""
        purge.hashes = tuple(sorted({one for file in purge.files for one in file.hashes}))
        purge.finished = _now()
        self.save()

    def save(self) -> None:
        """Writes the receipt."""
        content = {"schema": _SCHEMA, "purges": [asdict(purge) for purge in self.purges]}
        write_whole(self.path, (json.dumps(content, indent=1) + "\n").encode())


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _purge(content: dict[str, Any]) -> Purge:
    pending = content["pending"]
    return Purge(
        started=content["started"],
        lists=tuple(ListSource(**source) for source in content["lists"]),
        finished=content["finished"],
        hashes=tuple(content["hashes"]),
        files=[_file(one) for one in content["files"]],
        pending=None if pending is None else _file(pending),
    )


def _file(content: dict[str, Any]) -> PurgedFile:
    return PurgedFile(**{**content, "hashes": tuple(content["hashes"])})
