"""Sizes and cameras, read from the images' headers where they lie in the tars.

A header is in the first four kilobytes of nearly every image, of which a disk reads eight. All
headers of 1.44 million images are so many small reads all over 180 GB, some 12 GB together; blocks
that are done are kept in the user's cache, so that the next run, or the one after Ctrl-C, reads
only the others.
"""

from __future__ import annotations

import hashlib
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from pass_dataset.archives.open_tars import OpenTars
from pass_dataset.archives.records import PassArchive
from pass_dataset.files.arrow import map_file, save_batch
from pass_dataset.files.cache import optional_cache
from pass_dataset.images.exif import EXIF_START
from pass_dataset.images.jpeg_headers import APP1, FRAMES, JpegHeaderError, frame_size, segments
from pass_dataset.progress import Progress, Silent, Task
from pass_dataset.reports.stats.cameras import NO_CAMERA, Camera, camera_of

__all__ = ["BLOCK_ROWS", "ImageHeader", "read_header", "read_headers"]

logger = logging.getLogger(__name__)

#: Change it whenever what is kept changes its meaning.
_SCHEMA = 1
#: What is read first of an image, and so many times more whenever that does not do.
_FIRST_BYTES, _GROWTH = 4096, 8
#: Images whose headers are kept together.
BLOCK_ROWS = 16_384
_PIECE_ROWS = 256
#: Reads under way at a time: disks and networks answer many as fast as one.
_THREADS = 16


class ImageHeader(NamedTuple):
    """What an image's header says.

    Attributes:
      width, height: pixels, as stored; EXIF may want the image turned.
      components: 1 grey, 3 colours, 4 inks.
      camera: that took it.
    """

    width: int
    height: int
    components: int
    camera: Camera


def read_header(data: bytes) -> ImageHeader:
    """The header of a JPEG.

    Args:
      data: the file, or its beginning.

    Raises:
      JpegHeaderError: it is no JPEG, or damaged, or the bytes end before the image's size.
    """
    if not data.startswith(b"\xff\xd8\xff"):
        raise JpegHeaderError(
            f"begins with {data[:8]!r}, as no JPEG does" if data else "has no bytes"
        )
    camera = NO_CAMERA
    for marker, start, end in segments(data):
        if marker == APP1 and data.startswith(EXIF_START, start) and camera == NO_CAMERA:
            camera = camera_of(data[start + len(EXIF_START) : end])
        if marker in FRAMES:
            width, height = frame_size(data[start:end])
            return ImageHeader(width, height, data[start + 5], camera)
    raise JpegHeaderError("JPEG with a scan but no frame header")


def read_headers(
    archive: PassArchive, positions: np.ndarray[Any, Any], *, progress: Progress | None = None
) -> pa.Table:
    """The headers of some images.

    Args:
      archive: where they are.
      positions: int64, of these images; best in order, as the disk has to go from one to the next.
      progress: shows how far it is.

    Returns:
      A table, a row an image: ``position`` (int64), ``width``, ``height`` (uint16, pixels) and
      ``components`` (uint8), ``make`` and ``model`` (string or null), ``problem`` (string: why
      there is no header; null where there is one).

    Raises:
      ArchiveError: a tar cannot be read, or was cut.
    """
    task = (progress or Silent()).task("Reading image headers", len(positions), "images")
    kept = _KeptBlocks(archive)
    blocks = []
    pool = ThreadPoolExecutor(_THREADS)
    try:
        for start in range(0, len(positions), BLOCK_ROWS):
            block = positions[start : start + BLOCK_ROWS]
            found = kept.load(block)
            if found is None:
                found = _read_block(archive, block, pool, task)
                kept.save(block, found)
            else:
                task.advance(len(block))
            blocks.append(found)
    finally:
        pool.shutdown(cancel_futures=True)
    task.finish()
    return pa.concat_tables(blocks) if blocks else _schema().empty_table()


def _schema() -> pa.Schema:
    return pa.schema(
        {
            "position": pa.int64(),
            "width": pa.uint16(),
            "height": pa.uint16(),
            "components": pa.uint8(),
            "make": pa.string(),
            "model": pa.string(),
            "problem": pa.string(),
        }
    )


def _read_block(
    archive: PassArchive, positions: np.ndarray[Any, Any], pool: ThreadPoolExecutor, task: Task
) -> pa.Table:
    pieces = []
    futures = [
        pool.submit(_read_piece, archive, positions[first : first + _PIECE_ROWS])
        for first in range(0, len(positions), _PIECE_ROWS)
    ]
    for future in futures:
        pieces.append(future.result())
        task.advance(len(pieces[-1]))
    return pa.concat_tables(pieces).combine_chunks()


def _read_piece(archive: PassArchive, positions: np.ndarray[Any, Any]) -> pa.Table:
    columns = ["tar", "offset", "size_bytes", "hash"]
    places = archive[positions].columns(columns).to_pylist()
    found: list[dict[str, object]] = []
    for position, place in zip(positions.tolist(), places, strict=True):
        try:
            header = _read_one(
                archive.tars, place["tar"], place["offset"], place["size_bytes"], place["hash"]
            )
        except JpegHeaderError as error:
            found.append({"position": position, "problem": str(error)})
        else:
            size = {"width": header.width, "height": header.height, "components": header.components}
            found.append({"position": position, **size, **header.camera._asdict()})
    return pa.Table.from_pylist(found, _schema())


def _read_one(
    tars: OpenTars, tar: int, offset: int, size_bytes: int, image_hash: str
) -> ImageHeader:
    wanted = _FIRST_BYTES
    while True:
        data = tars.read(tar, offset, min(wanted, size_bytes), image_hash)
        try:
            return read_header(data)
        except JpegHeaderError as error:
            if not error.is_truncated or wanted >= size_bytes:
                raise
        wanted *= _GROWTH


class _KeptBlocks:
    """Blocks of headers in the user's cache, by the archive's files and the images they are of.

    Files have the row of the index where a table has the position: what is left out of an archive
    may change between two runs.
    """

    def __init__(self, archive: PassArchive) -> None:
        self._archive = archive
        text = json.dumps([_SCHEMA, str(archive.folder.resolve()), archive.fingerprint])
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        kept = optional_cache("headers")
        self._folder = None if kept is None else kept / digest

    def _path(self, positions: np.ndarray[Any, Any]) -> Path | None:
        """Where a block is kept; None: what is less than one is soon read again."""
        if self._folder is None or len(positions) < BLOCK_ROWS:
            return None
        return self._folder / f"{self._archive[positions].selection_digest()[:32]}.arrow"

    def load(self, positions: np.ndarray[Any, Any]) -> pa.Table | None:
        """A block that was kept; None if there is none that can be read."""
        path = self._path(positions)
        if path is None:
            return None
        try:
            table = map_file(path).read_all()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            logger.warning("%s cannot be used (%s); read again", path, error)
            return None
        if table.schema.names[1:] != _schema().names[1:] or len(table) != len(positions):
            return None
        # The images are the same, wherever they stood in the run that read them.
        table = table.set_column(0, "position", pa.array(positions))
        return table if table.schema == _schema() else None

    def save(self, positions: np.ndarray[Any, Any], table: pa.Table) -> None:
        """Keeps a block."""
        path = self._path(positions)
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            for batch in table.combine_chunks().to_batches():
                save_batch(path, batch)
        except OSError as error:
            logger.warning("%s: headers are not kept for the next run: %s", path.parent, error)
