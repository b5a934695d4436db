"""Shard files: examples framed as TFRecord, ArrayRecord or Parquet, written without TensorFlow.

TFRecord frames a record with its length and two checksums
(https://www.tensorflow.org/tutorials/load_data/tfrecord, "TFRecord files"). The pieces of a record
are handed to the kernel as they are, so a JPEG is copied once on its way from tar to shard.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pass_dataset.errors import BuildError
from pass_dataset.extras import require
from pass_dataset.tfds.file_formats import FILE_FORMATS

__all__ = [
    "FORMATS",
    "ArrayRecordShard",
    "ParquetShard",
    "Shard",
    "TfRecordShard",
    "masked_crc32c",
    "shard_size",
]

#: Bytes that a TFRecord has beside its data: length (8), its checksum (4), that of the data (4).
_FRAME_BYTES = 16
#: Pieces given to the kernel at a time; Linux and macOS take 1024 (IOV_MAX).
_MAX_PIECES = 1020
#: Few enough that they are still in the processor's cache when they are written (4 MiB: 1.0 instead
#: of 1.7 GB/s a core).
_FLUSH_BYTES = 1 << 20
#: Records of a Parquet row group, as many as TFDS's own writer puts there.
_ROW_GROUP = 100
_PARQUET_COLUMN = "data"


class Shard(Protocol):
    """A file that examples are added to."""

    def add(self, head: bytes, jpeg: bytes) -> None:
        """Adds the example that consists of these two."""

    def close(self) -> None:
        """Writes what is left. Raises OSError or BuildError if not all could be written."""


class _Closing:
    def __enter__(self) -> Any:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abandon()

    def close(self) -> None:
        raise NotImplementedError

    def abandon(self) -> None:
        """Lets go of the file without caring whether it is whole."""


def _crc32c() -> Callable[[int, bytes], int]:
    module = require("google_crc32c", feature="Writing TFRecord shards", extra="tfds")
    extend: Callable[[int, bytes], int] = module.extend
    return extend


def masked_crc32c(crc: int) -> int:
    """A CRC-32C as TFRecord stores it: turned by 15 bits, plus a constant, modulo 2**32."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


class TfRecordShard(_Closing):
    """A TFRecord file, uncompressed."""

    def __init__(self, path: Path) -> None:
        self._extend = _crc32c()
        self._pieces: list[bytes] = []
        self._pending_bytes = 0
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)

    def add(self, head: bytes, jpeg: bytes) -> None:
        size = len(head) + len(jpeg)
        length = struct.pack("<Q", size)
        extend = self._extend
        start = struct.pack("<8sL", length, masked_crc32c(extend(0, length)))
        data_crc = extend(extend(0, head), jpeg)
        self._pieces += (start + head, jpeg, struct.pack("<L", masked_crc32c(data_crc)))
        self._pending_bytes += size
        if self._pending_bytes >= _FLUSH_BYTES or len(self._pieces) >= _MAX_PIECES:
            self._flush()

    def _flush(self) -> None:
        pieces, self._pieces, self._pending_bytes = self._pieces, [], 0
        wanted = sum(map(len, pieces))
        written = os.writev(self._handle, pieces) if pieces else 0
        if written < wanted:
            # A full disk shows itself in what was not written first, as an error only then.
            rest = memoryview(b"".join(pieces))[written:]
            while rest:
                rest = rest[os.write(self._handle, rest) :]

    def close(self) -> None:
        try:
            self._flush()
        finally:
            self.abandon()

    def abandon(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


class ArrayRecordShard(_Closing):
    """An ArrayRecord file, one record a group as TFDS has it.

    Unlike TFDS's, uncompressed: JPEG does not shrink, and trying costs a third of the speed of
    writing and reading.
    """

    def __init__(self, path: Path) -> None:
        module = require(
            "array_record.python.array_record_module",
            feature="Writing array_record shards",
            extra="tfds",
        )
        self._path = path
        self._writer = module.ArrayRecordWriter(str(path), "group_size:1,uncompressed")

    def add(self, head: bytes, jpeg: bytes) -> None:
        # The library knows no errors but RuntimeError, for a full disk too.
        try:
            self._writer.write(head + jpeg)
        except RuntimeError as error:
            raise BuildError(f"{self._path}: cannot be written: {error}") from error

    def close(self) -> None:
        try:
            self._writer.close()
        except RuntimeError as error:
            raise BuildError(f"{self._path}: cannot be written: {error}") from error

    def abandon(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._writer.close()


class ParquetShard(_Closing):
    """A Parquet file as TFDS has it: one binary column ``data`` with the serialized examples."""

    def __init__(self, path: Path) -> None:
        self._pa = pa
        self._schema = pa.schema([pa.field(_PARQUET_COLUMN, pa.binary())])
        self._examples: list[bytes] = []
        self._file = path.open("wb")
        self._writer = pq.ParquetWriter(
            self._file,
            self._schema,
            compression="none",
            use_dictionary=False,
            write_statistics=False,
        )

    def add(self, head: bytes, jpeg: bytes) -> None:
        self._examples.append(head + jpeg)
        if len(self._examples) == _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._examples:
            column = self._pa.array(self._examples, self._pa.binary())
            self._examples = []
            self._writer.write_batch(self._pa.record_batch([column], schema=self._schema))

    def close(self) -> None:
        self._flush()
        self._writer.close()
        self._file.close()

    def abandon(self) -> None:
        self._file.close()


#: Formats that are written here, by their names in TFDS.
FORMATS: dict[str, Callable[[Path], Any]] = dict(
    zip(FILE_FORMATS, (TfRecordShard, ArrayRecordShard, ParquetShard), strict=True)
)


def shard_size(file_format: str, records: int, example_bytes: int) -> int | None:
    """Exact size of a shard file, or None where only its writer knows it."""
    return example_bytes + records * _FRAME_BYTES if file_format == "tfrecord" else None
