"""Hashes of a weights file: what it hashes to, and what is on record beside it."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.errors import WeightsError
from pass_dataset.files.hashing import read_blocks
from pass_dataset.files.whole import write_whole
from pass_dataset.passify.detectors.weights.files import WeightsFile

__all__ = [
    "RECORD_SUFFIX",
    "Hashes",
    "check_fetched",
    "hashes_of",
    "record_hash",
    "recorded_hash",
    "refused",
]

logger = logging.getLogger(__name__)

#: Of the record beside a file, as ``sha256sum`` writes and checks it.
RECORD_SUFFIX = ".sha256"


@dataclass(frozen=True)
class Hashes:
    """Both hashes of a file, as its first digits may be of either."""

    sha256: str
    md5: str

    def begin_with(self, digits: str) -> bool:
        return self.sha256.startswith(digits) or self.md5.startswith(digits)


def hashes_of(path: Path) -> Hashes:
    """Reads and hashes a file. Raises WeightsError if it cannot be read."""
    sha256 = hashlib.sha256()
    # No secret hangs on it; without the flag, systems in FIPS mode refuse MD5.
    md5 = hashlib.md5(usedforsecurity=False)
    try:
        for block in read_blocks(path):
            sha256.update(block)
            md5.update(block)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from error
    return Hashes(sha256.hexdigest(), md5.hexdigest())


def check_fetched(file: WeightsFile, path: Path) -> str:
    """SHA-256 of a file that was fetched under another name, once it is known to be right.

    Raises:
      WeightsError: it is another file.
    """
    hashes = hashes_of(path)
    expected = file.sha256 or file.digits or ""
    right = hashes.begin_with(expected) if file.sha256 is None else hashes.sha256 == expected
    if not right:
        raise refused(
            path, f"a hash that begins {expected}", hashes.sha256, f"It came from {file.url}."
        )
    return hashes.sha256


def record_hash(path: Path, sha256: str) -> None:
    """Records the hash of a file seen for the first time, to verify it by ever after."""
    record = path.with_name(path.name + RECORD_SUFFIX)
    try:
        write_whole(record, f"{sha256}  {path.name}\n".encode())
    except OSError as error:
        logger.warning(
            "%s: its SHA-256, %s, could not be recorded in %s (%s); the next run will know no "
            "more of it than is published",
            path,
            sha256,
            record,
            error.strerror,
        )
        return
    logger.info(
        "%s: its full hash is published nowhere, and nothing that is known of it was wrong. "
        "Recorded SHA-256 %s in %s, to be verified by from now on",
        path,
        sha256,
        record,
    )


def recorded_hash(path: Path) -> str | None:
    """The hash on record for a file; None if there is none. Raises WeightsError."""
    record = path.with_name(path.name + RECORD_SUFFIX)
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


def refused(path: Path, expected: str, found: str, advice: str) -> WeightsError:
    """The error of a file that is another one."""
    return WeightsError(
        f"{path}: expected {expected}, found SHA-256 {found}: not the published weights, or "
        f"damaged, so it is not read. {advice}"
    )
