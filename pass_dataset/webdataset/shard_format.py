"""Tar shards in WebDataset's layout: files of one example share a name, and follow each other."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa

from pass_dataset.archives.open_tars import OpenTars
from pass_dataset.builds.writing.readahead import with_readahead
from pass_dataset.webdataset.keys import key_of

__all__ = ["LABEL", "TarShards", "metadata_of"]

#: There are none. Some readers ask for one, and find this number in the JSON.
LABEL = "label"

_BLOCK_BYTES = tarfile.BLOCKSIZE
#: Two blocks of zeros end a tar.
_END = bytes(2 * _BLOCK_BYTES)
#: Two headers and the JSON, which fits into one block but where a name is very long.
_AROUND_BYTES = 3 * _BLOCK_BYTES


class _Place(NamedTuple):
    tar: int
    offset: int
    size_bytes: int


@dataclass(frozen=True)
class TarShards:
    """Shards as plain ustar archives without times, owners or folders: same records, same bytes."""

    @property
    def name(self) -> str:
        return "webdataset, ustar, with a label"

    def example_sizes(self, records: pa.RecordBatch) -> np.ndarray[Any, Any]:
        """Bytes that an example takes in a tar, where its JSON fits into one block."""
        jpegs: np.ndarray[Any, Any] = records["size_bytes"].to_numpy()
        sizes: np.ndarray[Any, Any] = jpegs + -jpegs % _BLOCK_BYTES + _AROUND_BYTES
        return sizes

    def write(
        self, records: pa.RecordBatch, tars: OpenTars, path: Path, report: Callable[[int], None]
    ) -> None:
        """Writes a shard, see `building.shard_files.ShardFormat`."""
        rows = records.drop_columns(["tar", "offset", "size_bytes", "date_taken"])
        sizes = records["example_bytes"].to_numpy().tolist()
        places = with_readahead(lambda: _places(records), tars)
        with path.open("wb", buffering=1 << 20) as file:
            for number, (place, size_bytes) in enumerate(zip(places, sizes, strict=True)):
                row = rows.slice(number, 1).to_pylist()[0]
                jpeg = tars.read(place.tar, place.offset, place.size_bytes, row["hash"])
                key = key_of(row["hash"])
                _add(file, f"{key}.jpg", jpeg)
                _add(file, f"{key}.json", json.dumps(metadata_of(row)).encode())
                report(size_bytes)
            file.write(_END)

    def fits(self, path: Path, size_bytes: int, records: int, example_bytes: int) -> bool:
        """True if the file ends like a tar and has room for all images."""
        if size_bytes < example_bytes + len(_END) or size_bytes % _BLOCK_BYTES:
            return False
        with path.open("rb") as file:
            file.seek(-len(_END), 2)
            return file.read() == _END


def metadata_of(row: dict[str, Any]) -> dict[str, Any]:
    """What the JSON of an example says; null where it is not known.

    Args:
      row: of the columns of `layout.shuffled_records`, or of the index.
    """
    return {
        "hash": row["hash"],
        "creator_uname": row["creator"],
        "date_taken": row["date_taken_text"],
        "gps_lat": _shortest(row["latitude"]),
        "gps_lon": _shortest(row["longitude"]),
        LABEL: 0,
    }


def _shortest(degrees: float | None) -> float | None:
    """The shortest number that is the same float32."""
    return None if degrees is None else float(str(np.float32(degrees)))


def _places(records: pa.RecordBatch) -> Iterator[_Place]:
    columns = (records[name].to_numpy().tolist() for name in ("tar", "offset", "size_bytes"))
    yield from map(_Place, *columns)


def _header(info: tarfile.TarInfo) -> bytes:
    try:
        return info.tobuf(tarfile.USTAR_FORMAT)
    except ValueError:  # a name of more than 100 bytes
        return info.tobuf(tarfile.PAX_FORMAT)


def _add(file: IO[bytes], name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    file.write(_header(info))
    file.write(data)
    file.write(bytes(-len(data) % _BLOCK_BYTES))
