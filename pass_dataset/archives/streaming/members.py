"""Images of a stretch of a tar, found without having read what is before it.

Inside a tar nothing marks where a member begins, and an image may have bytes that look like a
header: a tar inside a JPEG would. So no header is believed alone. From a position before the
stretch on, the first block is looked for that has a header's checksum and is followed, each where
the last one says, by more headers, for longer than an image has bytes, and one of which names an
image that the metadata knows. A tar inside an image ends with the image; the way from a true header
goes on to the end. From there the way is that of any tar, and every later header is checked again.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Protocol

import numpy as np

from pass_dataset.archives.streaming.held_headers import plain_images
from pass_dataset.archives.tars import (
    BLOCK_BYTES,
    IMAGE_SUFFIX,
    REGULAR,
    Member,
    has_header,
    image_hash,
    members_to_the_end,
)
from pass_dataset.errors import ArchiveError

__all__ = ["SEARCH_BYTES", "TarBytes", "members_between"]

#: Where the search begins, before the stretch: two images of the usual size, so that mostly a
#: header before the stretch is found, and the way into it is no search. It also has to be more
#: than the extension headers (long names, pax) that a member may begin with.
_LOOK_BACK_BYTES = 64 << 10
#: How much farther back the search begins each time that it is done again.
_FARTHER = 4
#: Headers that have to follow one another, and over how many bytes: more than a photograph of 500
#: pixels can have.
_CHAIN = 3
_CHAIN_BYTES = 1 << 20
#: Looked through at a time for something like a header.
_PIECE_BYTES = 64 << 10
#: What is looked at behind the start of a stretch, as a rule, before its first header is believed.
SEARCH_BYTES = _CHAIN_BYTES
#: As `_CHAIN` where the metadata knows none of the images, as in a collection that lacks many rows.
_UNKNOWN_CHAIN = 15
_PLAIN = REGULAR[0]
#: Times that bytes which make no sense are fetched again before they are believed.
_RETRIES = 2


class TarBytes(Protocol):
    """Bytes of a tar, as `RangeReader` reads them."""

    def read(self, size_bytes: int, position: int) -> bytes:
        """Some bytes; fewer only at the end."""

    def read_held(self, memory: bytearray, position: int) -> int:
        """Fills memory if all its bytes are at hand, and returns their number; else 0."""

    def forget(self, position: int) -> None:
        """What is before need not be kept: as good as never is it asked for again."""

    def distrust(self) -> None:
        """The bytes so far make no sense; they are to be fetched again."""


def members_between(
    tar: TarBytes,
    name: str,
    tar_bytes: int,
    start: int,
    stop: int,
    known: Container[str],
    *,
    first: int | None = None,
    on_end: Callable[[int], None] = lambda position: None,
) -> Iterator[Member]:
    """Members whose first header begins in a stretch, in order.

    Args:
      tar: the bytes.
      name: of the tar, for messages.
      tar_bytes: its size.
      start, stop: the stretch.
      known: hashes that the metadata has.
      first: position of the first member's header, if that is known.
      on_end: told where the first header after the stretch is.

    Raises:
      ArchiveError: the tar is damaged, or comes damaged again and again.
      DownloadError: bytes cannot be had.
    """
    position = _first_member(tar, name, tar_bytes, start, stop, known) if first is None else first
    if position is not None and position >= stop:  # an image is longer than the stretch
        on_end(position)
    tries = 0
    while position is not None and position < stop:
        images, position = _plain_run(tar, tar_bytes, position, stop)
        for image in images:
            yield image
            tries = 0
            tar.forget(image.end)
        if position >= stop:  # asking for the next header would be one more request
            on_end(position)
            return
        try:
            for member in members_to_the_end(name, tar.read, tar_bytes, position):
                if member.start >= stop:
                    on_end(member.start)
                    return
                yield member
                tries = 0
                tar.forget(member.end)
                position = member.end
                if position >= stop:
                    on_end(position)
                    return
                break  # what came with it may be gone through the short way
            else:
                on_end(tar_bytes)
                return
        except ArchiveError:
            tries += 1
            if tries > _RETRIES:
                raise
            tar.distrust()


def _plain_run(tar: TarBytes, tar_bytes: int, position: int, stop: int) -> tuple[list[Member], int]:
    """Plain images one after the other whose headers are at hand, and where the next header is.

    They are named without their folder.
    """
    images: list[Member] = []

    def add(found: bytes, offset: int, size_bytes: int) -> None:
        name = found.decode("ascii") + IMAGE_SUFFIX
        images.append(Member(name, _PLAIN, offset, size_bytes, offset - BLOCK_BYTES))

    def read(memory: bytearray, at: int) -> int:
        return tar.read_held(memory, at) if at < stop else 0

    return images, plain_images(read, tar_bytes, add, position)


def _first_member(
    tar: TarBytes, name: str, tar_bytes: int, start: int, stop: int, known: Container[str]
) -> int | None:
    """Position of the first member that begins in the stretch; None if none does."""
    back = _LOOK_BACK_BYTES
    while (position := max(0, start - back) // BLOCK_BYTES * BLOCK_BYTES) > 0:
        found, is_sure = _first_believed(tar, name, tar_bytes, position, stop, known)
        # Behind an end members are found that begin there; those before it would be lost.
        if is_sure or (found is not None and found <= start):
            return None if found is None else _after(tar, name, tar_bytes, found, start, stop)
        back = max(_FARTHER * back, 2 * _CHAIN_BYTES)
    # Every tar begins with a header.
    return _after(tar, name, tar_bytes, 0, start, stop)


def _first_believed(
    tar: TarBytes, name: str, tar_bytes: int, position: int, stop: int, known: Container[str]
) -> tuple[int | None, bool]:
    """Position of the first header before `stop` that is believed; False if one may be before."""
    is_sure = True
    while position < stop:
        data = tar.read(min(_PIECE_BYTES, stop - position + BLOCK_BYTES), position)
        found = _first_candidate(data)
        if found is None:
            position += max(BLOCK_BYTES, len(data) // BLOCK_BYTES * BLOCK_BYTES)
            tar.forget(position)
            continue
        position += found * BLOCK_BYTES
        if position >= stop:
            break
        block = data[found * BLOCK_BYTES : (found + 1) * BLOCK_BYTES]
        if has_header(block):
            is_one = _is_believed(tar, name, tar_bytes, position, known)
            if is_one:
                return position, is_sure
            is_sure = is_sure and is_one is not None
        position += BLOCK_BYTES
        tar.forget(position)
    return None, is_sure


def _first_candidate(data: bytes) -> int | None:
    """Number of the first block that has digits where a header has its checksum; None if none."""
    blocks = np.frombuffer(data, np.uint8, len(data) // BLOCK_BYTES * BLOCK_BYTES)
    checksums = blocks.reshape(-1, BLOCK_BYTES)[:, 148:156]
    is_digit = (checksums >= ord("0")) & (checksums <= ord("7"))
    is_end = (checksums == ord(" ")) | (checksums == 0)
    found = np.flatnonzero((is_digit | is_end).all(axis=1) & is_digit.any(axis=1))
    return int(found[0]) if len(found) else None


def _is_believed(
    tar: TarBytes, name: str, tar_bytes: int, position: int, known: Container[str]
) -> bool | None:
    """True if a block that looks like a header is one, as far as can be told from what follows.

    None: what follows is too little to tell. Another tar is joined to this one there, or a tar is
    an image's bytes; a header there is damaged; no image up to the end has a row in the metadata.
    Who comes from farther back knows.
    """
    for left in reversed(range(_RETRIES)):
        chain, _ = _plain_run(tar, tar_bytes, position, position + _CHAIN_BYTES + 1)
        if _is_long_enough(chain, any(image_hash(member) in known for member in chain)):
            return True
        chain = []
        knows_one = False
        try:
            for member in members_to_the_end(name, tar.read, tar_bytes, position):
                if chain and member.start != chain[-1].end:
                    return None
                chain.append(member)
                knows_one = knows_one or image_hash(member) in known
                if _is_long_enough(chain, knows_one):
                    return True
        except ArchiveError:
            # Either the header is none, or a byte of a later one came wrong: to take the second
            # for the first would lose a record.
            if left and knows_one:
                tar.distrust()
                continue
            return None if knows_one else False
        return knows_one or None  # and nothing but zeros follows, to the end of the tar
    return False


def _is_long_enough(chain: list[Member], knows_one: bool) -> bool:
    if len(chain) < (_CHAIN if knows_one else _UNKNOWN_CHAIN):
        return False
    return chain[-1].end - chain[0].start >= _CHAIN_BYTES


def _after(
    tar: TarBytes, name: str, tar_bytes: int, position: int, start: int, stop: int
) -> int | None:
    """Position of the first member at or after `start`, on the way from a header before it."""
    tries = 0
    while position < start:
        _, position = _plain_run(tar, tar_bytes, position, start)
        if position >= start:
            break
        try:
            for member in members_to_the_end(name, tar.read, tar_bytes, position):
                position = member.end
                tar.forget(position)
                if position >= start:
                    break
            else:
                return None
        except ArchiveError:
            tries += 1
            if tries > _RETRIES:
                raise
            tar.distrust()
    return position if position < stop else None
