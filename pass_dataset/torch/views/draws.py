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

__all__ = ["key_of", "random_numbers"]

#: Changes when the same four would give other numbers.
_SCHEME = b"pass-views-1"


def key_of(file: bytes | memoryview, name: str | bytes | None = None) -> bytes:
    """What tells an image from all others: its name, or else the XXH3 hash of its file."""
    if name is None:
        return xxhash.xxh3_128_digest(file)
    return name.encode() if isinstance(name, str) else name


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
