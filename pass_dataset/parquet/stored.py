"""A Parquet folder read back, record by record past any damage."""

from __future__ import annotations

import ctypes
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pass_dataset.builds.reading.export import ExportFolder, image_differences
from pass_dataset.builds.stored_build import Damage, Difference, StoredShard
from pass_dataset.files.whole import write_whole
from pass_dataset.folders.state import state_path
from pass_dataset.parquet.manifest import Export, contents_digest
from pass_dataset.parquet.schema import arrow_schema

__all__ = ["ParquetFolder", "ParquetRecord"]

_VERIFIED_NAME = ".verified.json"


@dataclass(frozen=True, slots=True)
class ParquetRecord:
    """A record without its image's bytes.

    Attributes:
      number: position in its shard, from 0.
      values: of all columns but the image; None where not known.
      path: file name stored with the image.
      size_bytes: of the image.
      sha256: of the image's bytes, as 32 bytes.
    """

    number: int
    values: Mapping[str, Any]
    path: str | None
    size_bytes: int
    sha256: bytes

    @property
    def damage(self) -> str | None:
        return None

    @property
    def hash(self) -> bytes:
        return self.hash_text.encode()

    @property
    def hash_text(self) -> str:
        return self.values["hash"] or ""

    def differences(self, row: Mapping[str, Any], sha256: bytes) -> Iterator[Difference]:
        """What differs from the archives, see `stored.builds.StoredRecord`."""
        yield from image_differences(self.size_bytes, self.sha256, row, sha256)
        expected = {
            "creator_uname": row["creator"],
            "hash": row["hash"],
            "gps_lat": _as_float32(row["latitude"]),
            "gps_lon": _as_float32(row["longitude"]),
            "date_taken": row["date_taken"],
        }
        pairs = [(name, self.values[name], value) for name, value in expected.items()]
        for name, found, wanted in (*pairs, ("image.path", self.path, f"{row['hash']}.jpg")):
            if found != wanted:
                yield Difference(name, repr(found), repr(wanted))


def _as_float32(degrees: float | None) -> float | None:
    return None if degrees is None else ctypes.c_float(degrees).value


@dataclass(frozen=True)
class ParquetFolder(ExportFolder[Export]):
    """A finished Parquet export."""

    file_format = "parquet"

    @classmethod
    def open(cls, folder: Path) -> ParquetFolder:
        """Opens a folder. Raises UnreadableBuildError if it is no finished export."""
        return cls(folder, Export.load(folder))

    @property
    def label(self) -> str:
        return self.export.what

    def records(self, shard: StoredShard) -> Iterator[ParquetRecord | Damage]:
        """The records of a file; a row group that cannot be read is one `Damage`."""
        number = 0
        try:
            with pq.ParquetFile(shard.path, memory_map=True) as file:
                if file.schema_arrow != arrow_schema():
                    yield Damage(f"has other columns: {file.schema_arrow.names}", ends_file=True)
                    return
                for group in range(file.num_row_groups):
                    rows = file.metadata.row_group(group).num_rows
                    try:
                        read = list(_records(file.read_row_group(group), number))
                    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
                        detail = f"row group {group} of {rows} records: {_first_line(error)}"
                        yield Damage(detail, records=rows)
                    else:
                        yield from read
                    number += rows
        except (OSError, pa.ArrowException) as error:
            yield Damage(f"cannot be opened: {_first_line(error)}", ends_file=True)

    def put_on_record(self) -> None:
        """Notes that the folder was found right, as it is now."""
        content = {"contents": contents_digest(self.folder, self.export)}
        path = state_path(self.folder, _VERIFIED_NAME, for_writing=True)
        write_whole(path, json.dumps(content).encode())

    def is_on_record(self) -> bool:
        """True if the folder was found right, and no file of it has been written to since."""
        try:
            content = json.loads(state_path(self.folder, _VERIFIED_NAME).read_text())
            return bool(content["contents"] == contents_digest(self.folder, self.export))
        except (OSError, ValueError, KeyError, TypeError):
            return False


def _records(group: Any, first: int) -> Iterator[ParquetRecord]:
    """The records of a row group, a `pyarrow.Table`."""
    group.validate(full=True)
    for batch in group.to_batches():
        jpegs, paths = batch["image"].field("bytes"), batch["image"].field("path").to_pylist()
        values = batch.drop_columns(["image"]).to_pylist()
        for place, row in enumerate(values):
            jpeg = jpegs[place].as_buffer()
            digest = hashlib.sha256(b"" if jpeg is None else memoryview(jpeg)).digest()
            size_bytes = 0 if jpeg is None else jpeg.size
            yield ParquetRecord(first + place, row, paths[place], size_bytes, digest)
        first += batch.num_rows


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
