"""The archive folder: where its state is kept, who may change it, and which release it holds.

An archive folder holds the files of one release. Beside them stand a receipt (what was verified),
the index, and a lock. Where the folder is read-only, as shared data on a cluster often is, these
are kept in the user's cache folder instead, under a name made from the folder's path.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pass_dataset.errors import FolderError, FolderLockedError, ReleaseError
from pass_dataset.releases import (
    OFFICIAL_VERSIONS,
    Release,
    official_release,
    read_release,
    resolve_release,
)

__all__ = [
    "ARCHIVES_VARIABLE",
    "INDEX_NAME",
    "LOCK_NAME",
    "PART_SUFFIX",
    "PURGED_NAME",
    "PURGE_RECEIPT_NAME",
    "RECEIPT_NAME",
    "REMOVALS_NAME",
    "STATE_NAMES",
    "archive_folder",
    "as_kept",
    "find_release",
    "hold",
    "holder",
    "identify_release",
    "state_path",
    "state_paths",
    "user_cache",
    "write_whole",
    "writing_whole",
]

logger = logging.getLogger(__name__)

#: Environment variable that names the archive folder for both loaders.
ARCHIVES_VARIABLE = "PASS_ARCHIVES"

RECEIPT_NAME = "pass_receipt.json"
INDEX_NAME = "pass_index.arrow"
REMOVALS_NAME = "pass_removals.txt"
#: Checksum file of an archive folder from which images were purged.
PURGED_NAME = "pass_purged.tsv"
#: What was purged from a folder, and when.
PURGE_RECEIPT_NAME = "pass_purge_receipt.json"
LOCK_NAME = ".pass.lock"
_HOLDER_NAME = ".pass.holder"
PART_SUFFIX = ".part"

_PACKAGE = Path(__file__).resolve().parent

#: Files of ours in an archive folder, which are not files of the release.
STATE_NAMES = frozenset(
    {
        RECEIPT_NAME,
        INDEX_NAME,
        REMOVALS_NAME,
        PURGED_NAME,
        PURGE_RECEIPT_NAME,
        LOCK_NAME,
        _HOLDER_NAME,
    }
)


def user_cache(kind: str) -> Path:
    """A folder of ours in the user's cache folder; it may not exist yet."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "pass_dataset" / kind


def _cache_folder(folder: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    return user_cache("folders") / digest


def state_path(folder: Path, name: str, *, for_writing: bool = False) -> Path:
    """Where a state file of the folder is, or is to be written.

    Beside the archives; in the user's cache where the folder is read-only, or part of this package,
    as an installed package is not ours to add files to.
    """
    beside = folder / name
    may_write = os.access(folder, os.W_OK) and not folder.resolve().is_relative_to(_PACKAGE)
    if may_write or (not for_writing and beside.exists()):
        return beside
    cache = _cache_folder(folder)
    if for_writing:
        cache.mkdir(parents=True, exist_ok=True)
    return cache / name


def state_paths(folder: Path, name: str) -> list[Path]:
    """Where a state file of the folder is: beside the archives, in the user's cache, or in both.

    For what counts wherever it stands, as a shared folder's and a user's own list of removals do.
    """
    places = (folder / name, _cache_folder(folder) / name)
    return [path for path in places if os.path.isfile(path)]


def write_whole(path: Path, data: bytes) -> None:
    """Writes a small file so that its name never stands for half of it."""
    with writing_whole(path) as file:
        file.write(data)


@contextlib.contextmanager
def writing_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write; it gets its name when the block ends, and none if the block fails."""
    beside = path.with_name(f"{path.name}.{os.getpid()}{PART_SUFFIX}")
    try:
        with beside.open("wb") as file:
            yield file
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def hold(folder: Path, *, wait: bool = True, poll_s: float = 0.5) -> Iterator[None]:
    """Holds the folder for changing it; the system lets go of it however the process ends.

    Args:
      folder: an existing folder.
      wait: wait for another holder (saying who it is), or raise at once.
      poll_s: seconds between tries.

    Raises:
      FolderLockedError: not waiting, and another process holds the folder.
    """
    import filelock

    lock = filelock.FileLock(state_path(folder, LOCK_NAME, for_writing=True))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        message = f"{folder} is in use by {_holder(folder)}"
        if not wait:
            raise FolderLockedError(f"{message}; wait for it to end, or stop it") from None
        logger.warning("%s; waiting for it", message)
        lock.acquire(poll_interval=poll_s)
    holder = {"host": socket.gethostname(), "pid": os.getpid(), "since": time.strftime("%F %T")}
    holder_path = state_path(folder, _HOLDER_NAME, for_writing=True)
    try:
        write_whole(holder_path, json.dumps(holder).encode())
        yield
    finally:
        holder_path.unlink(missing_ok=True)
        lock.release()


def _holder(folder: Path) -> str:
    try:
        holder = json.loads(state_path(folder, _HOLDER_NAME).read_text())
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def holder(folder: Path) -> str | None:
    """Who holds the folder now; None: nobody."""
    import filelock

    path = state_path(folder, LOCK_NAME)
    if not path.exists():
        return None
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return _holder(folder)
    except OSError:
        return None  # it may not be written here, so nobody works on it from here
    lock.release()
    return None


def archive_folder(version: str, given: str | os.PathLike[str] | None, default: Path) -> Path:
    """The archive folder to use: the one given, else ``PASS_ARCHIVES``, else a default.

    Where that folder has a sub-folder named like the version (as one keeps several
    releases side by side), the sub-folder is meant.
    """
    root = Path(given or os.environ.get(ARCHIVES_VARIABLE) or default).expanduser()
    versioned = root / version
    return versioned if os.path.isdir(versioned) else root  # noqa: PTH112


def find_release(folder: Path, wanted: str | None = None) -> tuple[Release, Path]:
    """A release and its folder: the one given, or the one inside that is named like the version.

    Args:
      folder: as the user names it.
      wanted: version or checksum file; None: told from the folder.

    Raises:
      FolderError, ReleaseError: as `identify_release`.
    """
    if wanted is None or not folder.is_dir():
        return identify_release(folder, wanted), folder
    release = resolve_release(wanted)
    found = archive_folder(release.version, folder, folder)
    return as_kept(found, release), found


def as_kept(folder: Path, release: Release) -> Release:
    """A release as a folder has it: purged of some images, or as it was published.

    Raises:
      ReleaseError: the folder's record of what was purged cannot be read.
    """
    purged = _purged(folder)
    return purged if purged is not None and purged.is_of(release) else release


def _purged(folder: Path) -> Release | None:
    path = folder / PURGED_NAME
    return read_release(path) if os.path.isfile(path) else None


def identify_release(
    folder: str | os.PathLike[str], release: str | os.PathLike[str] | Release | None = None
) -> Release:
    """Which release a folder holds.

    Args:
      folder: the archive folder.
      release: the release if the caller knows it: version, checksum file, or Release. With None
        it is told by the receipt, the sizes of the files, or a checksum file in the folder.

    Raises:
      FolderError: there is no such folder, or it cannot be told what it holds.
      ReleaseError: `release` is neither a known version nor a readable checksum file.
    """
    from pass_dataset.receipts import Receipt

    folder = Path(folder)
    _require_readable(folder)
    if release is not None:
        return as_kept(folder, resolve_release(release))
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
