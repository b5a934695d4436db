"""A worker of `select`: gathers pieces of metadata, one after the other."""

from __future__ import annotations

import gc
import importlib.abc
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pass_dataset.curate.select.bzip2 import OVERLAP_BYTES, Damage, blocks_between
from pass_dataset.curate.select.flickr import FlickrRows
from pass_dataset.curate.select.gathered import Gathering, gathering
from pass_dataset.curate.select.licenses import Licenses
from pass_dataset.curate.select.pieces import Piece, PieceFolder
from pass_dataset.curate.select.settings import SelectSettings
from pass_dataset.curate.select.sources import Source
from pass_dataset.curate.select.sqlite import Table, opened_database, take_rows
from pass_dataset.curate.select.text import take_text
from pass_dataset.curate.settings import section
from pass_dataset.errors import PassDatasetError
from pass_dataset.workers.giver import Giver

__all__ = ["gather", "main"]

#: What is looked at of it stays in the cache.
_BLOCK_BYTES = 4 << 20
#: Most lines are shorter.
_LINE_BYTES = 1 << 14


class _WithoutPandas(importlib.abc.MetaPathFinder):
    """Has nobody find pandas, nor the library of dates that comes with it.

    Arrow imports both wherever they are installed, to look whether what it is given is a part of
    them: that took a worker longer than all else before it began, and here nothing ever is.
    """

    def find_spec(self, name: str, *_: object) -> None:
        if name in ("pandas", "dateutil"):
            raise ModuleNotFoundError(name)


def main(folder: str, sources: str, settings: str) -> None:
    """Gathers what it is told to.

    Args:
      folder: of the pieces.
      sources: files of metadata, as JSON.
      settings: what is asked for, as JSON.
    """
    # There are no circles among rows, and looking for them in vain takes its time.
    gc.disable()
    sys.meta_path.insert(0, _WithoutPandas())
    giver = Giver()
    pieces = PieceFolder(Path(folder))
    files = [Source(**content) for content in json.loads(sources)]
    asked = section(SelectSettings, json.loads(settings), "settings")
    for line in giver.lines():
        piece = Piece(**json.loads(line))
        try:
            rows = gather(piece, files[piece.source], asked, pieces)
        except (PassDatasetError, OSError) as error:
            giver.answer(error=str(error))
        else:
            giver.answer(rows=rows)


def gather(piece: Piece, source: Source, settings: SelectSettings, folder: PieceFolder) -> int:
    """Gathers a piece; returns its rows.

    Raises:
      CurationError, DownloadError, OSError: it cannot be read or written.
    """
    with gathering(folder.path_of(piece.source, piece.number)) as gathered:
        if piece.kind == "table":
            # Readers of Parquet and CSV, which those of text and SQLite would wait for.
            from pass_dataset.curate.select.tables import take_table

            take_table(source, settings, gathered)
        else:
            rows = FlickrRows(settings, gathered, source.columns)
            if piece.kind == "sqlite":
                table = Table(piece.table, piece.start, piece.stop)
                with opened_database(source) as database:
                    take_rows(
                        database,
                        table,
                        piece.start,
                        piece.stop,
                        rows,
                        Licenses(settings.licenses),
                    )
            else:
                take_text(_blocks(piece, source, gathered), rows, gathered.counts)
            rows.finish()
    return gathered.counts.rows


def _blocks(piece: Piece, source: Source, gathered: Gathering) -> Iterator[bytes]:
    """The text of a piece."""
    path = piece.spool or source.where
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if piece.kind == "text":
            yield from _stretches(handle, piece, source)
            return
        count = min(piece.stop + OVERLAP_BYTES, source.size_bytes) - piece.start
        data = _read(handle, count, piece.start - piece.base, source)
        for block in blocks_between(data, piece.start, piece.start, piece.stop, source.size_bytes):
            if isinstance(block, Damage):
                what = "cut" if block.is_cut else "damaged"
                gathered.counts.note(what, f"{source.name}, byte {block.at:,}")
                # What is before it and what is after it are no one line.
                yield b"\n"
            else:
                yield block
    finally:
        os.close(handle)


def _stretches(handle: int, piece: Piece, source: Source) -> Iterator[bytes]:
    """The text of a piece that is not packed.

    Each block ends where a line does, if one ends soon: what is left of a line is put before the
    next block, and all of that is copied for it.
    """
    start = piece.start
    while start < piece.stop:
        stop = min(start + _BLOCK_BYTES, piece.stop)
        beyond = os.pread(handle, min(_LINE_BYTES, piece.stop - stop), stop - piece.base)
        stop += beyond.find(b"\n") + 1
        yield _read(handle, stop - start, start - piece.base, source)
        start = stop


def _read(handle: int, count: int, position: int, source: Source) -> bytes:
    """Some bytes, all of them."""
    pieces = []
    while count > 0:
        data = os.pread(handle, count, position)
        if not data:
            raise OSError(f"{source.shown}: ended early; it was changed since it was looked at")
        pieces.append(data)
        position += len(data)
        count -= len(data)
    return b"".join(pieces)
