"""Images of a stream many at a time: their bytes one behind the other, copied once.

An image as a record of its own is an object for its bytes and for each field, and takes several
times as long. The memory of a block that nobody has any more is filled again: of new memory each
page costs a fault.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["BlockMemory", "Filling", "ImageBlock"]

#: Memory is asked for in multiples of this, so that one block's does for the next.
_UNIT_BYTES = 4 << 20
#: Blocks' memory that is kept though it is free.
_SPARE = 2

_Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ImageBlock:
    """Some images, in order.

    Attributes:
      jpegs: their bytes.
      columns: by name: `hash`, and of the metadata `creator`, `date_taken`, `latitude` and
        `longitude`; null where it knows nothing.
    """

    jpegs: pa.BinaryArray
    columns: dict[str, pa.Array]


class BlockMemory:
    """The memory of the blocks of one stream."""

    def __init__(self) -> None:
        #: Memory, and what was lent of it, as long as there is any.
        self._pieces: list[tuple[_Bytes, weakref.ref[_Bytes]]] = []

    def take(self, size_bytes: int) -> _Bytes:
        """At least so many bytes. They are in use as long as there is any view of them."""
        free = [memory for memory, lent in self._pieces if lent() is None]
        fitting = [memory for memory in free if len(memory) >= size_bytes]
        memory = min(fitting, key=len) if fitting else _new(size_bytes)
        lent_now = [piece for piece in self._pieces if piece[1]() is not None]
        spare = [other for other in free if other is not memory][:_SPARE]
        view = memory[:]
        nobody = weakref.ref(memory[:])
        self._pieces = [*lent_now, *((other, nobody) for other in spare)]
        self._pieces.append((memory, weakref.ref(view)))
        return view


def _new(size_bytes: int) -> _Bytes:
    return np.empty(-(-size_bytes // _UNIT_BYTES) * _UNIT_BYTES, np.uint8)


class Filling:
    """A block that is being filled."""

    def __init__(self, memory: BlockMemory, size_bytes: int) -> None:
        """With memory for so many bytes at first."""
        self._memory = memory
        self._bytes = memory.take(size_bytes)
        self._view = self._bytes.data
        self._ends = [0]
        self.hashes: list[str] = []

    @property
    def size_bytes(self) -> int:
        """Of the images in it."""
        return self._ends[-1]

    def add(self, found: str, jpeg: memoryview) -> None:
        """One more image."""
        start = self._ends[-1]
        end = start + len(jpeg)
        if end > len(self._view):
            more = self._memory.take(end + end // 2)
            more[:start] = self._bytes[:start]
            self._bytes, self._view = more, more.data
        self._view[start:end] = jpeg
        self._ends.append(end)
        self.hashes.append(found)

    def jpegs(self) -> pa.BinaryArray:
        """The images' bytes, where they are."""
        # 32 bits count the bytes of an Arrow binary array; one image of 2 GiB would be no
        # photograph.
        ends = pa.py_buffer(np.array(self._ends, np.int32))
        data = pa.py_buffer(self._bytes).slice(0, self._ends[-1])
        return pa.BinaryArray.from_buffers(pa.binary(), len(self.hashes), [None, ends, data])
