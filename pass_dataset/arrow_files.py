"""Arrow tables kept in files: saved whole, mapped back, and their memory given back.

A file is read through a memory map: opening it takes milliseconds, and all processes of a machine
share its pages.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from pass_dataset.files import writing_whole

__all__ = ["give_back", "map_file", "save_batch", "table_writer"]


def save_batch(path: Path, batch: pa.RecordBatch, *, durable: bool = True) -> None:
    """Saves a table of one batch; the file gets its name when it is whole.

    Args:
      path: the file.
      batch: all rows, with the schema's metadata.
      durable: as that of `writing_whole`.

    Raises:
      OSError: it cannot be written; the error names the file.
    """
    with writing_whole(path, durable=durable) as file, table_writer(file, batch.schema) as writer:
        writer.write_batch(batch)


@contextlib.contextmanager
def table_writer(
    file: BinaryIO, schema: pa.Schema, *, compression: str | None = None
) -> Iterator[pa.RecordBatchFileWriter]:
    """Writes the batches of a table into a file that is open.

    Args:
      file: what `writing_whole` gives.
      schema: of all batches.
      compression: of their columns, ``zstd`` or ``lz4``; those are not mapped but read.
    """
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(file, schema, options=options) as writer:
        yield writer


def map_file(path: Path) -> pa.RecordBatchFileReader:
    """Opens a table that was saved.

    Raises:
      FileNotFoundError: there is none.
      OSError, pa.ArrowInvalid: it cannot be read; the latter is a ValueError too.
    """
    # As bytes: Arrow takes no text for names that are no UTF-8.
    return pa.ipc.open_file(pa.memory_map(os.fsencode(path)))


def give_back() -> None:
    """Gives the memory that Arrow has freed back to the system; takes milliseconds.

    Arrow keeps what it has freed, for what comes next. After work on all of a release's rows that
    is half a gigabyte, which would stay with the process for good, and with every process that is
    forked from it, as the workers of a loader are.
    """
    pa.default_memory_pool().release_unused()
