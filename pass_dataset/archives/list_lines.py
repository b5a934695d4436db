r"""Lists of images as text files, however they were written: their lines, and what a line says.

People make lists with editors, spreadsheets, `find`, `sha256sum` and this package. So a list may
begin with a byte order mark, be in UTF-16 or UTF-32, end its lines as Windows does, or end them
with NULs (`find -print0`). A line may be a name; one that is escaped in the manner of `sha256sum`
(it begins with a backslash, see `line_to_name`); a line that such a program prints, in GNU's or
BSD's form; or a ``file://`` address. All commands that take a list read it by this module.
"""

from __future__ import annotations

import codecs
import re
import urllib.parse
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["SUMS", "Entry", "entries", "entry_of", "in_utf8", "line_to_name", "name_examples"]

#: The longer first: that of UTF-32 begins as that of UTF-16 does.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Of a text in UTF-16 that lost its mark, more than this share of the units is plain ASCII.
_ASCII_SHARE = 0.75
_LOOKED_AT_BYTES = 1 << 16

_SUM = "[0-9a-fA-F]{%d}"
#: Lengths of MD5, SHA-1, SHA-224, SHA-256, SHA-384 and SHA-512 as hexadecimal text.
SUMS = "|".join(_SUM % digits for digits in (128, 96, 64, 56, 40, 32))
#: As `sha256sum` and `md5sum` print it: a star stands before names of files read as binary.
_GNU_LINE = re.compile(rf"(\\?)({SUMS}) [ *](.+)".encode(), re.DOTALL)
_BSD_LINE = re.compile(rf"(\\?)[A-Z][A-Z0-9-]+ ?\((.+)\) = ({SUMS})".encode(), re.DOTALL)
_SHA256 = re.compile((_SUM % 64).encode())

_ESCAPED = re.compile(rb"\\(x[0-9a-f]{2}|.|\Z)", re.DOTALL)
_UNESCAPED = {b"\\": b"\\", b"n": b"\n", b"r": b"\r", b"t": b"\t"}

#: Names that a message has; the others are counted.
_NAMED = 5


def in_utf8(data: bytes) -> bytes:
    """The text of a list without byte order mark, in UTF-8.

    What has no mark and is not UTF-16 stays as it is: names of files may be any bytes.

    Raises:
      UnicodeDecodeError: it is not in the encoding that its mark says.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :] if encoding == "utf-8" else data.decode(encoding).encode()
    head = data[:_LOOKED_AT_BYTES]
    units = len(head) // 2
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        high, low = head[first::2], head[1 - first :: 2]
        if high.count(0) > _ASCII_SHARE * units > 3 * low.count(0):
            return data.decode(encoding).encode()
    return data


def entries(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbers and contents of the lines that are not empty.

    A list with a NUL in it is one of `find -print0`, where lines end with NULs and nothing is
    escaped: a name in it that begins with a backslash is given escaped.
    """
    nulls = b"\0" in text[:_LOOKED_AT_BYTES]
    for number, line in enumerate(text.split(b"\0" if nulls else b"\n"), 1):
        if not nulls:
            found = line.removesuffix(b"\r")
        elif line.startswith(b"\\"):
            found = b"\\" + line.replace(b"\\", b"\\\\")
        else:
            found = line
        if found:
            yield number, found


class Entry(NamedTuple):
    """What a line of a list says.

    Attributes:
      names: what its image may be called, the likeliest first.
      sha256: of the image's file, lower-case hexadecimal; None where the line has none.
    """

    names: tuple[bytes, ...]
    sha256: str | None


def entry_of(line: bytes) -> Entry:
    """Reads a line, which is not empty.

    Raises:
      ValueError: it is wrongly escaped.
    """
    bare = line.strip(b" \t")
    plain = bare[7:] if bare[:7].lower() == b"sha256:" else bare
    if _SHA256.fullmatch(plain):
        return Entry((), plain.decode().lower())
    names = [line_to_name(line)]
    if bare != line and bare:
        names.append(line_to_name(bare))
    digest, named = _checksum_line(bare)
    if named is not None:
        names.insert(0, named)
    if bare[:7].lower() == b"file://":
        place = urllib.parse.urlsplit(bare.decode("utf-8", "surrogateescape"))
        names.insert(0, urllib.parse.unquote_to_bytes(place.path))
    is_sha256 = digest is not None and _SHA256.fullmatch(digest)
    return Entry(tuple(names), digest.decode().lower() if digest and is_sha256 else None)


def _checksum_line(line: bytes) -> tuple[bytes | None, bytes | None]:
    """Sum and name in what a program printed that makes checksums."""
    if match := _GNU_LINE.fullmatch(line):
        escaped, digest, name = match.groups()
    elif match := _BSD_LINE.fullmatch(line):
        escaped, name, digest = match.groups()
    else:
        return None, None
    return digest, line_to_name(escaped + name) if escaped else name


def line_to_name(line: bytes) -> bytes:
    """The name that a line of a list stands for, which may be no UTF-8 if it is not escaped.

    Raises:
      ValueError: it begins with a backslash and has an escape that is none.
    """
    if not line.startswith(b"\\") or _GNU_LINE.fullmatch(line) or _BSD_LINE.fullmatch(line):
        return line
    return _ESCAPED.sub(_unescape, line[1:])


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code.startswith(b"x") and len(code) == 3:
        return bytes.fromhex(code[1:].decode())
    if code not in _UNESCAPED:
        raise ValueError(
            "a name that begins with a backslash is an escaped one, in which only \\\\, \\n, \\r, "
            f"\\t and \\xHH may stand; found \\{code.decode(errors='replace')}"
        )
    return _UNESCAPED[code]


def name_examples(names: list[str]) -> str:
    """The first of some names, for messages, and how many more there are.

    >>> name_examples(["a.jpg", "b.jpg"])
    "'a.jpg', 'b.jpg'"
    """
    shown = ", ".join(repr(name) for name in names[:_NAMED])
    rest = len(names) - _NAMED
    return f"{shown} and {rest:,} more" if rest > 0 else shown
