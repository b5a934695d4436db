"""Parquet files with images embedded: read from the tars, written as they are.

Settings, measured on 25,000 images of 124 kB (`scripts/benchmarks/bench_parquet.py --row-groups`
prints the table anew) and, the last two, on 4,000:

- Row groups of 4 MB, 32 images of PASS. A reader fetches a whole row group for one record: from
  mapped files in memory a random record takes 0.4 ms with groups of 10 images, 0.8 with 32, 2.4
  with 100, 7 with 300, 68 with 1,000. Smaller ones only make the footer larger, which everyone
  fetches first: 265 kB a file with 10 images, 84 with 32, 29 with 100. How fast files are written
  does not depend on it. The Hub asks for row groups of at most 100 to 300 MB; its viewer and
  streaming like them small.
- No compression: photographs do not shrink, and trying costs a fifth of the speed of writing and
  reading. No dictionaries: no value repeats within a row group.
- No checksums of pages: they cost a third of the speed of writing, and every byte is compared by
  `pass-dataset verify-build`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pass_dataset.archives.open_tars import OpenTars
from pass_dataset.builds.writing.readahead import with_readahead
from pass_dataset.errors import BuildError
from pass_dataset.parquet.schema import arrow_schema

__all__ = [
    "ImageParquet",
    "example_bytes",
    "image_writer",
    "row_group_rows",
    "row_group_stops",
]

#: What an example takes in Arrow beside its JPEG and its text: two float32, a timestamp, the
#: offsets of four columns of variable length, and ``.jpg``.
_FIXED_BYTES = 4 + 4 + 8 + 4 * 4 + len(".jpg")
#: The first and the last bytes of a Parquet file.
_MAGIC = b"PAR1"
#: Rows of a row group, however small the images are.
_MAX_ROWS = 1024
#: A row group ends with the image that makes it so many times as large as wanted: memory stays
#: bounded where a few images are far larger than the others.
_MOST_TIMES = 4
#: Offsets of a column of bytes are int32.
_MAX_IMAGE_BYTES = 2**31 - 1


class _Place(NamedTuple):
    tar: int
    offset: int
    size_bytes: int
    hash: str


@dataclass(frozen=True)
class ImageParquet:
    """Parquet files as `datasets` has them for images.

    Attributes:
      row_group_bytes: a row group has about so many bytes of images, see `row_group_rows`.
    """

    row_group_bytes: int = 4 << 20

    @property
    def name(self) -> str:
        return f"parquet, row groups of about {self.row_group_bytes:,} bytes"

    def example_sizes(self, records: pa.RecordBatch) -> np.ndarray[Any, Any]:
        """Bytes that examples take in Arrow, which is how `datasets` counts ``num_bytes``."""
        hashes, creators = (
            pc.fill_null(pc.binary_length(records[name]), 0).to_numpy(zero_copy_only=False)
            for name in ("hash", "creator")
        )
        # The hash stands twice: as such, and in the image's path.
        sizes: np.ndarray[Any, Any] = records["size_bytes"].to_numpy() + (
            2 * hashes.astype(np.int64) + creators + _FIXED_BYTES
        )
        return sizes

    def write(
        self, records: pa.RecordBatch, tars: OpenTars, path: Path, report: Callable[[int], None]
    ) -> None:
        """Writes a shard, see `building.shard_files.ShardFormat`."""
        schema = arrow_schema()
        sizes = records["size_bytes"].to_numpy().tolist()
        places = with_readahead(lambda: _places(records), tars)
        buffer = bytearray()
        start = 0
        with image_writer(path) as writer:
            rows = row_group_rows(sizes, self.row_group_bytes)
            for stop in row_group_stops(sizes, rows, _MOST_TIMES * self.row_group_bytes):
                total = sum(sizes[start:stop])
                if len(buffer) < total:
                    # Used again for each row group: fresh memory costs more than the copying.
                    buffer = bytearray(total)
                _read_images(places, stop - start, tars, memoryview(buffer))
                group = records.slice(start, stop - start)
                writer.write_batch(_batch(group, memoryview(buffer)[:total], schema))
                report(sum(group["example_bytes"].to_numpy().tolist()))
                start = stop

    def fits(self, path: Path, size_bytes: int, records: int, example_bytes: int) -> bool:
        """True if the file ends like a Parquet file and has room for all images."""
        # What is not known takes no room in the file, so only the variable bytes count.
        if size_bytes <= example_bytes - records * _FIXED_BYTES:
            return False
        with path.open("rb") as file:
            file.seek(-len(_MAGIC), 2)
            return file.read() == _MAGIC


def image_writer(path: Path) -> pq.ParquetWriter:
    """Opens a file of the columns of `arrow_schema` for writing."""
    schema = arrow_schema()
    return pq.ParquetWriter(
        path,
        schema,
        compression="none",
        use_dictionary=False,
        # Of everything but the images; of these they would be the images themselves.
        write_statistics=[name for name in schema.names if name != "image"],
        write_page_index=True,
    )


def example_bytes(records: pa.Table) -> int:
    """What `ImageParquet.example_sizes` gives for examples that are stored, all together."""
    jpegs = pc.struct_field(records["image"], "bytes")
    jpegs, hashes, creators = (
        int(pc.sum(pc.binary_length(column)).as_py() or 0)
        for column in (jpegs, records["hash"], records["creator_uname"])
    )
    # The hash stands twice: as such, and in the image's path.
    return jpegs + 2 * hashes + creators + int(records.num_rows) * _FIXED_BYTES


def row_group_rows(sizes: Sequence[int], wanted_bytes: int) -> int:
    """Images of a row group, so that it has about so many bytes.

    A power of two, at most 1,024: all files of a release then have the same number, though their
    images are not quite of the same size. `datasets` reads batches of as many rows as the first
    row group has.
    """
    mean = max(1.0, sum(sizes) / max(1, len(sizes)))
    wanted = round(math.log2(max(1.0, wanted_bytes / mean)))
    return int(min(_MAX_ROWS, 2**wanted))


def row_group_stops(sizes: Sequence[int], max_rows: int, max_bytes: int) -> Iterator[int]:
    """For each row group, the position after its last image.

    Args:
      sizes: bytes of all images.
      max_rows: of a row group.
      max_bytes: a row group that has so many ends.
    """
    rows = size_bytes = 0
    for stop, size in enumerate(sizes, start=1):
        rows += 1
        size_bytes += size
        if rows == max_rows or size_bytes >= max_bytes or stop == len(sizes):
            yield stop
            rows = size_bytes = 0


def _places(records: pa.RecordBatch) -> Iterator[_Place]:
    numbers = (records[name].to_numpy().tolist() for name in ("tar", "offset", "size_bytes"))
    yield from map(_Place, *numbers, records["hash"].to_pylist())


def _read_images(places: Iterator[_Place], count: int, tars: OpenTars, buffer: memoryview) -> None:
    """Reads the next images, one after the other, into a buffer."""
    at = 0
    for _ in range(count):
        place = next(places)
        if place.size_bytes > _MAX_IMAGE_BYTES:
            raise BuildError(
                f"image {place.hash} has {place.size_bytes:,} bytes; a Parquet export takes images "
                f"of up to {_MAX_IMAGE_BYTES:,}"
            )
        end = at + place.size_bytes
        tars.read_into(place.tar, place.offset, buffer[at:end], place.hash)
        at = end


def _batch(records: pa.RecordBatch, images: memoryview, schema: pa.Schema) -> pa.RecordBatch:
    """A row group's records; the images one after the other in `images`."""
    ends = np.cumsum(records["size_bytes"].to_numpy())
    offsets = np.concatenate(([0], ends)).astype(np.int32)
    jpegs = pa.Array.from_buffers(
        pa.binary(), records.num_rows, [None, pa.py_buffer(offsets), pa.py_buffer(images)]
    )
    paths = pc.binary_join_element_wise(records["hash"], ".jpg", "")
    return pa.RecordBatch.from_arrays(
        [
            pa.StructArray.from_arrays([jpegs, paths], fields=list(schema.field("image").type)),
            records["creator"],
            records["hash"],
            records["latitude"],
            records["longitude"],
            records["date_taken"],
        ],
        schema=schema,
    )
