"""Headers of plain images one after the other, the short way, as far as they are at hand.

By the rule of `pass_dataset.archives.plain_headers`, which looks at a thousand of them at once: of
what came with one request there are some dozens, each of which would take five times as long so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias
from zlib import adler32

__all__ = ["AddImage", "ReadInto", "plain_images"]

_BLOCK_BYTES = 512
_SUFFIX = b".jpg"
_SIDECAR = b"._"
_PLAIN_FILE, _SLASH = b"0/"
#: Of a number.
_ENDS = b" \0"
#: As which the checksum counts its own field.
_EIGHT_SPACES = 8 * ord(" ")

#: Fills memory from a position on; returns how many bytes there were.
ReadInto: TypeAlias = Callable[[bytearray, int], int]
#: Takes an image: its name without folder and ``.jpg``, where its bytes begin, and their number.
AddImage: TypeAlias = Callable[[bytes, int, int], None]


def plain_images(read_into: ReadInto, tar_bytes: int, add: AddImage, position: int) -> int:
    """Goes through members that are plain images.

    Args:
      read_into: reads from the tar.
      tar_bytes: its size.
      add: told of each image.
      position: of a header, before which there is none that belongs to it.

    Returns:
      The position of the first header that is not one of theirs, or no header at all.
    """
    room = bytearray(_BLOCK_BYTES)
    while read_into(room, position) == _BLOCK_BYTES:
        header = bytes(room)  # which is quicker to cut than what can change
        # Of ASCII alone the lower half of Adler-32 is the sum of the bytes, and one.
        if header[156] != _PLAIN_FILE or header[345] or not header.isascii():
            break
        end = header.find(0, 0, 100)
        name = header[:end]
        first = name.rfind(b"/") + 1
        if end < 0 or not name.endswith(_SUFFIX) or b".." in name or name[0] == _SLASH:
            break
        found, checksum, size = name[first:-4], header[148:156], header[124:135]
        try:
            expected = int(header[148:154], 8)
            size_bytes = int(size, 8)
        except ValueError:
            break
        total = (adler32(header) & 0xFFFF) - (adler32(checksum) & 0xFFFF) + _EIGHT_SPACES
        offset = position + _BLOCK_BYTES
        if (
            total != expected
            or header[135] not in _ENDS
            or header[154] not in _ENDS
            or header[155] not in _ENDS
            or found.startswith(_SIDECAR)
            or not size.isdigit()  # Python reads signs, blanks and underlines too
            or offset + size_bytes > tar_bytes
        ):
            break
        add(found, offset, size_bytes)
        position = offset + (size_bytes + _BLOCK_BYTES - 1) // _BLOCK_BYTES * _BLOCK_BYTES
    return position
