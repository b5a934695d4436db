"""Archives that are soon read whole, brought into memory while their headers are read.

To make the index of tars that are not in memory takes a read of the disk for each header, a tenth
of a millisecond of processor time each, and whoever builds reads the images between them next. If
there is room for all of it, the disk reads all from the beginning on meanwhile: in as much time,
half of the processor's, and the images are there.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["reading_ahead"]

#: Bytes that are asked for at a time, of one tar after the other, as their headers are read.
_CHUNK_BYTES = 8 << 20
#: Of the memory that is there, so much is left for what is written from the archives, and others.
_SHARE = 2
_MEMORY = Path("/proc/meminfo")


@contextlib.contextmanager
def reading_ahead(paths: Sequence[Path]) -> Iterator[None]:
    """Has the system read files, as far as it comes while the block lasts.

    Files for which there is no room together stay as they are, and all where the system says
    nothing of its memory (as other systems than Linux). It is a hint: what is wrong with a file,
    who reads it will say.
    """
    total = sum(path.stat().st_size for path in paths if path.is_file())
    if not hasattr(os, "posix_fadvise") or not 0 < total <= _free_bytes() // _SHARE:
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_ask, args=(paths, ended), name="reading ahead", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _ask(paths: Sequence[Path], ended: threading.Event) -> None:
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        files = [stack.enter_context(path.open("rb", buffering=0)) for path in paths]
        longest = max(os.fstat(file.fileno()).st_size for file in files)
        for position in range(0, longest, _CHUNK_BYTES):
            for file in files:
                if ended.is_set():
                    return
                os.posix_fadvise(file.fileno(), position, _CHUNK_BYTES, os.POSIX_FADV_WILLNEED)


def _free_bytes() -> int:
    """Memory that can be had without taking it from anyone; 0 if the system does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in _MEMORY.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0
