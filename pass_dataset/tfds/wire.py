"""Records as `tf.train.Example` messages, written straight in protobuf's wire format.

Building the message objects costs a third of a millisecond a record and copies the JPEG three
times; the bytes before the JPEG can be had for a hundredth of that. The fields come in the order
in which Python's protobuf serializes a map deterministically: sorted by name, a name after those
that begin with it, so that the JPEG is last. (TFDS asks for no order and gets that of a hash table
which is seeded anew in each process: its files differ from run to run.)

The format: https://protobuf.dev/programming-guides/encoding, with the messages of
tensorflow/core/example/example.proto and feature.proto:

    Example  { Features features = 1; }
    Features { map<string, Feature> feature = 1; }    an entry: { key = 1; value = 2; }
    Feature  { oneof { BytesList bytes_list = 1; FloatList float_list = 2; } }
    BytesList { repeated bytes value = 1; }
    FloatList { repeated float value = 1 [packed = true]; }
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "CREATOR",
    "DATE_TAKEN",
    "GPS_BYTES",
    "GPS_LAT",
    "GPS_LON",
    "HASH",
    "IMAGE",
    "before_jpeg",
    "example_sizes",
    "varint",
]

IMAGE = "image"
CREATOR = "image/creator_uname"
DATE_TAKEN = "image/date_taken"
GPS_LAT = "image/gps_lat"
GPS_LON = "image/gps_lon"
HASH = "image/hash"

#: A float32, little-endian.
GPS_BYTES = 4

#: Tags of fields 1 and 2 with a length before their content (wire type 2).
_FIELD_1, _FIELD_2 = b"\x0a", b"\x12"


def varint(value: int) -> bytes:
    """A number of 0 or more in protobuf's variable length: seven bits a byte, lowest first."""
    if value < 0x80:
        return _SHORT[value]
    pieces = bytearray()
    while value >= 0x80:
        pieces.append(value & 0x7F | 0x80)
        value >>= 7
    pieces.append(value)
    return bytes(pieces)


_SHORT = tuple(bytes([value]) for value in range(0x80))


def _varint_size(value: int) -> int:
    return max(1, -(-value.bit_length() // 7))


def _field_size(content: int) -> int:
    """Bytes of tag, length and content of a field with a length."""
    return 1 + _varint_size(content) + content


def _key(name: str) -> bytes:
    return _FIELD_1 + varint(len(name)) + name.encode("ascii")


def _start(key: bytes, kind: bytes, size_bytes: int) -> bytes:
    """All of a map entry with a single value that stands before the value.

    Args:
      key: the feature's name, as `_key` gives it.
      kind: field of the list that the value is in: bytes or floats.
      size_bytes: of the value.
    """
    values = _field_size(size_bytes)
    feature = _field_size(values)
    entry = len(key) + _field_size(feature)
    return b"".join(
        (
            _FIELD_1,
            varint(entry),
            key,
            _FIELD_2,
            varint(feature),
            kind,
            varint(values),
            _FIELD_1,
            varint(size_bytes),
        )
    )


#: Fields of a feature: its list of bytes, its list of floats.
_BYTES_LIST, _FLOAT_LIST = _FIELD_1, _FIELD_2
_IMAGE_KEY = _key(IMAGE)
#: Names and dates are short: what stands before them is looked up by key and length.
_CREATOR_STARTS, _DATE_STARTS, _HASH_STARTS = (
    tuple(_start(_key(name), _BYTES_LIST, size) for size in range(0x80))
    for name in (CREATOR, DATE_TAKEN, HASH)
)
_LAT_START, _LON_START = (_start(_key(name), _FLOAT_LIST, GPS_BYTES) for name in (GPS_LAT, GPS_LON))


def _text(starts: tuple[bytes, ...], name: str, value: bytes) -> bytes:
    size = len(value)
    return (starts[size] if size < 0x80 else _start(_key(name), _BYTES_LIST, size)) + value


def before_jpeg(
    jpeg_bytes: int, creator: bytes, date_taken: bytes, gps: bytes, image_hash: bytes
) -> bytes:
    """All of an example but its JPEG, which comes last.

    Args:
      jpeg_bytes: size of the JPEG.
      creator, date_taken, image_hash: UTF-8; empty where not known.
      gps: latitude and longitude, two little-endian float32.
    """
    content = b"".join(
        (
            _text(_CREATOR_STARTS, CREATOR, creator),
            _text(_DATE_STARTS, DATE_TAKEN, date_taken),
            _LAT_START,
            gps[:GPS_BYTES],
            _LON_START,
            gps[GPS_BYTES:],
            _text(_HASH_STARTS, HASH, image_hash),
            _start(_IMAGE_KEY, _BYTES_LIST, jpeg_bytes),
        )
    )
    return _FIELD_1 + varint(len(content) + jpeg_bytes) + content


def example_sizes(
    jpeg_bytes: np.ndarray[Any, Any],
    creator_bytes: np.ndarray[Any, Any],
    date_taken_bytes: np.ndarray[Any, Any],
    hash_bytes: np.ndarray[Any, Any],
) -> np.ndarray[Any, Any]:
    """Sizes of whole examples, from the sizes of their values (all int64 of one length)."""
    total = 0 * jpeg_bytes + len(_LAT_START) + len(_LON_START) + 2 * GPS_BYTES
    for name, sizes in (
        (IMAGE, jpeg_bytes),
        (CREATOR, creator_bytes),
        (DATE_TAKEN, date_taken_bytes),
        (HASH, hash_bytes),
    ):
        feature = _field_sizes(_field_sizes(sizes))
        total = total + _field_sizes(len(_key(name)) + _field_sizes(feature))
    return _field_sizes(total)


def _field_sizes(content: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """`_field_size` of many."""
    # Lengths of seven bits take one byte, of fourteen two, and so on; sizes stay below 2**56.
    bounds = np.array([1 << bits for bits in range(7, 57, 7)], np.int64)
    return content + 2 + np.searchsorted(bounds, content, side="right")
