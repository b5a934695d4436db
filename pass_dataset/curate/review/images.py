"""The images of a review: one table in a file that is mapped, a row for each.

Rows are how everything else knows images. Known images (gold) stand among the others, at places
that a seed chose, so that a row does not tell which they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pass_dataset.errors import CurationError
from pass_dataset.files.arrow import floats_of, map_file, numbers_of

__all__ = ["BATCH_ROWS", "COLUMNS", "NOT_GOLD", "ReviewImages", "Where"]

#: Rows of a batch of the table; each is found by itself.
BATCH_ROWS = 1 << 16
#: What `gold` says of an image that is not known; of others, 0: good, 1: bad.
NOT_GOLD = -1

#: Columns of the table; scores come after them, as float32.
COLUMNS = pa.schema(
    [
        # Its path within the source, or its hash, as lists have it.
        pa.field("name", pa.string(), nullable=False),
        # Which of the files it lies in; -1: it is a file itself.
        pa.field("file", pa.int32(), nullable=False),
        # First byte, or row of a table.
        pa.field("start", pa.int64(), nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
        # Shard and row in a curation's ledger; -1 elsewhere.
        pa.field("shard", pa.int32(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("gold", pa.int8(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Where:
    """Where an image is: its name and, as the table has them, file, first byte and size."""

    name: str
    file: int
    start: int
    size_bytes: int
    is_gold: bool


@dataclass
class ReviewImages:
    """The table of a review, mapped: it opens in milliseconds, whatever its length.

    Attributes:
      path: of its file.
    """

    path: Path
    _columns: dict[str, npt.NDArray[Any]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        try:
            self._reader = map_file(self.path)
            self._batches = [
                self._reader.get_batch(number) for number in range(self._reader.num_record_batches)
            ]
        except FileNotFoundError:
            raise CurationError(f"{self.path}: missing; this is no whole review") from None
        except (OSError, ValueError, pa.ArrowException) as error:
            raise CurationError(f"{self.path}: cannot be read: {error}") from error
        self._length = int(sum(batch.num_rows for batch in self._batches))

    def __len__(self) -> int:
        return self._length

    @property
    def scores(self) -> list[str]:
        """Names of the scores."""
        return [name for name in self._reader.schema.names if name not in COLUMNS.names]

    def column(self, name: str) -> npt.NDArray[Any]:
        """A column of numbers, of all rows; missing scores are NaN."""
        if name not in self._columns:
            is_score = pa.types.is_floating(self._reader.schema.field(name).type)
            values = floats_of if is_score else numbers_of
            parts = [values(batch.column(name)) for batch in self._batches] or [np.zeros(0)]
            self._columns[name] = np.concatenate(parts)
        return self._columns[name]

    def names(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """Names of some images."""
        # Made of its bytes: of an array of numpy's Arrow would ask pandas first, and import it.
        buffer = pa.py_buffer(np.ascontiguousarray(rows, np.int64))
        places = pa.Array.from_buffers(pa.int64(), len(rows), [None, buffer])
        found: list[str] = self.table(["name"]).column("name").take(places).to_pylist()
        return found

    def table(self, columns: list[str]) -> pa.Table:
        """Some columns of all rows, where they are."""
        schema = self._reader.schema
        fields = pa.schema([schema.field(name) for name in columns])
        return pa.Table.from_batches([batch.select(columns) for batch in self._batches], fields)

    def where(self, row: int) -> Where:
        """Where an image is.

        Raises:
          IndexError: there is no such row.
        """
        if not 0 <= row < self._length:
            raise IndexError(row)
        number, within = divmod(row, BATCH_ROWS)
        batch = self._batches[number]
        name, file, start, size_bytes, gold = (
            batch.column(column)[within].as_py()
            for column in ("name", "file", "start", "size_bytes", "gold")
        )
        return Where(name, file, start, size_bytes, gold != NOT_GOLD)

    @property
    def gold(self) -> npt.NDArray[np.int64]:
        """Rows of the known images."""
        return np.flatnonzero(self.column("gold") != NOT_GOLD)

    @property
    def own(self) -> npt.NDArray[np.int64]:
        """Rows of all others, which the review is about."""
        return np.flatnonzero(self.column("gold") == NOT_GOLD)
