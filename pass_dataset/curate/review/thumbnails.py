"""Small pictures of images: made by processes of their own, ahead, and kept in a bounded cache.

A file that takes its decoder down takes a worker down, and not the server.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np

from pass_dataset.curate.review.cache import ThumbnailCache
from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.reading import ImageReader
from pass_dataset.curate.review.record import load_record
from pass_dataset.errors import PassDatasetError
from pass_dataset.extras import require
from pass_dataset.images.containers import read_frame
from pass_dataset.images.decoding import MAX_PIXELS, decode, installed_simplejpeg
from pass_dataset.images.frames import Frame
from pass_dataset.images.orientation import turn
from pass_dataset.images.outcomes import BadImageError

__all__ = ["THUMBNAIL_PX", "Thumbnails", "small_picture"]

#: Longer side. JPEGs of 500 pixels, as nearly all of PASS are, are decoded at half their size,
#: which takes a fraction of the time.
THUMBNAIL_PX = 256
_QUALITY = 80
#: Images that a worker makes at a time: so few that what is wanted at once need not wait long.
_BATCH = 6


def small_picture(data: bytes, longer_px: int = THUMBNAIL_PX) -> bytes:
    """An image made small, as JPEG.

    Args:
      data: the image's file.
      longer_px: its longer side at most; small images stay as they are.

    Raises:
      BadImageError: it cannot be decoded.
      MissingExtraError: Pillow is not installed.
    """
    require("PIL", feature="Reviewing images", extra="review")
    from PIL import Image, ImageOps

    frame = read_frame(data)
    if isinstance(frame, Frame) and (quick := _quick_jpeg(frame, longer_px)) is not None:
        return quick
    picture: Any
    if isinstance(frame, Frame) and frame.format == "JPEG" and frame.channels in (1, 3):
        if frame.width * frame.height > MAX_PIXELS:
            raise BadImageError("too-large", "too many pixels", frame.width, frame.height)
        try:
            picture = Image.open(io.BytesIO(data), formats=["JPEG"])
            picture.draft("RGB", (longer_px, longer_px))
            picture = ImageOps.exif_transpose(picture.convert("RGB"))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise BadImageError("damaged", str(error)) from error
    else:
        decoded = decode(data)
        if decoded.pixels is None:
            raise BadImageError("damaged", decoded.message)
        height, width = decoded.pixels.shape[:2]
        pixels = decoded.pixels.tobytes()
        picture = Image.frombytes("RGB", (width, height), pixels, "raw", "BGR")
    if max(picture.size) > longer_px:
        picture.thumbnail((longer_px, longer_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def _quick_jpeg(frame: Frame, longer_px: int) -> bytes | None:
    """The same by libjpeg-turbo alone, which decodes at eighths of a size; None: Pillow does it."""
    longer = max(frame.width, frame.height)
    eighths = min(8, 8 * longer_px // max(1, longer))
    if frame.format != "JPEG" or frame.channels not in (1, 3) or not eighths:
        return None
    if (simplejpeg := installed_simplejpeg()) is None:
        return None
    try:
        pixels = simplejpeg.decode_jpeg(
            frame.stream,
            "RGB",
            fastdct=True,
            fastupsample=True,
            min_height=-(-frame.height * eighths // 8),
            min_width=-(-frame.width * eighths // 8),
        )
        upright = np.ascontiguousarray(turn(pixels, frame.orientation))
        encoded: bytes = simplejpeg.encode_jpeg(
            upright, quality=_QUALITY, colorspace="RGB", colorsubsampling="420", fastdct=True
        )
    except ValueError:
        return None
    return encoded


#: The server comes first, where both would have a core.
_NICENESS = 10
#: Of a worker process.
_reader: ImageReader | None = None


def _begin(folder: Path, server: int) -> None:
    global _reader  # a worker has one
    os.nice(_NICENESS)
    watch = threading.Thread(target=_end_with_the_server, args=(server,), daemon=True)
    watch.start()
    opened = ReviewFolder(folder)
    _reader = ImageReader(opened, load_record(opened))


def _end_with_the_server(server: int) -> None:
    """However it ends, also before this worker began: it would else wait for ever."""
    while os.getppid() == server:
        time.sleep(1)
    os._exit(1)


def _make(rows: Sequence[int]) -> list[bytes]:
    """Pictures of some images; empty where there can be none."""
    assert _reader is not None
    made = []
    for row in rows:
        try:
            made.append(small_picture(_reader.read(row)))
        except (BadImageError, PassDatasetError, OSError, MemoryError):
            made.append(b"")
    return made


class Thumbnails:
    """Makes small pictures, ahead and when they are wanted."""

    def __init__(self, folder: ReviewFolder, cache: ThumbnailCache, workers: int) -> None:
        """Workers start when they are wanted.

        Args:
          folder: of the review.
          cache: where pictures are kept.
          workers: processes.
        """
        self._folder, self._cache, self._workers = folder, cache, workers
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()
        self._pending: dict[int, Future[list[bytes]]] = {}
        self._ahead: deque[int] = deque()
        self._running_ahead = 0
        self._is_closed = False

    def warm(self) -> None:
        """Starts a worker before it is needed: what it imports takes a moment."""
        self._submit([])

    def want(self, rows: Sequence[int], ahead: Sequence[int] = ()) -> None:
        """Has pictures made now, and others as soon as nothing else is to be done."""
        with self._lock:
            missing = [row for row in rows if row not in self._pending and not self._has(row)]
            self._ahead = deque(row for row in ahead if not self._has(row))
        for start in range(0, len(missing), _BATCH):
            self._submit(missing[start : start + _BATCH])
        self._go_ahead()

    def get(self, row: int) -> bytes | None:
        """A picture that was made; empty where there can be none; None: it is not made yet."""
        return self._cache.get(row)

    def coming(self, row: int) -> Future[list[bytes]] | None:
        """What is done when a picture is made, which is begun if it was not; None: it cannot be."""
        with self._lock:
            future = self._pending.get(row)
        return future or self._submit([row])

    def _has(self, row: int) -> bool:
        return self._cache.has(row)

    def _submit(self, rows: Sequence[int], *, is_ahead: bool = False) -> Future[list[bytes]] | None:
        with self._lock:
            if self._is_closed:
                return None
            if self._pool is None:
                # Spawned: the server has threads, which a fork would not have.
                self._pool = ProcessPoolExecutor(
                    self._workers,
                    multiprocessing.get_context("spawn"),
                    _begin,
                    (self._folder.path, os.getpid()),
                )
            pool = self._pool
            kept: Future[list[bytes]] = Future()
            for row in rows:
                self._pending[row] = kept
            self._running_ahead += is_ahead
            try:
                future = pool.submit(_make, rows)
            except (BrokenProcessPool, RuntimeError):
                self._pool = None
                for row in rows:
                    self._pending.pop(row, None)
                self._running_ahead -= is_ahead
                return None

        def done(future: Future[list[bytes]]) -> None:
            try:
                made = future.result()
            except BaseException:  # a worker died: the next ones get a new pool
                made = []
                with self._lock:
                    if self._pool is pool:
                        self._pool = None
                if len(rows) == 1:
                    self._cache.put(rows[0], b"")  # it was this one
            for row, picture in zip(rows, made, strict=False):
                self._cache.put(row, picture)
            with self._lock:
                for row in rows:
                    self._pending.pop(row, None)
                self._running_ahead -= is_ahead
            kept.set_result(made)
            if is_ahead:
                self._go_ahead()

        future.add_done_callback(done)
        return kept

    def _go_ahead(self) -> None:
        while True:
            with self._lock:
                if self._is_closed or self._running_ahead >= self._workers:
                    return
                rows: list[int] = []
                while self._ahead and len(rows) < _BATCH:
                    row = self._ahead.popleft()
                    if row not in self._pending and not self._has(row):
                        rows.append(row)
            if not rows or self._submit(rows, is_ahead=True) is None:
                return

    def close(self) -> None:
        """Ends the workers and keeps what was made."""
        with self._lock:
            self._is_closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)
        self._cache.close()
