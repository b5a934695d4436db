"""JPEGs that are handed over as they are, for decoding on an accelerator or elsewhere.

An example is a tensor of a JPEG's bytes, as `torchvision.io.decode_jpeg` and others take it. The
images of a batch are read one behind the other into the memory that the batch is handed over in,
so PyTorch's own collation has nothing left to copy.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from multiprocessing.reduction import ForkingPickler
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data._utils.collate import default_collate_fn_map

from pass_dataset.torch.positions import PositionReader
from pass_dataset.torch.slots import HandedOver, Lease, SlotPool, receive

__all__ = ["JpegBatch", "JpegTensor", "read_jpegs"]


class JpegTensor(torch.Tensor):
    """A JPEG as published: uint8, one dimension. What is computed of it are plain tensors."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    #: Of the first of those that were read together: the memory that all of them are in.
    lease: Lease | None = None

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Alone it is copied: the memory is its batch's.
        return _jpeg_of, (self.numpy().tobytes(),)

    def __deepcopy__(self, memo: Any) -> JpegTensor:
        return _jpeg_of(self.numpy().tobytes())


def _jpeg_of(data: bytes) -> JpegTensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8).as_subclass(JpegTensor)


class JpegBatch:
    """The JPEGs of a batch, one behind the other in one tensor.

    ``batch[i]`` is a tensor (uint8, one dimension), a view of `data`; ``list(batch)`` has all of
    them, as `torchvision.io.decode_jpeg` takes them, and ``batch[i:j]`` some.

    Attributes:
      data: all bytes: uint8, one dimension.
    """

    def __init__(self, data: torch.Tensor, ends: Sequence[int], lease: Lease | None = None) -> None:
        """Of their bytes, and where in these each ends."""
        self.data = data
        self._ends = ends
        self._lease = lease

    @property
    def offsets(self) -> torch.Tensor:
        """Where each begins in `data`, and where the last one ends: int64, one more than images."""
        return torch.tensor([0, *self._ends])

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> torch.Tensor: ...

    @overload
    def __getitem__(self, index: slice) -> list[torch.Tensor]: ...

    def __getitem__(self, index: int | slice) -> torch.Tensor | list[torch.Tensor]:
        if isinstance(index, slice):
            return list(self)[index]
        place = range(len(self._ends))[index]
        return self.data[self._ends[place - 1] if place else 0 : self._ends[place]]

    def __iter__(self) -> Iterator[torch.Tensor]:
        return iter(_cut(self.data, self._ends) if self._ends else ())

    def pin_memory(self) -> JpegBatch:
        """A copy in pinned memory; loaders with ``pin_memory=True`` ask for it."""
        return JpegBatch(self.data.pin_memory(), self._ends)

    def __reduce__(self) -> Any:
        return JpegBatch, (self.data, self._ends)

    def __repr__(self) -> str:
        return f"JpegBatch({len(self)} images, {self.data.numel():,} bytes)"


def read_jpegs(
    reader: PositionReader, positions: npt.NDArray[np.int64], pool: SlotPool
) -> list[JpegTensor]:
    """Reads images into the memory of one batch, in the order in which they lie.

    Args:
      reader: of the images.
      positions: of these, in the order in which they are wanted.
      pool: gives the memory.

    Raises:
      ArchiveError: they cannot be read.
    """
    if not len(positions):
        return []
    sizes = reader.sizes_bytes(positions)
    stops = np.cumsum(sizes)
    starts = stops - sizes
    lease = pool.take(int(stops[-1]))
    order = reader.in_tar_order(positions)
    reader.read_into(positions[order], lease.values.numpy().data, starts[order].tolist())
    jpegs = [part.as_subclass(JpegTensor) for part in _cut(lease.values, stops.tolist())]
    jpegs[0].lease = lease
    return jpegs


def _cut(data: torch.Tensor, ends: Sequence[int]) -> Sequence[torch.Tensor]:
    """Its parts, by where they end."""
    return data.tensor_split(ends[:-1])


def collate_jpegs(jpegs: Sequence[JpegTensor], *, collate_fn_map: Any = None) -> JpegBatch:
    """What PyTorch's default collation makes of JPEGs."""
    ends = list(itertools.accumulate(map(len, jpegs)))
    lease = jpegs[0].lease
    if lease is None:
        return JpegBatch(torch.cat([jpeg.as_subclass(torch.Tensor) for jpeg in jpegs]), ends)
    if not _are_all(jpegs, ends, lease):
        lease = lease.pool.take(ends[-1])
        torch.cat([jpeg.as_subclass(torch.Tensor) for jpeg in jpegs], out=lease.values)
    return JpegBatch(lease.values, ends, lease)


def _are_all(jpegs: Sequence[JpegTensor], ends: Sequence[int], lease: Lease) -> bool:
    """Whether JPEGs are those that were read into some memory, all of them and in this order."""
    if lease.values.numel() != ends[-1]:
        return False
    first = lease.values.data_ptr()
    # As all of them exist, nothing else can be where they are.
    return all(
        jpeg.data_ptr() == first + start
        for jpeg, start in zip(jpegs, itertools.chain([0], ends[:-1]), strict=True)
    )


def _handed_over(batch: JpegBatch) -> Any:
    """How a batch goes to another process."""
    handed_over = None if batch._lease is None else batch._lease.hand_over()
    if handed_over is None:
        return batch.__reduce__()
    return _received, (handed_over, batch._ends)


def _received(handed_over: HandedOver, ends: Sequence[int]) -> JpegBatch:
    return JpegBatch(receive(handed_over), ends)


# PyTorch's documented place for types of one's own.
default_collate_fn_map[JpegTensor] = collate_jpegs
# Pickles of other kinds, such as those of `torch.save`, hold the bytes.
ForkingPickler.register(JpegBatch, _handed_over)
