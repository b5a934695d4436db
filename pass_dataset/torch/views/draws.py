"""The random numbers of a view: from the seed, the epoch, the image and the number of the view.

They come from no generator with a state, but from a hash of just these four, so they are the same
in any worker, on any rank, after any resume, and whatever was drawn for other images.

SHAKE-128 (FIPS 202) is given the text ``pass-views-1``, seed, epoch and number in decimal, and the
key, a zero byte between two of them; what it puts out are 64 bits a number, little-endian, of which
the upper 53 bits over 2**53 are the number. Each decision has a place of its own among them (see
`parameters`).
"""

from __future__ import annotations

import hashlib
import struct

import xxhash

__all__ = ["key_of", "random_numbers", "shown_key"]

#: Changes when the same four would give other numbers.
_SCHEME = b"pass-views-1"


def key_of(file: bytes | memoryview, name: str | bytes | None = None) -> bytes:
    """What tells an image from all others: its name, or else the XXH3 hash of its file.

    Raises:
      TypeError: the name is neither text nor bytes.
    """
    if name is None:
        return xxhash.xxh3_128_digest(file)
    if isinstance(name, str):
        # Names of files that are not UTF-8 come with their bytes hidden in surrogates.
        return name.encode(errors="surrogateescape")
    if not isinstance(name, bytes):
        raise TypeError(
            f"key: expected text or bytes that tell the image from all others, found {name!r} "
            f"({type(name).__name__}); str(…) makes text of it"
        )
    return name


def shown_key(key: bytes) -> str:
    """A key in a message: as text where it is, else in hexadecimal."""
    text = key.decode(errors="replace")
    return text if text.isprintable() and "\ufffd" not in text else key.hex()


def random_numbers(seed: int, epoch: int, key: bytes, number: int, count: int) -> list[float]:
    """Random numbers, evenly from 0 to below 1.

    Args:
      seed, epoch: whole numbers.
      key: of the image.
      number: of the view, from 0.
      count: of numbers. With a larger one the first stay as they are.
    """
    text = b"%s\0%d\0%d\0%d\0%s" % (_SCHEME, seed, epoch, number, key)
    digest = hashlib.shake_128(text).digest(8 * count)
    return [(bits >> 11) * 2**-53 for bits in struct.unpack(f"<{count}Q", digest)]
