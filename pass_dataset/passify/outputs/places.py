"""Places for the images of an export: no two in one, and what is there already is compared."""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path

from pass_dataset.files.hashing import file_sha256

__all__ = ["TakenNames", "is_hard_link", "is_same_file", "is_soft_link"]


class TakenNames:
    """Names of an export that images have by now.

    Where the file system takes names for one that differ in capitals or in how accents are written
    (macOS, Windows, CIFS), so does this.
    """

    def __init__(self, known: Path | None) -> None:
        """Args: `known` is a file of the folder, with letters in its name; None: a tar, not one."""
        self._folds = known is not None and os.path.lexists(known.with_name(known.name.upper()))
        # Numbers in the place of names: some tens of bytes each, and of 10 million names two have
        # the same one by chance in one export of 300,000.
        self._taken: set[int] = set()

    def take(self, name: bytes) -> bool:
        """Takes a name; False if another image has it."""
        if self._folds:
            text = unicodedata.normalize("NFC", os.fsdecode(name))
            name = os.fsencode(unicodedata.normalize("NFC", text.casefold()))
        number = hash(name)
        if number in self._taken:
            return False
        self._taken.add(number)
        return True


def is_same_file(path: Path, sha256: str) -> bool:
    """Whether a file is there, and no link to one, that has this hash.

    Raises:
      OSError: it cannot be read.
    """
    return stat.S_ISREG(path.lstat().st_mode) and file_sha256(path) == sha256


def is_soft_link(path: Path, target: Path) -> bool:
    """Whether a link is there that leads to this very path."""
    return path.is_symlink() and path.readlink() == target


def is_hard_link(path: Path, target: Path) -> bool:
    """Whether it is another name of this file, and no link to it."""
    return not path.is_symlink() and path.samefile(target)
