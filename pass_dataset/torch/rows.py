"""Rows of Hugging Face `datasets` as batches: their JPEGs in one tensor, handed over in a slot.

What a loader's worker makes is pickled, written to a pipe, read and unpickled: at a hundred
kilobytes an image that takes longer than to fetch them. In a slot (see `slots`) they are copied
once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pass_dataset.torch.jpegs import JpegBatch
from pass_dataset.torch.slots import pool_of_process

__all__ = ["collate_rows"]

_HINT = (
    "take rows as they are stored: "
    'stream.cast_column("image", datasets.Image(decode=False)), with no format or with '
    'with_format("arrow")'
)


def collate_rows(
    rows: pa.Table | Sequence[pa.Table] | Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """A loader's batch of rows of `datasets`.

        DataLoader(stream, batch_size=64, num_workers=2, collate_fn=collate_rows)

    Of a stream of tables, `datasets` can make the batches (5.2 does; older versions may know
    batches of rows only):

        batches = stream.with_format("arrow").batch(64)
        DataLoader(batches, batch_size=None, num_workers=2, collate_fn=collate_rows)

    Args:
      rows: with a column ``image`` that is not decoded: dicts, Arrow tables (a stream with
        ``with_format("arrow")`` gives tables of one row), or one table; of batches too, each of
        which is a row of lists.

    Returns:
      By the names of the columns: for ``image`` a `JpegBatch`, for all others lists of Python's
      values.

    Raises:
      ValueError: the images are decoded, or one is missing; or there are no rows, or they are of
        another kind.
    """
    if not isinstance(rows, pa.Table) and not len(rows):
        raise ValueError("rows: expected one or more, found none")
    tables = [rows] if isinstance(rows, pa.Table) else rows
    _check(tables)
    pieces: Sequence[bytes | memoryview]
    if isinstance(tables[0], pa.Table):
        table = _unbatched(pa.concat_tables(tables))
        pieces, sizes = _stored(table["image"])
        others = {name: table[name].to_pylist() for name in table.column_names if name != "image"}
    else:
        pieces = [_bytes_of(row["image"]) for row in rows]
        sizes = np.array([len(piece) for piece in pieces], np.int64)
        others = {name: [row[name] for row in rows] for name in rows[0] if name != "image"}
    return {"image": _batch(pieces, sizes), **others}


def _check(rows: Sequence[Any]) -> None:
    """Rows have an image, and dicts the names of the first; of tables Arrow sees to that."""
    first = rows[0]
    if not isinstance(first, (pa.Table, Mapping)):
        raise ValueError(
            "rows: expected dicts or Arrow tables, as datasets gives them, found "
            f"{type(first).__name__}; PassStream and PASS need no collate_fn"
        )
    names = first.column_names if isinstance(first, pa.Table) else list(first)
    if "image" not in names:
        raise ValueError(f"rows: expected a column 'image', found {', '.join(map(str, names))}")
    if isinstance(first, Mapping):
        for row in rows:
            if not isinstance(row, Mapping) or row.keys() != first.keys():
                found = ", ".join(map(str, row)) if isinstance(row, Mapping) else type(row).__name__
                raise ValueError(f"rows: expected {', '.join(names)} in each, found {found}")


def _unbatched(table: pa.Table) -> pa.Table:
    """The rows of a table of batches; any other as it is."""
    if not all(pa.types.is_list(column.type) for column in table.columns):
        return table
    columns = [
        pa.chunked_array([chunk.flatten() for chunk in column.chunks], column.type.value_type)
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def _stored(images: pa.ChunkedArray) -> tuple[list[memoryview], npt.NDArray[np.int64]]:
    """Bytes of a column of images, and how many each image has."""
    if not pa.types.is_struct(images.type) or images.type.get_field_index("bytes") < 0:
        raise ValueError(f"image: expected stored bytes, found {images.type}: {_HINT}")
    pieces, sizes = [], []
    for chunk in images.chunks:
        jpegs = chunk.field("bytes")
        if chunk.null_count or jpegs.null_count:
            raise ValueError(f"image: expected stored bytes, found null: {_HINT}")
        if not pa.types.is_binary(jpegs.type):
            jpegs = jpegs.cast(pa.binary())
        _, ends, data = jpegs.buffers()
        bounds = np.frombuffer(ends, np.int32)[jpegs.offset : jpegs.offset + len(jpegs) + 1]
        pieces.append(memoryview(data or b"").cast("B")[bounds[0] : bounds[-1]])
        sizes.append(np.diff(bounds))
    return pieces, np.concatenate(sizes, dtype=np.int64)


def _bytes_of(image: Any) -> bytes:
    stored = image.get("bytes") if isinstance(image, Mapping) else None
    if not isinstance(stored, bytes):
        found = "no bytes" if isinstance(image, Mapping) else type(image).__name__
        raise ValueError(f"image: expected stored bytes, found {found}: {_HINT}")
    return stored


def _batch(pieces: Sequence[bytes | memoryview], sizes: npt.NDArray[np.int64]) -> JpegBatch:
    ends = np.cumsum(sizes)
    lease = pool_of_process().take(int(ends[-1]) if len(ends) else 0)
    memory, at = lease.values.numpy().data, 0
    for piece in pieces:
        memory[at : at + len(piece)] = piece
        at += len(piece)
    return JpegBatch(lease.values, ends.tolist(), lease)
