"""What is kept of an image, to be compared: digests and a hash, and nothing that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash

from pass_dataset.curate.duplicates.as_published import grid_digest
from pass_dataset.curate.duplicates.perceptual import CODE_WORDS, code_of
from pass_dataset.errors import MissingExtraError
from pass_dataset.images.decoding import decode

__all__ = ["DECODER_FAILED", "FINGERPRINTS", "Fingerprint", "fingerprint"]

#: What an image is called that the decoder met unprepared.
DECODER_FAILED = "decoder-failed"
#: Columns of what is kept. `code` is null where an image is too small or too even to have one that
#: would not change by itself; all but `size_bytes` and `file` are null where it is broken.
FINGERPRINTS = pa.schema(
    [
        pa.field("size_bytes", pa.int64()),
        # XXH3-128 of the file.
        pa.field("file", pa.binary(16)),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        # XXH3-128 over height, width and the pixels.
        pa.field("pixels", pa.binary(16)),
        # Over what the paper's tool compares, see `as_published`.
        pa.field("grid", pa.binary(16)),
        pa.field("code", pa.binary(8 * CODE_WORDS)),
        # Why it has no pixels; null: it has.
        pa.field("broken", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is kept of an image, see `FINGERPRINTS`."""

    size_bytes: int | None = None
    file: bytes | None = None
    width: int | None = None
    height: int | None = None
    pixels: bytes | None = None
    grid: bytes | None = None
    code: bytes | None = None
    broken: str | None = None


def fingerprint(data: bytes) -> Fingerprint:
    """That of an image file.

    A file that is no whole image, or is of one colour, is broken: it is told by its bytes alone.

    Raises:
      MissingExtraError: Pillow is not installed.
    """
    file = xxhash.xxh3_128_digest(data)
    try:
        decoded = decode(data)
    except MissingExtraError:
        raise
    except Exception:  # what goes wrong with an image is said of it
        return Fingerprint(len(data), file, broken=DECODER_FAILED)
    pixels = decoded.pixels
    if not decoded.is_ok or pixels is None:
        return Fingerprint(
            len(data), file, decoded.width, decoded.height, broken=str(decoded.outcome)
        )
    code = code_of(pixels)
    return Fingerprint(
        len(data),
        file,
        decoded.width,
        decoded.height,
        _pixel_digest(pixels),
        grid_digest(pixels),
        None if code is None else code.tobytes(),
    )


def _pixel_digest(pixels: np.ndarray[Any, Any]) -> bytes:
    digest = xxhash.xxh3_128(b"%dx%d " % pixels.shape[:2])
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.digest()
