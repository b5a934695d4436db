"""Weights files fetched from where they are published, by the downloader of the archives."""

from __future__ import annotations

import logging
from pathlib import Path

from pass_dataset.downloads.retries import RetryPolicy
from pass_dataset.downloads.single_file import PATIENCE, fetch_file
from pass_dataset.errors import DownloadError, WeightsError
from pass_dataset.files.whole import rename_lasting
from pass_dataset.folders.lock import hold
from pass_dataset.passify.detectors.weights.files import WeightsFile
from pass_dataset.passify.detectors.weights.hashes import check_fetched, record_hash
from pass_dataset.progress import Progress, Silent

__all__ = ["fetch"]

logger = logging.getLogger(__name__)

#: Name that a file has until its hash is known to be right.
_FETCHED_SUFFIX = ".fetched"


def fetch(
    file: WeightsFile,
    folder: Path,
    *,
    progress: Progress | None = None,
    policy: RetryPolicy = PATIENCE,
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
        with hold(folder):
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
    fetched = path.with_name(path.name + _FETCHED_SUFFIX)
    logger.info("%s: fetching it from %s (licence: %s)", path, file.url, file.licence)
    if not fetched.is_file():
        fetch_file(
            file.url or "",
            fetched,
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            progress=progress,
            policy=policy,
        )
    try:
        sha256 = check_fetched(file, fetched)
    except WeightsError:
        fetched.unlink()
        raise
    if file.sha256 is None:
        record_hash(path, sha256)
    rename_lasting(fetched, path)
