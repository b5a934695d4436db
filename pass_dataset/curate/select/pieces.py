"""Pieces of metadata: what a worker does at a time, and what it is kept as.

Pieces are cut by size alone, so they are the same for any number of workers, and one that is done
is not done again after a kill. What streams (compressed text that cannot be entered in the middle,
files on a server that has no ranges to give to several) is put down in a file for each piece, which
is gone when the piece is done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pass_dataset.curate.select.bzip2 import OVERLAP_BYTES
from pass_dataset.curate.select.remote import RemoteBytes
from pass_dataset.curate.select.sources import Source, packed, unpacked
from pass_dataset.curate.select.sqlite import Table, check_length, find_table, opened_database
from pass_dataset.errors import CurationError
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.files.whole import write_whole

__all__ = ["Piece", "PieceFolder", "Sizes", "pieces_of"]

Kind = Literal["text", "bz2", "sqlite", "table"]
_READ_BYTES = 1 << 16


@dataclass(frozen=True)
class Sizes:
    """How much a piece is.

    Attributes:
      text: bytes of text.
      bz2: bytes of compressed text, five times as much when it is unpacked.
      sqlite: bytes of the file, on average.
    """

    text: int = 128 << 20
    bz2: int = 2 << 20
    sqlite: int = 32 << 20


@dataclass(frozen=True)
class Piece:
    """A piece of a file of metadata.

    Attributes:
      source: number of the file.
      number: of the piece within it.
      kind: how it is read.
      start, stop: bytes of the file, or of what is unpacked of it; numbers of rows in SQLite.
      spool: file that has its bytes; None: they are read from where the source lies.
      base: position of the spool's first byte.
      size_bytes: what it is of the source, for progress.
      table: of SQLite, its name.
    """

    source: int
    number: int
    kind: Kind
    start: int
    stop: int
    size_bytes: int
    spool: str | None = None
    base: int = 0
    table: str = ""

    @property
    def name(self) -> str:
        return f"{self.source:04d}-{self.number:06d}"

    def line(self) -> str:
        """As a worker is told of it."""
        return json.dumps(asdict(self))


class PieceFolder:
    """The folder of the pieces. This class owns every name in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def path_of(self, source: int, number: int) -> Path:
        """A piece's files, but for their endings."""
        return self.path / f"{source:04d}-{number:06d}"

    def spool_path(self, source: int, number: int) -> Path:
        return self.path / f"{source:04d}-{number:06d}.spool"

    def seam_path(self, source: int, number: int) -> Path:
        """Files of the line that ends in a piece and begins before it."""
        return self.path / f"{source:04d}-{number:06d}-before"

    def is_done(self, source: int, number: int) -> bool:
        return self.path_of(source, number).with_suffix(".json").exists()

    def has_any(self) -> bool:
        """Whether a piece of any source is done."""
        return any(self.path.glob("????-??????.json"))

    def count(self, source: int) -> int | None:
        """Pieces of a source; None: it is not read to its end."""
        try:
            return int(load_json(self._end_path(source))["pieces"])
        except FileNotFoundError:
            return None
        except (KeyError, ValueError) as error:
            path = self._end_path(source)
            raise CurationError(f"{path}: cannot be read: {error}; remove it and go on") from error

    def damage(self, source: int) -> str | None:
        """Why a source ended too early."""
        found = load_json(self._end_path(source)).get("damage")
        return None if found is None else str(found)

    def end(self, source: int, pieces: int, damage: str | None) -> None:
        """Says that a source has so many pieces."""
        save_json(self._end_path(source), {"pieces": pieces, "damage": damage})

    def _end_path(self, source: int) -> Path:
        return self.path / f"{source:04d}.json"

    def drop_spool(self, piece: Piece) -> None:
        """Removes what was put down for a piece that is done."""
        if piece.spool is not None:
            Path(piece.spool).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Removes what a run that was killed had put down for its workers."""
        for path in self.path.glob("*.spool"):
            path.unlink()


def pieces_of(
    source: Source,
    number: int,
    folder: PieceFolder,
    sizes: Sizes,
    skipped: Callable[[int], None],
) -> Iterator[Piece]:
    """The pieces of a source that are not done; at the end, how many there are is written down.

    Args:
      source: the file of metadata.
      number: of the source.
      folder: where pieces are kept.
      sizes: how much a piece is.
      skipped: is told the bytes of pieces that are done.

    Raises:
      CurationError, DownloadError, OSError: it cannot be read.
    """
    if folder.count(number) is not None:
        missing = (
            piece for piece in range(folder.count(number) or 0) if not folder.is_done(number, piece)
        )
        if next(missing, None) is None:
            skipped(source.size_bytes)
            return
    if source.form in ("table", "parquet"):
        yield from _undone([Piece(number, 0, "table", 0, 0, source.size_bytes)], folder, skipped)
        folder.end(number, 1, None)
    elif source.form == "sqlite":
        pieces = list(_ranges(source, number, sizes.sqlite))
        yield from _undone(pieces, folder, skipped)
        folder.end(number, len(pieces), None)
    elif source.packing in ("", "bz2"):
        kind: Kind = "bz2" if source.packing else "text"
        pieces = list(_stretches(source.size_bytes, number, kind, getattr(sizes, kind)))
        undone = _undone(pieces, folder, skipped)
        yield from _fetched(source, undone, folder) if source.is_remote else undone
        folder.end(number, len(pieces), None)
    else:
        yield from _unpacked(source, number, folder, sizes.text, skipped)


def _undone(
    pieces: list[Piece], folder: PieceFolder, skipped: Callable[[int], None]
) -> Iterator[Piece]:
    for piece in pieces:
        if folder.is_done(piece.source, piece.number):
            skipped(piece.size_bytes)
        else:
            yield piece


def _stretches(size: int, source: int, kind: Kind, step: int) -> Iterator[Piece]:
    for number, start in enumerate(range(0, size, step)):
        stop = min(size, start + step)
        yield Piece(source, number, kind, start, stop, stop - start)


def _ranges(source: Source, number: int, step: int) -> Iterator[Piece]:
    """Ranges of the numbers of rows, as even as these are."""
    if source.is_remote:
        remote = RemoteBytes(source.where, source.size_bytes)
        try:
            header = remote.read_single(100, 0)
        finally:
            remote.close()
    else:
        with Path(source.where).open("rb") as file:
            header = file.read(100)
    check_length(source, header)
    with opened_database(source) as database:
        table: Table = find_table(database, source)
    count = max(1, -(-source.size_bytes // step))
    width = max(1, -(-(table.last - table.first + 1) // count))
    for piece, start in enumerate(range(table.first, table.last + 1, width)):
        yield Piece(
            number,
            piece,
            "sqlite",
            start,
            start + width,
            source.size_bytes // count,
            table=table.name,
        )


def _fetched(source: Source, pieces: Iterator[Piece], folder: PieceFolder) -> Iterator[Piece]:
    """Pieces of a file on a server, their bytes put down here: one connection fetches them all."""
    remote = RemoteBytes(source.where, source.size_bytes)
    try:
        for piece in pieces:
            more = OVERLAP_BYTES if piece.kind == "bz2" else 0
            data = remote.read(piece.stop - piece.start + more, piece.start)
            yield _spooled(piece, data, folder)
    finally:
        remote.close()


def _unpacked(
    source: Source, number: int, folder: PieceFolder, step: int, skipped: Callable[[int], None]
) -> Iterator[Piece]:
    """Pieces of text that is unpacked from its beginning on, whatever of it is done."""
    damage, piece, start, before = None, 0, 0, 0
    raw = packed(source)
    with unpacked(raw, source) as file:
        while damage is None:
            blocks, size = [], 0
            try:
                while size < step and (block := file.read(min(_READ_BYTES, step - size))):
                    blocks.append(block)
                    size += len(block)
            except OSError as error:
                damage = f"{source.name}, after {start + size:,} bytes of text: {error}"
            if not size:
                break
            position = raw.tell()
            found = Piece(number, piece, "text", start, start + size, position - before)
            before = position
            if folder.is_done(number, piece):
                skipped(found.size_bytes)
            else:
                yield _spooled(found, b"".join(blocks), folder)
            piece += 1
            start += size
    folder.end(number, piece, damage)


def _spooled(piece: Piece, data: bytes, folder: PieceFolder) -> Piece:
    path = folder.spool_path(piece.source, piece.number)
    write_whole(path, data, durable=False)
    return Piece(**{**asdict(piece), "spool": str(path), "base": piece.start})
