"""Removal lists that are published: fetched once, by their SHA-256."""

from __future__ import annotations

import re
from dataclasses import replace

from pass_dataset.archives.removals import RemovalList, read_removals
from pass_dataset.errors import DownloadError
from pass_dataset.files.cache import user_cache
from pass_dataset.progress import Progress
from pass_dataset.releases.addresses import check_address, public_address

__all__ = ["fetch_removals"]


def fetch_removals(
    url: str, sha256: str | None, *, progress: Progress | None = None
) -> RemovalList:
    """Fetches a list that is published, once, and reads it.

    Args:
      url: ``https://…``; plain http from this machine only.
      sha256: of the list, as whoever sent the URL gives it.
      progress: where the download is shown.

    Raises:
      DownloadError: it cannot be had, has another SHA-256, or none was given.
      MetadataError: it is no list of hashes.
    """
    # Every reader asks for lists, and hardly any fetches one: requests takes as long as NumPy.
    from pass_dataset.downloads.single_file import fetch_file

    shown = public_address(url)
    try:
        parsed = check_address(url)
    except ValueError as error:
        raise DownloadError(
            f"{shown[:200]}: expected an https:// address of a removal list; {error}"
        ) from error
    is_here = parsed.hostname in ("localhost", "127.0.0.1", "::1")
    if parsed.scheme != "https" and not (parsed.scheme == "http" and is_here):
        raise DownloadError(f"{shown}: expected an https:// address of a removal list")
    if sha256 is None or not re.fullmatch(r"[0-9a-f]{64}", sha256.lower()):
        raise DownloadError(
            f"{shown}: a list from the network is taken only with its SHA-256 (64 hexadecimal "
            "digits): give --sha256, as whoever sent you the address has it"
        )
    folder = user_cache("removals")
    path = folder / f"{sha256.lower()}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            fetch_file(url, path, sha256=sha256.lower(), progress=progress)
    except OSError as error:
        raise DownloadError(f"{shown}: cannot be kept in {folder}: {error}") from error
    found = read_removals(path)
    return replace(found, sources=tuple(replace(one, path=shown) for one in found.sources))
