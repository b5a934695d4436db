"""State files: where those of a folder are kept.

Beside the archives stand a receipt (what was verified), the index, and a lock. Where the folder is
read-only, as shared data on a cluster often is, these are kept in the user's cache folder instead,
under a name made from the folder's path.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pass_dataset.files.cache import optional_cache, user_cache

__all__ = [
    "HOLDER_NAME",
    "INDEX_NAME",
    "LOCK_NAME",
    "PAPER_NAMES",
    "PURGED_NAME",
    "PURGE_RECEIPT_NAME",
    "RECEIPT_NAME",
    "RELEASE_RECORD_NAME",
    "REMOVALS_NAME",
    "STATE_NAMES",
    "others_state_paths",
    "state_path",
    "state_paths",
    "state_places",
]

RECEIPT_NAME = "pass_receipt.json"
INDEX_NAME = "pass_index.arrow"
REMOVALS_NAME = "pass_removals.txt"
#: Checksum file of an archive folder from which images were purged.
PURGED_NAME = "pass_purged.tsv"
#: What was purged from a folder, and when.
PURGE_RECEIPT_NAME = "pass_purge_receipt.json"
LOCK_NAME = ".pass.lock"
#: Who holds the lock, for people.
HOLDER_NAME = ".pass.holder"

_PACKAGE = Path(__file__).resolve().parent.parent

#: Files of ours in an archive folder, which are not files of the release.
STATE_NAMES = frozenset(
    {
        RECEIPT_NAME,
        INDEX_NAME,
        REMOVALS_NAME,
        PURGED_NAME,
        PURGE_RECEIPT_NAME,
        LOCK_NAME,
        HOLDER_NAME,
    }
)

#: What `pass-curate release` did, for it to be continued.
RELEASE_RECORD_NAME = "release.json"
#: What a release that was made here has besides its files: what it is, for people and programs.
PAPER_NAMES = frozenset(
    {RELEASE_RECORD_NAME, "README.md", "DATASHEET.md", "croissant.json", "funnel.svg"}
)


def _cache_name(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]


def state_path(folder: Path, name: str, *, for_writing: bool = False) -> Path:
    """Where a state file of the folder is, or is to be written.

    Beside the archives; in the user's cache where the folder is read-only, or part of this package,
    as an installed package is not ours to add files to.

    Raises:
      FolderError: it is to be written, and this user has no cache.
    """
    beside = folder / name
    may_write = os.access(folder, os.W_OK) and not folder.resolve().is_relative_to(_PACKAGE)
    if may_write or (not for_writing and beside.exists()):
        return beside
    if for_writing:
        cache = user_cache("folders") / _cache_name(folder)
        cache.mkdir(parents=True, exist_ok=True)
        return cache / name
    kept = optional_cache("folders")
    return beside if kept is None else kept / _cache_name(folder) / name


def state_paths(folder: Path, name: str) -> list[Path]:
    """Where a state file of the folder is: beside the archives, in the user's cache, or in both.

    For what counts wherever it stands, as a shared folder's and a user's own list of removals do.
    """
    return [path for path in state_places(folder, name) if _is_there(path)]


def state_places(folder: Path, name: str) -> list[Path]:
    """Where a state file of the folder may be: beside the archives, and in the user's cache.

    One that stands beside read-only archives may be of a time before they were changed, and the
    one that fits in the cache.
    """
    kept = optional_cache("folders")
    return [folder / name, *([] if kept is None else [kept / _cache_name(folder) / name])]


def others_state_paths(folder: Path, name: str) -> list[Path]:
    """Where other users of this machine keep a state file of the folder, as far as can be seen.

    That is in the cache folders that users have if they name none themselves.
    """
    try:
        # Not on Windows.
        import pwd
    except ImportError:
        return []
    below = Path(".cache", "pass_dataset", "folders", _cache_name(folder), name)
    mine = {path.resolve() for path in state_paths(folder, name)}
    homes = {Path(user.pw_dir) for user in pwd.getpwall()}
    # os.path and not Path: the latter raises where a folder above may not be looked into.
    found = [home / below for home in sorted(homes) if os.path.isfile(home / below)]
    return [path for path in found if path.resolve() not in mine]


def _is_there(path: Path) -> bool:
    """True for a link that leads nowhere, too, and where it cannot be told: reading it says why."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
