"""Pieces put together: counts that add up, and the shards of the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pass_dataset.curate.photographs import PHOTOGRAPHS
from pass_dataset.curate.select.flickr import FlickrRows
from pass_dataset.curate.select.gathered import (
    PIECE_SCHEMA,
    Counts,
    gathering,
    load_counts,
    read_piece,
)
from pass_dataset.curate.select.pieces import PieceFolder
from pass_dataset.curate.select.settings import SelectSettings
from pass_dataset.curate.select.sources import Source
from pass_dataset.curate.select.text import Seams
from pass_dataset.curate.step_writer import StepWriter
from pass_dataset.errors import CurationError
from pass_dataset.files.arrow import column_of, numbers_of, texts_of

__all__ = ["Pieces", "put_together", "write_shards"]

_KEPT = [name for name in PIECE_SCHEMA.names if name not in ("hash_key", "id_key")]


class Pieces:
    """All photographs in order: the files of the pieces, and what each one's lines begin at.

    Attributes:
      files: Parquet of photographs, in order.
      sources: the number of the source of each file.
      lines: what is added to the lines of each.
      counts: of all.
      rows_of: rows of each source.
    """

    def __init__(self) -> None:
        self.files: list[Path] = []
        self.sources: list[int] = []
        self.lines: list[int] = []
        self.counts = Counts()
        self.rows_of: list[int] = []

    def add(self, path: Path, source: int, name: str, counts: Counts, line: int) -> None:
        """Takes a piece whose first line is `line`."""
        self.files.append(path.with_suffix(".arrow"))
        self.sources.append(source)
        self.lines.append(line)
        total = self.counts
        total.rows += counts.rows
        total.selected += counts.selected
        total.refused.update(counts.refused)
        total.noted.update(counts.noted)
        for cause, where in counts.first.items():
            if cause not in total.first:
                is_line = isinstance(where, int)
                total.first[cause] = f"{name}, line {line + int(where):,}" if is_line else where
        for short, (photos, videos) in counts.licenses.items():
            total.license(short, photos=photos, videos=videos)
        self.rows_of[source] += counts.rows


def put_together(
    sources: Sequence[Source], settings: SelectSettings, folder: PieceFolder
) -> Pieces:
    """Puts the pieces of all sources together; lines that go over their ends are looked at now.

    Raises:
      CurationError: a piece is missing or cannot be read.
      OSError: a file cannot be written.
    """
    pieces = Pieces()
    for number, source in enumerate(sources):
        pieces.rows_of.append(0)
        if source.form == "text":
            _join_text(source, number, settings, folder, pieces)
        else:
            for piece, counts in _counts_of(number, folder):
                pieces.add(folder.path_of(number, piece), number, source.name, counts, 0)
        damage = folder.damage(number)
        if damage is not None:
            pieces.counts.note("cut", damage)
    return pieces


def _counts_of(number: int, folder: PieceFolder) -> Iterator[tuple[int, Counts]]:
    for piece in range(folder.count(number) or 0):
        counts = load_counts(folder.path_of(number, piece))
        if counts is None:
            path = folder.path_of(number, piece).with_suffix(".json")
            raise CurationError(f"{path}: missing; do the step again")
        yield piece, counts


def _join_text(
    source: Source, number: int, settings: SelectSettings, folder: PieceFolder, pieces: Pieces
) -> None:
    seams, line = Seams(), 1
    last = 0
    for piece, counts in _counts_of(number, folder):
        last = piece + 1
        before = seams.line_before(counts)
        if before is not None:
            _add_line(before, source, number, piece, line, settings, folder, pieces)
            line += 1
        pieces.add(folder.path_of(number, piece), number, source.name, counts, line)
        line += counts.rows
    rest = seams.last_line()
    if rest is not None:
        _add_line(rest, source, number, last, line, settings, folder, pieces)


def _add_line(
    text: bytes,
    source: Source,
    number: int,
    piece: int,
    line: int,
    settings: SelectSettings,
    folder: PieceFolder,
    pieces: Pieces,
) -> None:
    """Takes a line that stands before a piece."""
    path = folder.seam_path(number, piece)
    with gathering(path) as gathered:
        rows = FlickrRows(settings, gathered, source.columns)
        rows.take_line(text, 0)
        rows.finish()
    pieces.add(path, number, source.name, gathered.counts, line)


def write_shards(
    pieces: Pieces,
    sources: Sequence[Source],
    settings: SelectSettings,
    writer: StepWriter,
    *,
    same_id: npt.NDArray[np.int64],
    same_hash: npt.NDArray[np.int64],
) -> None:
    """Writes the shards of the ledger, those that are there left as they are.

    Args:
      pieces: of all sources.
      sources: files of metadata.
      settings: what is asked for.
      writer: of the step.
      same_id, same_hash: photographs whose number or hash was met before, in order.

    Raises:
      OSError: they cannot be written.
    """
    names = texts_of([source.name for source in sources])
    size, start, shard = settings.shard_rows, 0, 0
    held: list[pa.Table] = []
    held_rows = 0

    def put(rows: int) -> None:
        nonlocal start, shard, held, held_rows
        table = pa.concat_tables(held)
        if not writer.ledger.folder.shard_path(writer.step, shard).exists():
            causes = _causes(start, start + rows, same_id, same_hash)
            writer.write(shard, _shard(table.slice(0, rows).combine_chunks(), start, causes))
        held, held_rows = [table.slice(rows)], held_rows - rows
        start += rows
        shard += 1

    for path, source, line in zip(pieces.files, pieces.sources, pieces.lines, strict=True):
        table = read_piece(path, _KEPT)
        if not table.num_rows:
            continue
        lines = [column_of(numbers_of(chunk) + line) for chunk in table["line"].chunks]
        table = table.set_column(
            table.schema.get_field_index("line"), "line", pa.chunked_array(lines)
        )
        number = column_of(np.full(table.num_rows, source, np.int32))
        held.append(table.append_column("source", names.take(number)))
        held_rows += table.num_rows
        while held_rows >= size:
            put(size)
    if held_rows:
        put(held_rows)


def _causes(
    start: int, stop: int, same_id: npt.NDArray[np.int64], same_hash: npt.NDArray[np.int64]
) -> pa.Array:
    """Causes of the photographs of a range: what was met before."""
    which = np.zeros(stop - start, np.int32)
    for number, places in enumerate((same_hash, same_id), 1):
        first, last = np.searchsorted(places, (start, stop))
        which[places[first:last] - start] = number
    return texts_of([None, "duplicate-hash", "duplicate-id"]).take(column_of(which))


def _shard(table: pa.Table, start: int, causes: pa.Array) -> pa.Table:
    """A shard as the ledger has it."""
    columns = [table[item.name].combine_chunks() for item in PHOTOGRAPHS]
    arrays = [
        column.dictionary_encode().cast(item.type)
        if pa.types.is_dictionary(item.type)
        else column.cast(item.type)
        for column, item in zip(columns, PHOTOGRAPHS, strict=True)
    ]
    said = pa.Table.from_arrays(arrays, schema=PHOTOGRAPHS)
    rows = column_of(np.arange(start, start + table.num_rows, dtype=np.int64))
    return said.add_column(0, "cause", causes).add_column(0, "row", rows)
