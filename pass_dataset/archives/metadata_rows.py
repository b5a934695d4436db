"""A metadata CSV without some of its rows; all others keep their bytes as they are.

Where a row begins and ends is found here, as a field in quotes may have line ends. What a row says
is left to the reader of all metadata, and has the last word: what was written is read back with it,
column by column, and is refused unless the rows that stay say what they said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pass_dataset.archives.metadata import columns_in, read_rows
from pass_dataset.errors import MetadataError

__all__ = ["copy_rows", "row_hashes"]

#: A field with what ends it. Quotes count at its beginning only, as in the reader.
_FIELD = re.compile(rb'(?:"[^"]*(?:""[^"]*)*"?)?[^,\r\n]*(,|\r\n|\n|\r|$)')


def row_hashes(path: Path) -> pa.ChunkedArray:
    """The field ``hash`` of every row as it stands there (string), null where it is empty.

    Raises:
      MetadataError: the CSV cannot be read.
    """
    return read_rows(path, ["hash"])["hash"]


def copy_rows(path: Path, target: Path, is_kept: npt.NDArray[np.bool_]) -> None:
    """Copies a CSV without some rows.

    Args:
      path: the CSV.
      target: the copy; what was there is overwritten.
      is_kept: of each row, in the order of `row_hashes`.

    Raises:
      MetadataError: the CSV cannot be read; or the copy, read back, does not say what it should.
    """
    with path.open("rb") as source, target.open("wb") as copy:
        records = _records(source)
        copy.write(next(records, b""))
        rows = 0
        for record in records:
            # The reader takes no row from an empty line.
            if not record.strip(b"\r\n"):
                copy.write(record)
                continue
            if rows < len(is_kept) and is_kept[rows]:
                copy.write(record)
            rows += 1
    if rows != len(is_kept):
        raise MetadataError(
            f"{path}: expected {len(is_kept):,} rows, found {rows:,} by their line ends and "
            "quotes; it is left as it is. Write it anew with quotes as RFC 4180 has them."
        )
    _check(path, target, is_kept)


def _check(path: Path, target: Path, is_kept: npt.NDArray[np.bool_]) -> None:
    """Refuses a copy whose rows are not those that were to stay."""
    columns = columns_in(path)
    if columns_in(target) == columns:
        expected = read_rows(path, columns).filter(pa.array(is_kept, pa.bool_()))
        if read_rows(target, columns).equals(expected):
            return
    raise MetadataError(
        f"{path}: written anew without {int((~is_kept).sum()):,} of its rows, the others do not "
        "read as before; it is left as it is. Write it anew with quotes as RFC 4180 has them."
    )


def _records(source: BinaryIO) -> Iterator[bytes]:
    """The bytes of each row, its line end with them; empty lines too."""
    pending = b""
    for line in source:
        if not pending and b'"' not in line and b"\r" not in line[:-2]:
            yield line
            continue
        pending += line
        whole, pending = _parted(pending)
        yield from whole
    if pending:
        yield pending


def _parted(lines: bytes) -> tuple[list[bytes], bytes]:
    """The rows that end in some lines, and what is left of them."""
    whole = []
    start = position = 0
    while position < len(lines):
        field = _FIELD.match(lines, position)
        assert field is not None  # it matches anything
        position = field.end()
        if field[1] not in (b",", b""):
            whole.append(lines[start:position])
            start = position
        elif not field[1]:
            break
    return whole, lines[start:]
