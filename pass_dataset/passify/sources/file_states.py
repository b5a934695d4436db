"""States of the files that a listing was read from: a place in a file holds for that file only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypeAlias

from pass_dataset.errors import SourceChangedError
from pass_dataset.folders.file_mark import FileVersion

__all__ = ["FileStates", "require_unchanged"]


#: By path within the source, as text. Those of plans that earlier versions made have none.
FileStates: TypeAlias = Mapping[str, FileVersion]


def require_unchanged(path: bytes, name: str, states: FileStates) -> None:
    """Sees that a file is still the one that was listed.

    Call it when the file was read: what was opened before the file was replaced is then refused
    too, and so is what was read while it was written to.

    Args:
      path: of the file.
      name: what `states` knows it by.
      states: from the listing; a file that is not in them is not checked.

    Raises:
      SourceChangedError: it is another one, or gone.
      OSError: it cannot be looked at.
    """
    listed = states.get(name)
    if listed is None:
        return
    try:
        found = FileVersion.of(path)
    except FileNotFoundError:
        found = None
    if found != listed:
        raise SourceChangedError(
            f"{os.fsdecode(path)}: has changed since its images were listed: expected {listed}, "
            f"found {found or 'no file'}. Where its images lie is no longer known. Put the file "
            "back as it was, or begin a new run with another --out"
        )
