"""The weights that images are described with: a file of the user's, told from others by its digest.

SSCD ("A Self-Supervised Descriptor for Image Copy Detection", 2022) was published in July 2022 at
https://github.com/facebookresearch/sscd-copy-detection, under the MIT licence, in three formats.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.errors import WeightsError
from pass_dataset.files.hashing import file_sha256
from pass_dataset.passify.detectors.weights.files import WeightsFile

__all__ = [
    "DESCRIBER_FILE",
    "SSCD",
    "TORCHSCRIPT_SHA256",
    "CropWeights",
    "crop_weights",
    "same_weights",
]

#: The file to take: weights by torchvision's names. No digest of it is published, so it is not
#: fetched.
SSCD = WeightsFile(
    name="sscd",
    filename="sscd_disc_mixup.torchvision.pt",
    used_by="pass-curate duplicates --crops",
    licence="MIT",
    source="https://github.com/facebookresearch/sscd-copy-detection",
    url=None,
    size_bytes=None,
    sha256=None,
)
#: The same in messages.
DESCRIBER_FILE = f"{SSCD.filename} of {SSCD.source}"
#: Of ``sscd_disc_mixup.torchscript.pt``, 98,791,638 bytes. Its authors name none; this one is
#: pinned by several public projects (FileTwin, DPcleaner, nanoVLM and others, 2026). Such a file is
#: a program, so no other is loaded.
TORCHSCRIPT_SHA256 = "9f26bd4c848cc19b73d2ae92eea6e04886f61a7b764ceb7a13aeee62e6a6db56"

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class CropWeights:
    """A file of weights.

    Attributes:
      path: where it is.
      sha256: of the file, lower-case hexadecimal.
    """

    path: Path
    sha256: str


def crop_weights(path: Path, expected: str | None = None) -> CropWeights:
    """A file of weights, which is read as a whole but not opened.

    Args:
      path: of the file.
      expected: its SHA-256, where the user knows it.

    Raises:
      WeightsError: it cannot be read, or is another file than was expected.
    """
    if expected is not None and not _SHA256.fullmatch(expected):
        raise WeightsError(f"expected a SHA-256 as 64 digits of 0-9 and a-f, found {expected!r}")
    try:
        found = file_sha256(path)
    except OSError as error:
        raise WeightsError(
            f"{path}: cannot be read: {error.strerror}; expected the weights to describe images "
            f"with: {DESCRIBER_FILE}"
        ) from error
    if expected is not None and found != expected:
        raise WeightsError(
            f"{path}: expected a file with SHA-256 {expected}, found {found}. It is cut, or "
            "another file; get it anew, or name the digest of the one that is meant"
        )
    return CropWeights(path, found)


def same_weights(where: str, found: str, asked: str, remedy: str) -> None:
    """Refuses descriptors that were made with other weights: they mean nothing to each other.

    Raises:
      WeightsError: the digests differ; both are named, and what to do.
    """
    if found != asked:
        raise WeightsError(
            f"{where}: has descriptors made with the weights of SHA-256 {found}; asked for are "
            f"those of {asked}, which cannot be compared with them. {remedy}"
        )
