"""Where a weights file is, and whether it is the right one.

Looked for in this order: the file that the settings name; the folder ``PASS_WEIGHTS_DIR``, from
which nothing is fetched; the user's cache, into which it is fetched at first use. A file whose
SHA-256 is not pinned here is checked by the digits that are known at first, and from then on by a
record written beside it, ``<file>.sha256``, as ``sha256sum`` writes and checks it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pass_dataset.errors import WeightsError
from pass_dataset.files import read_blocks, user_cache, write_whole
from pass_dataset.passify.detectors.detector import DetectorSettings
from pass_dataset.passify.detectors.weights.files import WeightsFile
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

_RECORD_SUFFIX = ".sha256"


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


@dataclass(frozen=True)
class _Hashes:
    sha256: str
    md5: str

    def begin_with(self, digits: str) -> bool:
        return self.sha256.startswith(digits) or self.md5.startswith(digits)


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
        from pass_dataset.passify.detectors.weights.fetching import fetch

        fetch(file, folder, progress=progress)
    return _verified(file, path, settings.weights_sha256)


def examine(file: WeightsFile, folder: Path) -> WeightsState:
    """Looks at a file of a folder; changes nothing."""
    path = folder / file.filename
    if not path.is_file():
        return WeightsState(path, "missing", None)
    hashes = _hash(path)
    expected = file.sha256 or _recorded(path)
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
    hashes = _hash(path)
    if expected is None:
        what = "as published" if hashes.sha256 == file.sha256 else "checked against nothing"
        logger.info("%s: SHA-256 %s, %s", path, hashes.sha256, what)
    elif hashes.sha256 != expected.lower():
        raise _refused(path, f"SHA-256 {expected.lower()}", hashes.sha256, "Name the right file.")
    return VerifiedWeights(path, hashes.sha256)


def _verified(file: WeightsFile, path: Path, asked: str | None) -> VerifiedWeights:
    """A file of the weights folder.

    Raises:
      WeightsError: it is another file, or there is nothing to check it by.
    """
    hashes = _hash(path)
    advice = f"Delete it, and it is fetched anew from {file.url}." if file.url else "Delete it."
    expected = (asked and asked.lower()) or file.sha256 or _recorded(path)
    if expected is not None:
        if hashes.sha256 != expected:
            raise _refused(path, f"SHA-256 {expected}", hashes.sha256, advice)
        return VerifiedWeights(path, hashes.sha256)
    if file.digits is None:
        raise WeightsError(
            f"{path}: found SHA-256 {hashes.sha256}, and nothing to check it by, as its hash is "
            f"published nowhere. If you trust the file, say so with weights_sha256 in the "
            f"settings, or with: (cd {path.parent} && sha256sum {path.name} > "
            f"{path.name}{_RECORD_SUFFIX})"
        )
    if not hashes.begin_with(file.digits):
        raise _refused(path, f"an MD5 or SHA-256 that begins {file.digits}", hashes.sha256, advice)
    record_hash(path, hashes.sha256)
    return VerifiedWeights(path, hashes.sha256)


def check_fetched(file: WeightsFile, path: Path) -> str:
    """SHA-256 of a file that was fetched under another name, once it is known to be right.

    Raises:
      WeightsError: it is another file.
    """
    hashes = _hash(path)
    expected = file.sha256 or file.digits or ""
    right = hashes.begin_with(expected) if file.sha256 is None else hashes.sha256 == expected
    if not right:
        raise _refused(
            path, f"a hash that begins {expected}", hashes.sha256, f"It came from {file.url}."
        )
    return hashes.sha256


def record_hash(path: Path, sha256: str) -> None:
    """Records the hash of a file seen for the first time, to verify it by ever after."""
    record = path.with_name(path.name + _RECORD_SUFFIX)
    try:
        write_whole(record, f"{sha256}  {path.name}\n".encode())
    except OSError as error:
        logger.warning(
            "%s: its SHA-256, %s, could not be recorded in %s (%s); the next run will know only "
            "its first digits again",
            path,
            sha256,
            record,
            error.strerror,
        )
        return
    logger.info(
        "%s: its full hash is published nowhere; its first digits are right. Recorded SHA-256 %s "
        "in %s, to be verified by from now on",
        path,
        sha256,
        record,
    )


def _recorded(path: Path) -> str | None:
    record = path.with_name(path.name + _RECORD_SUFFIX)
    try:
        text = record.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WeightsError(f"{record}: cannot be read: {error.strerror}") from error
    digest = text.split(maxsplit=1)[0] if text.strip() else ""
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise WeightsError(
            f"{record}: expected the SHA-256 of {path.name}, found {text[:80]!r}. Delete it to "
            "have it written anew."
        )
    return digest


def _hash(path: Path) -> _Hashes:
    sha256 = hashlib.sha256()
    # No secret hangs on it; without the flag, systems in FIPS mode refuse MD5.
    md5 = hashlib.md5(usedforsecurity=False)
    try:
        for block in read_blocks(path):
            sha256.update(block)
            md5.update(block)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from error
    return _Hashes(sha256.hexdigest(), md5.hexdigest())


def _refused(path: Path, expected: str, found: str, advice: str) -> WeightsError:
    return WeightsError(
        f"{path}: expected {expected}, found SHA-256 {found}: not the published weights, or "
        f"damaged, so it is not read. {advice}"
    )


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
