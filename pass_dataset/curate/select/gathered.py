"""What a piece of metadata came to: counts, and the photographs that are selected of it.

Two files a piece: the photographs as Arrow has them in memory (Parquet, which the ledger is, takes
ten times as long to write and read; packed by LZ4, half the room but four times as long, and it is
given back when the step is done), and the counts as JSON, which is written last. Lines are counted
from the beginning of the piece; so whoever puts pieces together (`whole`) adds what came before.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from pass_dataset.curate.photographs import PHOTOGRAPHS
from pass_dataset.errors import CurationError
from pass_dataset.files.arrow import column_of, texts_of
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.files.whole import writing_whole

__all__ = [
    "PIECE_SCHEMA",
    "Counts",
    "Gathering",
    "Photograph",
    "gathering",
    "hash_keys",
    "id_keys",
    "load_counts",
    "read_piece",
    "table_of",
]

#: In the order of `PHOTOGRAPHS`, without `source`, which is the same for a piece.
Photograph = tuple[Any, ...]
_COLUMNS = [
    pa.field(item.name, item.type.value_type if pa.types.is_dictionary(item.type) else item.type)
    for item in PHOTOGRAPHS
    if item.name != "source"
]
#: `hash_key` and `id_key` are what duplicates are looked for by; equal ones are compared as text.
PIECE_SCHEMA = pa.schema(
    [*_COLUMNS, pa.field("hash_key", pa.uint64()), pa.field("id_key", pa.uint64())]
)
_HASH, _ID = (PIECE_SCHEMA.get_field_index(name) for name in ("hash", "photo_id"))
_KEY_CHARACTERS = 16
#: Photographs that are held before they are written.
_MOST_ROWS = 20_000


def hash_keys(hashes: pa.Array) -> pa.Array:
    """64 bits of each hash, of its first 16 characters (uint64)."""
    offsets = np.frombuffer(hashes.buffers()[1], np.int32)[hashes.offset :][: len(hashes)]
    data = np.frombuffer(hashes.buffers()[2] or b"", np.uint8)
    words = data[offsets[:, None] + np.arange(_KEY_CHARACTERS)].view("<u8").reshape(-1, 2)
    # A character has four bits of its own; so one word alone would be 32 bits.
    return column_of(words[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ words[:, 1])


def id_keys(ids: pa.Array) -> pa.Array:
    """64 bits of each number of a photograph; null where there is none (uint64)."""
    try:
        return pc.cast(ids, pa.uint64())
    except pa.ArrowInvalid:  # some are no numbers: then all are taken as text, one by one
        return pa.array([_id_key(text) for text in ids.to_pylist()], pa.uint64())


def _id_key(text: str | None) -> int | None:
    if text is None:
        return None
    if text.isascii() and text.isdigit() and int(text[:30]) < 1 << 64 and len(text) <= 30:
        return int(text)
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "replace"))


@dataclass
class Counts:
    """What was counted.

    Attributes:
      rows: rows of metadata.
      selected: of these.
      refused: rows by cause.
      noted: what is counted of rows that are kept, or of a file.
      first: where each cause is met first: a line (from 1 within the piece), or text.
      licenses: photographs and videos by what the metadata calls their licence.
      head: what stands before the first newline, of text; what stands after the last one is `tail`.
    """

    rows: int = 0
    selected: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)
    first: dict[str, int | str] = field(default_factory=dict)
    licenses: dict[str, list[int]] = field(default_factory=dict)
    head: str = ""
    tail: str = ""
    has_newline: bool = True

    def refuse(self, cause: str, line: int, count: int = 1) -> None:
        """Counts a row that is refused."""
        self.refused[cause] += count
        self.met(cause, line)

    def note(self, what: str, where: int | str, count: int = 1) -> None:
        """Counts something of note."""
        self.noted[what] += count
        self.met(what, where)

    def met(self, cause: str, where: int | str) -> None:
        known = self.first.get(cause)
        if known is None or (isinstance(known, int) and isinstance(where, int) and where < known):
            self.first[cause] = where

    def license(self, short: str, *, videos: int = 0, photos: int = 0) -> None:
        """Counts photographs and videos under a licence."""
        counted = self.licenses.setdefault(short, [0, 0])
        counted[0] += photos
        counted[1] += videos


class Gathering:
    """Takes photographs in, and writes them as they come."""

    def __init__(self, writer: pa.ipc.RecordBatchFileWriter) -> None:
        self.counts = Counts()
        self._writer = writer
        self._rows: list[Photograph] = []
        self._tables: list[pa.Table] = []
        self._held = 0

    def add(self, photograph: Photograph) -> None:
        """Takes a photograph: its columns, in the order of `PIECE_SCHEMA` but for the keys."""
        self._rows.append(photograph)
        self.counts.selected += 1
        if len(self._rows) >= _MOST_ROWS:
            self.flush()

    def add_table(self, table: pa.Table) -> None:
        """Takes photographs as a table of `PIECE_SCHEMA`."""
        self._hold_rows()
        self.counts.selected += table.num_rows
        self._hold(table)
        if self._held >= _MOST_ROWS:
            self.flush()

    def flush(self) -> None:
        """Writes what is held."""
        self._hold_rows()
        if self._held:
            self._writer.write_table(pa.concat_tables(self._tables))
            self._tables.clear()
            self._held = 0

    def _hold_rows(self) -> None:
        if self._rows:
            self._hold(table_of(self._rows))
            self._rows.clear()

    def _hold(self, table: pa.Table) -> None:
        self._tables.append(table)
        self._held += table.num_rows


def table_of(rows: list[Photograph]) -> pa.Table:
    """Photographs as a table."""
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * len(_COLUMNS)
    arrays = [_column(values, item.type) for values, item in zip(columns, _COLUMNS, strict=True)]
    arrays += [hash_keys(arrays[_HASH]), id_keys(arrays[_ID])]
    return pa.Table.from_arrays(arrays, schema=PIECE_SCHEMA)


def _column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        return texts_of(values)
    there = np.array([value is not None for value in values], bool)
    column = column_of(np.array([value or 0 for value in values], np.dtype(str(kind))))
    bits = pa.py_buffer(np.packbits(there, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [bits, column.buffers()[1]])


@contextlib.contextmanager
def gathering(path: Path) -> Iterator[Gathering]:
    """Gathers a piece into two files, ``path.arrow`` and ``path.json``.

    Raises:
      OSError: they cannot be written.
    """
    with (
        writing_whole(path.with_suffix(".arrow")) as file,
        pa.ipc.new_file(file, PIECE_SCHEMA) as writer,
    ):
        gathered = Gathering(writer)
        yield gathered
        gathered.flush()
    # Not `asdict`, which makes something else of a Counter.
    save_json(path.with_suffix(".json"), vars(gathered.counts))


def read_piece(path: Path, columns: Sequence[str]) -> pa.Table:
    """Columns of the photographs of a piece."""
    with pa.OSFile(os.fspath(path)) as file:
        places = [PIECE_SCHEMA.get_field_index(name) for name in columns]
        options = pa.ipc.IpcReadOptions(included_fields=places, use_threads=False)
        return pa.ipc.open_file(file, options=options).read_all()


def load_counts(path: Path) -> Counts | None:
    """The counts of a piece; None if it is not done.

    Raises:
      CurationError: they cannot be read.
    """
    path = path.with_suffix(".json")
    try:
        content = load_json(path)
        return Counts(
            **{
                **content,
                "refused": Counter(content["refused"]),
                "noted": Counter(content["noted"]),
            }
        )
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise CurationError(f"{path}: cannot be read: {error}; remove it and go on") from error
