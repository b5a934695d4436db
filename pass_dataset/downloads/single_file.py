"""One file of its own, fetched as the files of a release are."""

from __future__ import annotations

import threading
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import requests

from pass_dataset.downloads.retries import Clock, HostGate, RetryPolicy
from pass_dataset.downloads.sources import sources_for
from pass_dataset.downloads.transfer import Transfer
from pass_dataset.errors import DownloadError
from pass_dataset.progress import Progress, Silent
from pass_dataset.releases.release import ReleaseFile
from pass_dataset.version import __version__

__all__ = ["PATIENCE", "fetch_file"]

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
    with requests.Session() as session:
        session.headers["User-Agent"] = f"pass-dataset/{__version__}"
        size = size_bytes or _stated_size(url, session, policy)
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
                sources=sources_for(wanted, (), session, policy, clock),
                policy=policy,
                clock=clock,
                gate=HostGate(clock),
                sleep=stop.wait,
                stopped=stop.is_set,
                task=task,
            ).run()
        finally:
            task.finish()


def _stated_size(url: str, session: requests.Session, policy: RetryPolicy) -> int:
    """Size that a server states for a file.

    Raises:
      DownloadError: it states none.
    """
    parsed = urllib.parse.urlsplit(url)
    if parsed.scheme == "file":
        return Path(urllib.request.url2pathname(parsed.path)).stat().st_size
    said = ""
    for failures in range(1, policy.max_failures + 1):
        try:
            # Not HEAD, which some servers refuse; the body is not read.
            with session.get(
                url,
                headers={"Accept-Encoding": "identity"},
                stream=True,
                timeout=(policy.connect_timeout_s, policy.stall_timeout_s),
            ) as answer:
                length = answer.headers.get("Content-Length", "")
                kind = answer.headers.get("Content-Type", "")
        except requests.exceptions.RequestException as error:
            said = f"no answer: {error}"
        else:
            if answer.status_code == 200 and length.isdecimal() and "html" not in kind:
                return int(length)
            said = f"HTTP {answer.status_code} {answer.reason}, {kind}, Content-Length {length!r}"
            if 400 <= answer.status_code < 500 and answer.status_code not in (408, 425, 429):
                break
        if failures < policy.max_failures:
            threading.Event().wait(policy.delay_s(failures, Clock().jitter()))
    raise DownloadError(f"{url}: its size could not be asked for ({said})")
