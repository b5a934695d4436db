"""What a piece of metadata came to: counts, and the photographs that are selected of it.

Two files a piece: the photographs as Parquet, and the counts as JSON, which is written last. Lines
are counted from the beginning of the piece; so whoever puts pieces together (`whole`) adds what
came before.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from pass_dataset.curate.photographs import PHOTOGRAPHS
from pass_dataset.errors import CurationError
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.files.whole import writing_whole

__all__ = [
    "PIECE_SCHEMA",
    "Counts",
    "Gathering",
    "Photograph",
    "gathering",
    "key_of",
    "load_counts",
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
#: Photographs that are held before they are written.
_MOST_ROWS = 20_000


def key_of(text: str | None) -> int | None:
    """64 bits that stand for a text."""
    return None if text is None else xxhash.xxh3_64_intdigest(text.encode("utf-8", "replace"))


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

    def note(self, what: str, where: int | str) -> None:
        """Counts something of note."""
        self.noted[what] += 1
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

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self.counts = Counts()
        self._writer = writer
        self._rows: list[Photograph] = []

    def add(self, photograph: Photograph) -> None:
        """Takes a photograph: its columns, in the order of `PIECE_SCHEMA` but for the keys."""
        self._rows.append(photograph)
        self.counts.selected += 1
        if len(self._rows) >= _MOST_ROWS:
            self.flush()

    def flush(self) -> None:
        """Writes what is held."""
        if self._rows:
            self._writer.write_table(table_of(self._rows))
            self._rows.clear()


def table_of(rows: list[Photograph]) -> pa.Table:
    """Photographs as a table."""
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * len(_COLUMNS)
    hashes = columns[PIECE_SCHEMA.get_field_index("hash")]
    ids = columns[PIECE_SCHEMA.get_field_index("photo_id")]
    columns += [list(map(key_of, hashes)), list(map(key_of, ids))]
    arrays = [
        pa.array(values, item.type) for values, item in zip(columns, PIECE_SCHEMA, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=PIECE_SCHEMA)


@contextlib.contextmanager
def gathering(path: Path) -> Iterator[Gathering]:
    """Gathers a piece into two files, ``path.parquet`` and ``path.json``.

    Raises:
      OSError: they cannot be written.
    """
    with (
        writing_whole(path.with_suffix(".parquet")) as file,
        pq.ParquetWriter(file, PIECE_SCHEMA, compression="zstd", compression_level=1) as writer,
    ):
        gathered = Gathering(writer)
        yield gathered
        gathered.flush()
    # Not `asdict`, which makes something else of a Counter.
    save_json(path.with_suffix(".json"), vars(gathered.counts))


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
