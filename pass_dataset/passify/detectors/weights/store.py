"""Where a weights file is, and whether it is the right one.

Looked for in this order: the file that the settings name; the folder ``PASS_WEIGHTS_DIR``, from
which nothing is fetched; the user's cache, into which it is fetched at first use. A file whose
SHA-256 is not pinned here is checked by the digits that are known at first, and from then on by a
record written beside it, ``<file>.sha256``, as ``sha256sum`` writes and checks it.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pass_dataset.errors import WeightsError
from pass_dataset.files.cache import user_cache
from pass_dataset.passify.detectors.settings import DetectorSettings
from pass_dataset.passify.detectors.weights.files import WeightsFile
from pass_dataset.passify.detectors.weights.hashes import (
    RECORD_SUFFIX,
    hashes_of,
    record_hash,
    recorded_hash,
    refused,
)
from pass_dataset.progress import Progress

__all__ = [
    "WEIGHTS_VARIABLE",
    "VerifiedWeights",
    "WeightsState",
    "examine",
    "resolve",
    "weights_folder",
]

logger = logging.getLogger(__name__)

#: Environment variable that names a folder with the weights files, for work without network.
WEIGHTS_VARIABLE = "PASS_WEIGHTS_DIR"


@dataclass(frozen=True)
class VerifiedWeights:
    """A weights file that may be parsed.

    Attributes:
      path: where it is.
      sha256: what it hashes to; pinned, recorded or asked for, unless it is the user's own.
    """

    path: Path
    sha256: str


@dataclass(frozen=True)
class WeightsState:
    """What is known of a weights file in a folder.

    Attributes:
      path: where it is or would be.
      state: ``verified`` (by the pinned or recorded SHA-256), ``unverified`` (nothing but some
        digits, or nothing at all, to check it by), ``wrong``, or ``missing``.
      sha256: what it hashes to, or None if it is missing.
    """

    path: Path
    state: Literal["verified", "unverified", "wrong", "missing"]
    sha256: str | None


def weights_folder() -> Path:
    """Where weights are looked for: ``PASS_WEIGHTS_DIR``, else the user's cache."""
    given = os.environ.get(WEIGHTS_VARIABLE)
    return Path(given).expanduser() if given else user_cache("weights")


def resolve(
    file: WeightsFile, settings: DetectorSettings | None = None, *, progress: Progress | None = None
) -> VerifiedWeights:
    """The weights to use, verified; fetched first if they are not here.

    Args:
      file: what is published.
      settings: `weights` and `weights_sha256` take the place of it.
      progress: where a download is shown.

    Raises:
      WeightsError: missing and not to be fetched, or not what it should be.
    """
    settings = settings or DetectorSettings()
    if settings.weights is not None:
        return _own(file, settings.weights, settings.weights_sha256)
    folder = weights_folder()
    path = folder / file.filename
    if not path.is_file():
        if os.environ.get(WEIGHTS_VARIABLE):
            raise WeightsError(
                f"{path}: not there, and {WEIGHTS_VARIABLE} is set, so nothing is fetched. "
                f"{_how_to_get(file)}"
            )
        if file.url is None:
            raise WeightsError(f"{path}: not there. {_how_to_get(file)}")
        # What fetches takes as long to load as all the rest; most weights are here.
        from pass_dataset.passify.detectors.weights.fetching import fetch

        fetch(file, folder, progress=progress)
    return _verified(file, path, settings.weights_sha256)


def examine(file: WeightsFile, folder: Path) -> WeightsState:
    """Looks at a file of a folder; changes nothing."""
    path = folder / file.filename
    if not path.is_file():
        return WeightsState(path, "missing", None)
    hashes = hashes_of(path)
    expected = file.sha256 or recorded_hash(path)
    if expected is not None:
        return WeightsState(
            path, "verified" if hashes.sha256 == expected else "wrong", hashes.sha256
        )
    known = file.digits is None or hashes.begin_with(file.digits)
    return WeightsState(path, "unverified" if known else "wrong", hashes.sha256)


def _own(file: WeightsFile, path: Path, expected: str | None) -> VerifiedWeights:
    """A file that the user names in place of `file`."""
    if not path.is_file():
        raise WeightsError(f"{path}: expected a weights file, found nothing there")
    hashes = hashes_of(path)
    if expected is None:
        what = "as published" if hashes.sha256 == file.sha256 else "checked against nothing"
        logger.info("%s: SHA-256 %s, %s", path, hashes.sha256, what)
    elif hashes.sha256 != expected.lower():
        raise refused(path, f"SHA-256 {expected.lower()}", hashes.sha256, "Name the right file.")
    return VerifiedWeights(path, hashes.sha256)


def _verified(file: WeightsFile, path: Path, asked: str | None) -> VerifiedWeights:
    """A file of the weights folder.

    Raises:
      WeightsError: it is another file, or there is nothing to check it by.
    """
    hashes = hashes_of(path)
    advice = f"Delete it, and it is fetched anew from {file.url}." if file.url else "Delete it."
    expected = (asked and asked.lower()) or file.sha256 or recorded_hash(path)
    if expected is not None:
        if hashes.sha256 != expected:
            raise refused(path, f"SHA-256 {expected}", hashes.sha256, advice)
        return VerifiedWeights(path, hashes.sha256)
    if file.digits is None:
        raise WeightsError(
            f"{path}: found SHA-256 {hashes.sha256}, and nothing to check it by, as its hash is "
            f"published nowhere. If you trust the file, say so with weights_sha256 in the "
            f"settings, or with: (cd {path.parent} && sha256sum {path.name} > "
            f"{path.name}{RECORD_SUFFIX})"
        )
    if not hashes.begin_with(file.digits):
        raise refused(path, f"an MD5 or SHA-256 that begins {file.digits}", hashes.sha256, advice)
    record_hash(path, hashes.sha256)
    return VerifiedWeights(path, hashes.sha256)


def _how_to_get(file: WeightsFile) -> str:
    if file.url is None:
        return (
            f"It cannot be fetched: get {file.filename} by hand (see {file.source}), and name it "
            "with weights and weights_sha256 in the settings."
        )
    return (
        "With network: pass-dataset weights --fetch --dir DIR. Or get the file from "
        f"{file.url} and put it there."
    )
