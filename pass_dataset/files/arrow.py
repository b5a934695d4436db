"""Arrow tables kept in files: saved whole, mapped back if they are unharmed, and memory given back.

A file is read through a memory map: opening it takes milliseconds, and all processes of a machine
share its pages. Arrow believes what it reads: a flipped bit gives other numbers, or ends the
process by a signal. So each file has a checksum of all its bytes among the metadata of its schema,
and none is given to Arrow that does not fit it. (The index of 1.44 million images has 0.2 GB, which
takes 40 ms.)
"""

from __future__ import annotations

import contextlib
import functools
import mmap
import os
import secrets
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from pass_dataset.files.whole import writing_whole

__all__ = [
    "column_of",
    "floats_of",
    "give_back",
    "map_file",
    "numbers_of",
    "save_batch",
    "table_writer",
    "texts_of",
    "truths_of",
]

_CHECKSUM_KEY = b"pass_dataset_checksum"
#: What stands before the checksum, by which it is found without Arrow.
_MARK = b"pass-dataset-xxh128:"
_DIGEST_CHARACTERS = 32
_UNSET = bytes(len(_MARK) + _DIGEST_CHARACTERS)
#: The schema is in front, and again at the end: no checksum is looked for farther in.
_SCHEMA_BYTES = 64 << 20
_BLOCK_BYTES = 1 << 20


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
    summed = _Summed(file)
    # Files that are written again have the checksum of what they were.
    metadata = {**(schema.metadata or {}), _CHECKSUM_KEY: summed.token}
    with pa.ipc.new_file(summed, schema.with_metadata(metadata), options=options) as writer:
        yield writer
    summed.seal()


class _Summed:
    """A file that is being written, and the checksum of what was written.

    The checksum is part of the file: zeros count in its place, and a token keeps it until then.
    """

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self.token = _MARK + secrets.token_hex(_DIGEST_CHARACTERS // 2).encode()
        self._file = file
        self._digest = xxhash.xxh3_128()
        self._places: list[int] = []

    def write(self, data: bytes | pa.Buffer) -> int:
        """Writes what Arrow gives: schemas as bytes, columns as memory of its own."""
        if isinstance(data, bytes) and self.token in data:
            self._places.append(self._file.tell() + data.index(self.token))
            self._digest.update(data.replace(self.token, _UNSET))
        else:
            self._digest.update(data)
        self._file.write(data)
        return len(data)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        """Arrow asks for it; `writing_whole` does it."""

    def close(self) -> None:
        """The file is not ours to close."""

    def seal(self) -> None:
        """Writes the checksum into its places."""
        end = self._file.tell()
        for place in self._places:
            self._file.seek(place)
            self._file.write(_MARK + self._digest.hexdigest().encode())
        self._file.seek(end)


def map_file(path: Path, *, must_be_summed: bool = False) -> pa.RecordBatchFileReader:
    """Opens a table that was saved.

    Args:
      path: the file.
      must_be_summed: refuse it if it has no checksum, as those of former versions have none.

    Raises:
      FileNotFoundError: there is none.
      OSError: it cannot be read.
      ValueError: it is damaged, or is no such table (`pa.ArrowInvalid` is one).
    """
    if not _is_sound(path) and must_be_summed:
        raise ValueError("it has no checksum, as those that former versions wrote")
    # As bytes: Arrow takes no text for names that are no UTF-8.
    return pa.ipc.open_file(pa.memory_map(os.fsencode(path)))


def _is_sound(path: Path) -> bool:
    """True if a file fits its checksum, False if it has none. Raises ValueError if it does not."""
    found = path.stat()
    return _is_sound_as(
        path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_dev
    )


@functools.lru_cache(maxsize=64)
def _is_sound_as(path: Path, *mark: int) -> bool:
    """`_is_sound`, once for what a file is: workers open some of them again for each shard."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            raise ValueError("it is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            # In the schema, and once more at the end, with the places of the batches.
            first = view.find(_MARK, 0, _SCHEMA_BYTES)
            last = view.rfind(_MARK, max(0, size - _SCHEMA_BYTES))
            saved = {view[place : place + len(_UNSET)] for place in (first, last)}
        if first < 0 and last < 0:
            return False
        digest = xxhash.xxh3_128()
        position = 0
        for place in sorted({first, last} - {-1}):
            _add(digest, file, place - position)
            file.seek(position := place + len(_UNSET))
            digest.update(_UNSET)
        _add(digest, file, size - position)
    if saved != {_MARK + digest.hexdigest().encode()}:
        raise ValueError("it is damaged: its bytes do not fit its checksum")
    return True


def _add(digest: xxhash.xxh3_128, file: FileIO, size_bytes: int) -> None:
    """Adds the next bytes of a file to a checksum.

    Read and not mapped: 0.2 GB of an index would count as memory of each process.
    """
    block = memoryview(bytearray(min(_BLOCK_BYTES, max(0, size_bytes))))
    while size_bytes > 0 and (found := file.readinto(block[:size_bytes])):
        digest.update(block[:found])
        size_bytes -= found


def column_of(values: npt.NDArray[Any]) -> pa.Array:
    """A column of numbers, where they are; of `pa.array`, pandas would be imported (as below)."""
    values = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def texts_of(texts: Sequence[str | None]) -> pa.Array:
    """A column of text, null where there is none; as `column_of`, without pandas."""
    raw = [b"" if text is None else text.encode() for text in texts]
    ends = np.zeros(len(raw) + 1, np.int32)
    np.cumsum([len(text) for text in raw], out=ends[1:])
    is_there = np.packbits([text is not None for text in texts], bitorder="little")
    buffers = [pa.py_buffer(is_there), pa.py_buffer(ends), pa.py_buffer(b"".join(raw))]
    return pa.Array.from_buffers(pa.string(), len(raw), buffers)


def numbers_of(column: Any) -> npt.NDArray[Any]:
    """The values of a column of whole numbers without nulls, where they are.

    Arrow's own `to_numpy` would import pandas where it is installed: 0.2 s in each worker.
    """
    dtype = np.dtype(f"{'u' if str(column.type)[0] == 'u' else ''}int{column.type.bit_width}")
    values: npt.NDArray[Any] = np.frombuffer(column.buffers()[1] or b"", dtype)
    return values[column.offset : column.offset + len(column)]


def floats_of(column: Any) -> npt.NDArray[Any]:
    """The values of a column of floats, nulls as NaN; as `numbers_of`, without pandas."""
    filled = column.fill_null(float("nan"))
    dtype = np.dtype(f"float{filled.type.bit_width}")
    values: npt.NDArray[Any] = np.frombuffer(filled.buffers()[1] or b"", dtype)
    return values[filled.offset : filled.offset + len(filled)]


def truths_of(column: Any) -> npt.NDArray[np.bool_]:
    """The values of a column of truths without nulls; as `numbers_of`, without pandas."""
    packed = np.frombuffer(column.buffers()[1] or b"", np.uint8)
    bits = np.unpackbits(packed, bitorder="little", count=column.offset + len(column))
    return bits[column.offset :].view(bool)


def give_back() -> None:
    """Gives the memory that Arrow has freed back to the system; takes milliseconds.

    Arrow keeps what it has freed, for what comes next. After work on all of a release's rows that
    is half a gigabyte, which would stay with the process for good, and with every process that is
    forked from it, as the workers of a loader are.
    """
    pa.default_memory_pool().release_unused()
