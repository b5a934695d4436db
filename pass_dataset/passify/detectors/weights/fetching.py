"""Weights files fetched from where they are published, by the downloader of the archives."""

from __future__ import annotations

import logging
import os
import threading
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset import __version__, folders
from pass_dataset.downloads.retries import Clock, HostGate, RetryPolicy
from pass_dataset.downloads.sources import sources_for
from pass_dataset.downloads.transfer import Transfer
from pass_dataset.errors import DownloadError, WeightsError
from pass_dataset.passify.detectors.weights.files import WeightsFile
from pass_dataset.passify.detectors.weights.store import check_fetched, record_hash
from pass_dataset.progress import Progress, Silent
from pass_dataset.releases import ReleaseFile

if TYPE_CHECKING:
    import requests

__all__ = ["fetch"]

logger = logging.getLogger(__name__)

#: About a minute without network: whoever runs a detector on a node without any wants to be told.
_POLICY = RetryPolicy(max_failures=6, max_retry_after_s=120.0)
#: Name that a file has until its hash is known to be right.
_FETCHED_SUFFIX = ".fetched"


@dataclass(frozen=True)
class _AnyContent(ReleaseFile):
    """A file of known size whose content is checked by the caller."""

    def fits(self, sha256: str) -> bool:
        return True


def fetch(
    file: WeightsFile,
    folder: Path,
    *,
    progress: Progress | None = None,
    policy: RetryPolicy = _POLICY,
) -> Path:
    """Fetches a weights file into a folder, unless another process has done so meanwhile.

    Interrupted, it continues where it was. The file has its name only once it is verified.

    Raises:
      WeightsError: it could not be fetched, or is another file.
    """
    path = folder / file.filename
    if file.url is None:
        raise WeightsError(f"{path}: cannot be fetched; see {file.source}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with folders.hold(folder):
            if not path.is_file():
                _fetch(file, path, progress or Silent(), policy)
    except (DownloadError, OSError) as error:
        raise WeightsError(
            f"{path}: could not be fetched: {error}. What was fetched is kept for the next try. "
            f"Without network: get {file.url} elsewhere, put it into a folder, and name that "
            "folder in PASS_WEIGHTS_DIR."
        ) from error
    return path


def _fetch(file: WeightsFile, path: Path, progress: Progress, policy: RetryPolicy) -> None:
    import requests

    clock = Clock()
    stop = threading.Event()
    fetched = path.with_name(path.name + _FETCHED_SUFFIX)
    logger.info("%s: fetching it from %s (licence: %s)", path, file.url, file.licence)
    with requests.Session() as session:
        session.headers["User-Agent"] = f"pass-dataset/{__version__}"
        if not fetched.is_file():
            size = file.size_bytes or _size_bytes(file.url or "", session, policy)
            wanted = (
                ReleaseFile(file.filename, size, file.sha256, file.url)
                if file.sha256
                else _AnyContent(file.filename, size, "", file.url)
            )
            task = progress.task(file.filename, size, "bytes")
            try:
                Transfer(
                    file=wanted,
                    path=fetched,
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
    try:
        sha256 = check_fetched(file, fetched)
    except WeightsError:
        fetched.unlink()
        raise
    if file.sha256 is None:
        record_hash(path, sha256)
    os.replace(fetched, path)


def _size_bytes(url: str, session: requests.Session, policy: RetryPolicy) -> int:
    """Size that a server states for a file.

    Raises:
      DownloadError: it states none.
    """
    import requests

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
