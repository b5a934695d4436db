"""The user's cache folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from pass_dataset.errors import FolderError

__all__ = ["optional_cache", "user_cache"]

_APPLICATION = "pass_dataset"


def user_cache(kind: str) -> Path:
    """A folder of ours in the user's cache folder; it may not exist yet.

    On Linux ``~/.cache/pass_dataset``, or below ``XDG_CACHE_HOME``.

    Raises:
      FolderError: there is no home folder to keep it in.
    """
    named = os.environ.get("XDG_CACHE_HOME", "").strip()
    try:
        # On macOS too.
        root = Path(named, _APPLICATION) if named else platformdirs.user_cache_path(_APPLICATION)
    except RuntimeError:
        # So newer ones say that there is no home folder; older ones give a path that begins with ~.
        root = Path("~", ".cache", _APPLICATION)
    if not root.is_absolute():
        # It would be another one in each working folder, and what it says would be forgotten.
        raise FolderError(
            f"{root}: is no place for the user's cache, as it is not absolute: this user has no "
            "home folder, or XDG_CACHE_HOME names none. Set XDG_CACHE_HOME to a folder that lasts"
        )
    return root / kind


def optional_cache(kind: str) -> Path | None:
    """`user_cache` for what can do without; None: there is no home folder."""
    try:
        return user_cache(kind)
    except FolderError:
        return None
