"""Text in pieces that are cut anywhere: lines within, and what is left at both ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pass_dataset.curate.select.flickr import FlickrRows
from pass_dataset.curate.select.gathered import Counts

__all__ = ["Seams", "take_text"]

#: No row of YFCC100M comes near it. Of what is longer only so much is seen, wherever it is cut.
_MOST_LINE_BYTES = 1 << 20
_HALF_LINE_BYTES = _MOST_LINE_BYTES // 2
#: Text that is looked at together: what is done once for a block is little then, and what is done
#: for a byte stays in the cache.
_BLOCK_BYTES = 4 << 20


def take_text(blocks: Iterable[bytes], rows: FlickrRows, counts: Counts) -> None:
    """Takes the lines of a piece of text; the ends become `head` and `tail` of the counts.

    Args:
      blocks: the piece, in blocks that are cut anywhere.
      rows: takes the lines, which are counted from 0.
      counts: of the piece.
    """
    before, is_head, number = b"", True, 0
    for block in _larger(blocks):
        text = before + _rest_of(before, block)
        if is_head and (start := text.find(b"\n") + 1):
            counts.head = text[: start - 1].decode("latin-1")
            is_head = False
            text = text[start:]
        stop = text.rfind(b"\n") + 1
        if is_head or not stop:
            before = text[:_MOST_LINE_BYTES]
            continue
        before = text[stop:][:_MOST_LINE_BYTES]
        text, stop = _shortened(text, stop)
        number += rows.take_block(text, number, stop)
    counts.tail = before[:_MOST_LINE_BYTES].decode("latin-1")
    counts.has_newline = not is_head


def _rest_of(before: bytes, block: bytes) -> bytes:
    """What is seen of a block behind a line that has begun; of one too long, only its newline."""
    if len(before) < _MOST_LINE_BYTES:
        return block
    end = block.find(b"\n")
    return block[end:] if end >= 0 else b""


def _shortened(text: bytes, stop: int) -> tuple[bytes, int]:
    """Lines up to a place, none of which is too long, and where they end then."""
    # A line that is too long is all that there is in one of these halves at least.
    if all(
        text.find(b"\n", start, start + _HALF_LINE_BYTES) >= 0
        for start in range(0, stop - _HALF_LINE_BYTES, _HALF_LINE_BYTES)
    ):
        return text, stop
    text = b"\n".join(line[:_MOST_LINE_BYTES] for line in text[:stop].split(b"\n"))
    return text, len(text)


def _larger(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text in blocks that are worth looking at by the column; bzip2's are not."""
    held: list[bytes] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= _BLOCK_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


class Seams:
    """Lines that go over the ends of pieces: what is left of one, and the head of the next."""

    def __init__(self) -> None:
        self._open = ""

    def line_before(self, counts: Counts) -> bytes | None:
        """The line that ends at the first newline of a piece; None: it does not end in it."""
        if not counts.has_newline:
            self._open = (self._open + counts.tail)[:_MOST_LINE_BYTES]
            return None
        line = (self._open + counts.head)[:_MOST_LINE_BYTES]
        self._open = counts.tail
        return line.encode("latin-1")

    def last_line(self) -> bytes | None:
        """What stands after the last newline of all."""
        line, self._open = self._open, ""
        return line.encode("latin-1") or None
