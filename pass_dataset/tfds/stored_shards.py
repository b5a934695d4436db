"""Files of records as TFDS writes them, read record by record past any damage.

TFDS reads through TensorFlow, which stops at the first damaged record and says neither which one
it is nor what follows. Here damage is a value among the records.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pass_dataset.builds.stored_build import Damage
from pass_dataset.errors import UnreadableBuildError
from pass_dataset.extras import require

__all__ = ["read_shard"]

#: Records asked for at a time; about 8 MB of PASS.
_BATCH = 64


def read_shard(path: Path, file_format: str) -> Iterator[bytes | Damage]:
    """Serialized examples of a file in order, and `Damage` where there should be one.

    Args:
      path: the file.
      file_format: ``tfrecord``, ``array_record`` or ``parquet``.

    Raises:
      UnreadableBuildError: a format that cannot be read here.
      MissingExtraError: the format's own package is not installed.
    """
    if file_format not in _READERS:
        raise UnreadableBuildError(
            f"{path}: file format {file_format!r}: expected one of {', '.join(sorted(_READERS))}"
        )
    return _READERS[file_format](path)


# --- TFRecord -------------------------------------------------------------------------------------

# A frame is the length (uint64), the masked CRC-32C of these eight bytes (uint32), the data, and
# the masked CRC-32C of the data; all little-endian. Layout and mask:
# https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
_HEAD = struct.Struct("<QI")
_TAIL = struct.Struct("<I")
_MASK_DELTA = 0xA282EAD8


def _read_tfrecord(path: Path) -> Iterator[bytes | Damage]:
    crc32c = require("google_crc32c", feature="Checking TFRecord files", extra="tfds").value

    def checksum(data: bytes) -> int:
        crc: int = crc32c(data)
        return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF

    try:
        with path.open("rb") as file:
            size_bytes = path.stat().st_size
            while file.tell() < size_bytes:
                record = _read_frame(file, size_bytes, checksum)
                yield record
                if isinstance(record, Damage) and record.ends_file:
                    return
    except OSError as error:
        yield Damage(f"cannot be read: {error.strerror}", ends_file=True)


def _read_frame(
    file: BinaryIO, size_bytes: int, checksum: Callable[[bytes], int]
) -> bytes | Damage:
    """The next frame of a file of that size."""
    start = file.tell()
    head = file.read(_HEAD.size)
    length, head_crc = _HEAD.unpack(head) if len(head) == _HEAD.size else (size_bytes, 0)
    if start + _HEAD.size + length + _TAIL.size > size_bytes:
        left = f"the {size_bytes - start:,} bytes from there to the end of the file"
        return Damage(f"damaged or cut frame at byte {start:,}; {left} are lost", ends_file=True)
    data = file.read(length)
    (data_crc,) = _TAIL.unpack(file.read(_TAIL.size))
    head_is_right = checksum(head[:8]) == head_crc
    if checksum(data) == data_crc:
        if head_is_right:
            return data
        return Damage(f"wrong checksum of the length at byte {start:,}", data)
    if head_is_right:
        return Damage(f"wrong checksum of the frame at byte {start:,}", data)
    return Damage(f"damaged length at byte {start:,}; what follows is lost", ends_file=True)


# --- ArrayRecord ----------------------------------------------------------------------------------


def _read_array_record(path: Path) -> Iterator[bytes | Damage]:
    module = require(
        "array_record.python.array_record_module", feature="Reading ArrayRecord", extra="tfds"
    )
    # Its errors are RuntimeError, ValueError or IndexError, depending on where the damage is.
    try:
        reader = module.ArrayRecordReader(str(path))
        count = reader.num_records()
    except Exception as error:
        yield Damage(f"cannot be opened: {_first_line(error)}", ends_file=True)
        return
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))
        try:
            yield from reader.read(list(numbers))
        except Exception:
            yield from (_read_one(reader, number) for number in numbers)
    try:
        reader.close()
    except Exception as error:  # a cut file opens as one of no records and fails here only
        yield Damage(_first_line(error), ends_file=True)


def _read_one(reader: object, number: int) -> bytes | Damage:
    try:
        data: bytes = reader.read([number])[0]  # type: ignore[attr-defined]
    except Exception as error:
        return Damage(_first_line(error))
    return data


# --- Parquet --------------------------------------------------------------------------------------


def _read_parquet(path: Path) -> Iterator[bytes | Damage]:
    # TFDS keeps serialized examples in one column, `data`.

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for group in range(file.num_row_groups):
                try:
                    for batch in file.iter_batches(_BATCH, row_groups=[group], columns=["data"]):
                        for value in batch["data"]:
                            yield value.as_py()
                except (OSError, pa.ArrowException) as error:
                    rows = file.metadata.row_group(group).num_rows
                    yield Damage(f"row group {group} of {rows} records: {_first_line(error)}")
    except (OSError, pa.ArrowException) as error:
        yield Damage(f"cannot be opened: {_first_line(error)}", ends_file=True)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


_READERS: dict[str, Callable[[Path], Iterator[bytes | Damage]]] = {
    "array_record": _read_array_record,
    "parquet": _read_parquet,
    "tfrecord": _read_tfrecord,
}
