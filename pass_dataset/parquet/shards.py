"""Parquet files with images embedded: read from the tars, written as they are.

Settings, measured on 4,000 images of 124 kB (`scripts/bench_parquet.py --row-groups` prints the
table anew):

- Row groups of 32 images, 4 MB. A reader fetches a whole row group for one record: from a mapped
  file 0.7 ms, with groups of 100 it is 2 ms, with 1,000 it is 19 ms. Fewer rows only make the
  footer larger (10 rows: 295 kB a shard instead of 93 kB), which everyone fetches first. The Hub
  asks for row groups of at most 100 to 300 MB; its viewer and streaming like them small.
- No compression: photographs do not shrink, and trying costs a fifth of the speed of writing and
  reading. No dictionaries: no value repeats within a row group.
- No checksums of pages: they cost a third of the speed of writing, and every byte is compared by
  `pass-dataset verify-build`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pass_dataset.building.readahead import with_readahead
from pass_dataset.errors import BuildError
from pass_dataset.parquet.schema import arrow_schema
from pass_dataset.records import OpenTars

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

__all__ = ["ImageParquet", "row_group_stops"]

#: What an example takes in Arrow beside its JPEG and its text: two float32, a timestamp, the
#: offsets of four columns of variable length, and ``.jpg``.
_FIXED_BYTES = 4 + 4 + 8 + 4 * 4 + len(".jpg")
#: The first and the last bytes of a Parquet file.
_MAGIC = b"PAR1"
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
      row_group_rows: most images of a row group.
      row_group_bytes: a row group ends with the image that reaches so many bytes, so that large
        images need no more memory.
    """

    row_group_rows: int = 32
    row_group_bytes: int = 16 << 20

    @property
    def name(self) -> str:
        return f"parquet, row groups of {self.row_group_rows} or {self.row_group_bytes:,} bytes"

    def example_sizes(self, records: pa.RecordBatch) -> np.ndarray[Any, Any]:
        """Bytes that examples take in Arrow, which is how `datasets` counts ``num_bytes``."""
        import numpy as np
        import pyarrow.compute as pc

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
        import pyarrow.parquet as pq

        schema = arrow_schema()
        sizes = records["size_bytes"].to_numpy().tolist()
        places = with_readahead(lambda: _places(records), tars)
        buffer = bytearray()
        start = 0
        with pq.ParquetWriter(
            path,
            schema,
            compression="none",
            use_dictionary=False,
            # Of everything but the images; of these they would be the images themselves.
            write_statistics=[name for name in schema.names if name != "image"],
            write_page_index=True,
        ) as writer:
            for stop in row_group_stops(sizes, self.row_group_rows, self.row_group_bytes):
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
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

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
