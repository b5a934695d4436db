"""EXIF data: the entries of their first directory, found without trust in any number of theirs.

An entry is 12 bytes: tag, type, number of values, and four bytes that hold the value or, where it
needs more, say where it stands (TIFF 6.0, section 2).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from typing import NamedTuple

__all__ = ["ASCII", "EXIF_START", "ExifEntry", "first_directory"]

#: What stands before the data in a JPEG's segment, and in some WebP files.
EXIF_START = b"Exif\0\0"
#: Type of text (TIFF 6.0, section 2); it has so many bytes as values.
ASCII = 2

_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
#: By byte order, what is read: a place, the number of entries, an entry.
_PLACE, _NUMBER, _ENTRY = (
    {order: struct.Struct(order + fields) for order in "<>"} for fields in ("I", "H", "HHII")
)
#: Where the directory's place stands.
_PLACE_AT = 4
#: Bytes of the number of entries, and of an entry; of this, those that hold the value, its last.
_NUMBER_BYTES, _ENTRY_BYTES, _FIELD_BYTES = 2, 12, 4


class ExifEntry(NamedTuple):
    """An entry of a directory.

    Attributes:
      tag: what it states, by number.
      type: of its values, by number.
      number: the first 16 bits of the value, as a number, where it is in the entry itself.
      text_start, text_end: where its bytes stand in the data, if it is text; they may lie outside.
    """

    tag: int
    type: int
    number: int
    text_start: int
    text_end: int


def first_directory(tiff: bytes, tags: Collection[int]) -> Iterator[ExifEntry]:
    """Entries of the first directory in their order, as far as the data have them.

    Data that are no EXIF data, or whose directory lies outside them, have none. There are never
    more than fit into the data, nor more than 65,535.

    Args:
      tiff: the data from the byte order mark on.
      tags: of the entries that are wanted.
    """
    order = _BYTE_ORDERS.get(tiff[:_PLACE_AT])
    if order is None or len(tiff) < _PLACE_AT + 4:
        return
    (place,) = _PLACE[order].unpack_from(tiff, _PLACE_AT)
    start = place + _NUMBER_BYTES
    if start > len(tiff):
        return
    (stated,) = _NUMBER[order].unpack_from(tiff, place)
    end = start + min(stated, (len(tiff) - start) // _ENTRY_BYTES) * _ENTRY_BYTES
    shift = 0 if order == "<" else 16
    for tag, type_, count, field in _ENTRY[order].iter_unpack(tiff[start:end]):
        start += _ENTRY_BYTES
        if tag in tags:
            text = start - _FIELD_BYTES if count <= _FIELD_BYTES else field
            yield ExifEntry(tag, type_, field >> shift & 0xFFFF, text, text + count)
