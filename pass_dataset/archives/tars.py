"""Where each image lies inside a tar, found by reading the headers and seeking over the bodies.

Plain ustar headers, as the PASS tars have, take the short way; pax and GNU long names, which tars
of the user's own may have, are understood too. (The standard library's `tarfile` reads the same at
about a fifth of the speed, which at 1.44 million members is minutes.)
"""

from __future__ import annotations

import functools
import os
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

from pass_dataset.archives.plain_headers import AddImages, PlainHeaders
from pass_dataset.archives.turns import Turn
from pass_dataset.errors import ArchiveError

__all__ = [
    "BLOCK_BYTES",
    "FOLDER",
    "HARD_LINK",
    "IMAGE_SUFFIX",
    "REGULAR",
    "Member",
    "Read",
    "has_header",
    "has_image_at",
    "image_hash",
    "is_sidecar",
    "members_from",
    "read_members",
]

IMAGE_SUFFIX = ".jpg"
#: A tar's unit: headers stand at multiples of it.
BLOCK_BYTES = 512

#: First bytes of what people take for a tar, and how to make one of it.
_COMPRESSED = {
    b"\x1f\x8b": ("gzip", "gunzip"),
    b"BZh": ("bzip2", "bunzip2"),
    b"\xfd7zXZ": ("xz", "unxz"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
    b"PK\x03\x04": ("zip", "unzip"),
}
REGULAR = (b"0", b"\0", b"7")
HARD_LINK, FOLDER = b"1", b"5"
#: Links, devices, folders and pipes, which have no bytes of their own, whatever their header says.
#: All other kinds have as many as it says, those that are not known too, as POSIX has it.
_BODILESS = (HARD_LINK, b"2", b"3", b"4", FOLDER, b"6")
#: Kinds whose bytes are not the file's, or are followed by more that no header counts.
_NOT_PLAIN = {
    b"S": "is a sparse file, of which GNU tar leaves out the zeros (tar --sparse)",
    b"M": "goes on from another volume (tar --multi-volume)",
}
_IMAGE_KINDS = (*REGULAR, HARD_LINK)
_PAX, _PAX_GLOBAL, _GNU_LONG_NAME, _GNU_LONG_LINK = b"x", b"g", b"L", b"K"
_SOLARIS_PAX = b"X"
_EXTENSIONS = (_PAX, _SOLARIS_PAX, _PAX_GLOBAL, _GNU_LONG_NAME, _GNU_LONG_LINK)
#: Extension headers before a member: a name, a link's target, what else pax has, and that for all.
_MAX_EXTENSIONS = 100
#: Extension headers hold names and numbers; more than this is damage, not a name.
_MAX_EXTENSION_BYTES = 1 << 20
#: Read at a time behind the end of a tar, where there are some kilobytes of zeros.
_END_READ_BYTES = 64 << 10


class Member(NamedTuple):
    """A member of a tar.

    Attributes:
      name: path inside the tar.
      kind: type flag of its header, one byte.
      offset: position of its first byte in the tar.
      size_bytes: number of its bytes.
      start: position of its first header, which is where it begins as a member.
      link: of a link, the path that it leads to; of a hard link a path inside the tar.
    """

    name: str
    kind: bytes
    offset: int
    size_bytes: int
    start: int
    link: str = ""

    @property
    def end(self) -> int:
        """Position of the header after it."""
        return self.offset + _padded(self.size_bytes)


#: Reads so many bytes at a position; fewer only at the end of the tar.
Read: TypeAlias = Callable[[int, int], bytes]


def image_hash(member: Member) -> str | None:
    """The hash that an image is named by, or a hard link to one; None for what is no image."""
    name = member.name[member.name.rfind("/") + 1 :]
    if member.kind not in _IMAGE_KINDS or not name.endswith(IMAGE_SUFFIX) or is_sidecar(name):
        return None
    return name[: -len(IMAGE_SUFFIX)]


def is_sidecar(name: str) -> bool:
    """True if macOS keeps what it knows of a file under that name, beside it (AppleDouble)."""
    return name.startswith("._")


def read_members(
    path: Path, turn: Turn | None = None, add: AddImages | None = None
) -> Iterator[Member]:
    """All members of a tar in order, folders and links included.

    Args:
      path: the tar.
      turn: of several threads that read tars; who goes through the members has it.
      add: told of the images with plain headers, which then are not among what is returned; with
        a turn only.

    Raises:
      ArchiveError: the tar is cut, compressed, damaged, unsafe, or of a kind that keeps files
        otherwise than as they are; the message names file, member and position.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise ArchiveError(f"{path}: cannot be opened: {error.strerror}") from error
    try:
        # Headers lie a hundred kilobytes apart: reading ahead would read the whole tar.
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_RANDOM)
        tar_bytes = os.fstat(handle).st_size
        read = functools.partial(os.pread if turn is None else turn.read, handle)
        skip = None
        if turn is not None and add is not None:
            read_into = functools.partial(turn.read_into, handle)
            skip = PlainHeaders(read_into, tar_bytes, add).skip
        yield from members_to_the_end(path, read, tar_bytes, skip=skip)
    except OSError as error:
        raise ArchiveError(f"{path}: cannot be read: {error.strerror}") from error
    finally:
        os.close(handle)


def members_to_the_end(
    path: Path | str,
    read: Read,
    tar_bytes: int,
    position: int = 0,
    skip: Callable[[int], int] | None = None,
) -> Iterator[Member]:
    """The members from a header on, those of tars that were joined to it too; see `members_from`.

    Raises:
      ArchiveError: as `read_members`.
    """
    at: int | None = position
    while at is not None:
        end = yield from members_from(path, read, tar_bytes, at, skip)
        at = _after_the_end(path, read, end)


def _after_the_end(path: Path | str, read: Read, position: int) -> int | None:
    """Where a tar goes on after its end, as those do that were joined with ``cat``; None: nowhere.

    Raises:
      ArchiveError: something else follows. A header that was overwritten with zeros looks so, and
        all images after it would be lost without a word.
    """
    at = position
    while chunk := read(_END_READ_BYTES, at):
        zeros = len(chunk) - len(chunk.lstrip(b"\0"))
        if zeros < len(chunk):
            at = (at + zeros) // BLOCK_BYTES * BLOCK_BYTES
            if has_header(read(BLOCK_BYTES, at)):
                return at
            raise ArchiveError(
                f"{path}: the zero block at byte {position:,} closes the tar, but bytes that are "
                f"no header follow at byte {at:,}: it is damaged, or something was put behind it. "
                "Fetch it again (pass-dataset verify names what is wrong)."
            )
        at += len(chunk)
    return None


def members_from(
    path: Path | str,
    read: Read,
    tar_bytes: int,
    position: int = 0,
    skip: Callable[[int], int] | None = None,
) -> Generator[Member, None, int]:
    """The members from a header on, in order; returns the position of the zero block behind them.

    Args:
      path: path or URL of the tar, for messages.
      read: reads from the tar.
      tar_bytes: size of the tar.
      position: of a member's first header.
      skip: from a member's first header to one that is to be looked at.

    Raises:
      ArchiveError: as `read_members`.
    """
    if position == 0:
        _refuse_compressed(path, read(8, 0))
    start = position
    longer, extensions = _Longer(), 0
    while True:
        if skip is not None and position == start:
            start = position = skip(position)
        header = read(BLOCK_BYTES, position)
        if len(header) < BLOCK_BYTES:
            raise ArchiveError(
                f"{path}: truncated: it ends at byte {tar_bytes:,} without the zero block that "
                "closes a tar. Fetch it again (pass-dataset verify names what is wrong)."
            )
        kind = header[156:157]
        if header[0] == 0 and not header.strip(b"\0"):
            return position
        size_bytes = _checked_size(path, header, position)
        body = position + BLOCK_BYTES
        if kind in _EXTENSIONS:
            extensions += 1
            if (
                extensions > _MAX_EXTENSIONS
                or size_bytes > _MAX_EXTENSION_BYTES
                or body + size_bytes > tar_bytes
            ):
                raise ArchiveError(f"{path}: damaged extension header at byte {position:,}")
            text = read(size_bytes, body)
            if kind == _GNU_LONG_NAME:
                longer.name = _text(text.rstrip(b"\0"))
            elif kind == _GNU_LONG_LINK:
                longer.link = _text(text.rstrip(b"\0"))
            elif kind != _PAX_GLOBAL:
                _read_pax(path, text, position, longer)
            position = body + _padded(size_bytes)
            continue
        if longer.size_bytes is not None:
            size_bytes = longer.size_bytes
        name = _name(header) if longer.name is None else longer.name
        link = _text(header[157:257].partition(b"\0")[0]) if longer.link is None else longer.link
        _check_name(path, name, position)
        _check_kind(path, name, kind, longer.is_sparse, position)
        longer, extensions = _Longer(), 0
        if kind in _BODILESS:
            size_bytes = 0
        if body + size_bytes > tar_bytes:
            raise ArchiveError(
                f"{path}: member {name!r} at byte {position:,} claims {size_bytes:,} bytes, which "
                f"ends past the end of the tar ({tar_bytes:,} bytes): truncated or damaged. "
                "Fetch it again (pass-dataset verify names what is wrong)."
            )
        yield Member(name, kind, body, size_bytes, start, link)
        start = position = body + _padded(size_bytes)


def _padded(size_bytes: int) -> int:
    return (size_bytes + BLOCK_BYTES - 1) // BLOCK_BYTES * BLOCK_BYTES


def has_header(block: bytes) -> bool:
    """True if a block has a header's checksum, as next to no other bytes have."""
    return _size_field(block) is not None


def has_image_at(read: Read, offset: int, size_bytes: int, expected: str) -> bool:
    """True if the header before some bytes says that they are the image of a hash.

    An image whose name is too long for a plain header has it elsewhere: the answer is no then.
    """
    header = read(BLOCK_BYTES, offset - BLOCK_BYTES)
    if len(header) < BLOCK_BYTES or _size_field(header) != size_bytes:
        return False
    return image_hash(Member(_name(header), header[156:157], offset, size_bytes, 0)) == expected


def _refuse_compressed(path: Path | str, start: bytes) -> None:
    for magic, (name, command) in _COMPRESSED.items():
        if start.startswith(magic):
            raise ArchiveError(
                f"{path}: expected a plain tar, found one compressed with {name}, which has no "
                f"offsets to read images at. Decompress it first: {command} {Path(path).name}"
            )


def _checked_size(path: Path | str, header: bytes, position: int) -> int:
    """Size field of a header whose checksum is right."""
    size_bytes = _size_field(header)
    if size_bytes is None:
        raise ArchiveError(
            f"{path}: no tar header at byte {position:,}: the tar is damaged, or is no tar. "
            "Fetch it again (pass-dataset verify names what is wrong)."
        )
    return size_bytes


def _size_field(header: bytes) -> int | None:
    """What a header says of its member's size; None if it is no header."""
    try:
        expected = int(header[148:156].strip(b" \0"), 8)
        # The checksum counts its own field as eight spaces.
        if _sum(header) - sum(header[148:156]) + 256 != expected:
            return None
        if header[124] & 0x80:  # GNU base-256, for sizes of 8 GiB and more
            return int.from_bytes(header[125:136], "big")
        size_bytes = int(header[124:136].strip(b" \0") or b"0", 8)
    except ValueError:
        return None
    # Python reads a sign, and a size below zero would lead back to where reading has been.
    return size_bytes if size_bytes >= 0 else None


def _sum(header: bytes) -> int:
    """The sum of a header's bytes, of which there are 512.

    Adler-32 has it in its lower half, modulo 65,521, which 512 letters of ASCII do not reach; it
    takes a twentieth of the time.
    """
    return (zlib.adler32(header) & 0xFFFF) - 1 if header.isascii() else sum(header)


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    if header[257:263] == b"ustar\0" and header[345]:
        name = header[345:500].partition(b"\0")[0] + b"/" + name
    return _text(name)


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


@dataclass
class _Longer:
    """What headers before a member's own say of it, as there was no room."""

    name: str | None = None
    link: str | None = None
    size_bytes: int | None = None
    is_sparse: bool = False


def _read_pax(path: Path | str, text: bytes, position: int, longer: _Longer) -> None:
    """Reads a pax header: records ``<length> <key>=<value>\\n``."""
    while text.strip(b"\0"):
        try:
            length = int(text.partition(b" ")[0])
            record = text[:length].partition(b" ")[2]
            key, equals, value = record.partition(b"=")
            if not equals or not value.endswith(b"\n") or not 0 < length <= len(text):
                raise ValueError(record)
            if key == b"path":
                longer.name = _text(value[:-1])
            elif key == b"linkpath":
                longer.link = _text(value[:-1])
            elif key == b"size":
                longer.size_bytes = int(value)
                if longer.size_bytes < 0:
                    raise ValueError(record)
        except ValueError:
            raise ArchiveError(f"{path}: damaged pax header at byte {position:,}") from None
        longer.is_sparse = longer.is_sparse or key.startswith(b"GNU.sparse")
        text = text[length:]


def _check_kind(path: Path | str, name: str, kind: bytes, is_sparse: bool, position: int) -> None:
    if is_sparse:
        kind = b"S"
    if kind in _NOT_PLAIN:
        raise ArchiveError(
            f"{path}: member {name!r} at byte {position:,} {_NOT_PLAIN[kind]}: nothing is damaged, "
            "but its bytes do not lie there as they are. Unpack the tar, and pack it anew without "
            "that option"
        )


def _check_name(path: Path | str, name: str, position: int) -> None:
    # Nothing is extracted here, but whoever extracts such a tar would write outside its folder.
    if name.startswith("/") or ".." in name.split("/"):
        raise ArchiveError(
            f"{path}: unsafe member name {name!r} at byte {position:,}: expected a relative path "
            "without '..'. Do not extract this tar; fetch the file anew from its published place."
        )
