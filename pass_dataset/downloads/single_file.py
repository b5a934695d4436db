"""One file of its own, fetched as the files of a release are."""

from __future__ import annotations

import logging
import math
import shutil
import threading
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.downloads.connections import Connections
from pass_dataset.downloads.retries import Clock, Failure, HostGate, Passing, RetryPolicy
from pass_dataset.downloads.sources import sources_for, stated_size
from pass_dataset.downloads.transfer import Transfer
from pass_dataset.errors import DiskSpaceError, DownloadError
from pass_dataset.progress import Progress, Silent
from pass_dataset.releases.addresses import check_address, public_address
from pass_dataset.releases.release import ReleaseFile

__all__ = ["PATIENCE", "fetch_file", "file_size"]

logger = logging.getLogger(__name__)

#: About a minute without network: whoever needs a small file at once wants to be told.
PATIENCE = RetryPolicy(max_failures=6, max_retry_after_s=120.0)


@dataclass(frozen=True)
class _AnyContent(ReleaseFile):
    """A file of known size whose content is checked by the caller."""

    def fits(self, sha256: str) -> bool:
        return True


def fetch_file(
    url: str,
    path: Path,
    *,
    sha256: str | None,
    size_bytes: int | None = None,
    progress: Progress | None = None,
    policy: RetryPolicy = PATIENCE,
) -> None:
    """Fetches a file; it has its name when it is whole. Interrupted, it continues where it was.

    Args:
      url: where it is (http, https, file).
      path: its name here; the folder exists.
      sha256: of its content; None: the caller checks it.
      size_bytes: its size; None: the server is asked for it.
      progress: where it is shown.
      policy: how patient to be.

    Raises:
      DownloadError, DiskSpaceError: it cannot be had, or has another SHA-256.
    """
    clock = Clock()
    stop = threading.Event()
    with Connections(policy, clock) as connections:
        size = size_bytes or file_size(url, connections)
        free = shutil.disk_usage(path.parent).free
        if size > free:
            raise DiskSpaceError(
                f"{path}: {size:,} bytes are to be fetched from {public_address(url)}, but its "
                f"disk has {free:,} bytes free"
            )
        wanted = (
            ReleaseFile(path.name, size, sha256, url)
            if sha256
            else _AnyContent(path.name, size, "", url)
        )
        task = (progress or Silent()).task(path.name, size, "bytes")
        try:
            Transfer(
                file=wanted,
                path=path,
                sources=sources_for(wanted, (), connections),
                policy=policy,
                clock=clock,
                gate=HostGate(clock),
                sleep=stop.wait,
                stopped=stop.is_set,
                task=task,
            ).run()
        finally:
            task.finish()


def file_size(url: str, connections: Connections) -> int:
    """Size that a server states for a file.

    Raises:
      DownloadError: it states none.
    """
    shown = public_address(url)
    if url.lower().startswith("file:"):
        path = Path(urllib.request.url2pathname(urllib.parse.urlsplit(url).path))
        try:
            return path.stat().st_size
        except OSError as error:
            raise DownloadError(f"{shown}: cannot be read: {error.strerror}") from error
    try:
        check_address(url)
    except ValueError as error:
        raise DownloadError(f"{shown[:200]}: {error}; expected https://host/folder/file") from error
    policy, said = connections.policy, ""
    for failures in range(1, policy.max_failures + 1):
        try:
            # Not HEAD, which some servers refuse; the body is not read.
            response = connections.get(url, {"Accept-Encoding": "identity"})
            try:
                return stated_size(response, connections)
            finally:
                response.close()
        except Failure as failure:
            said = str(failure)
            asked_s = failure.retry_after_s or 0.0 if isinstance(failure, Passing) else math.inf
        if asked_s > policy.max_retry_after_s or failures == policy.max_failures:
            break
        wait_s = max(asked_s, policy.delay_s(failures, connections.clock.jitter()))
        level = logging.INFO if failures == 1 else logging.WARNING
        logger.log(level, "%s: %s; next try in %.0f s", shown, said, wait_s)
        threading.Event().wait(wait_s)
    raise DownloadError(f"{shown}: its size could not be asked for ({said})")
