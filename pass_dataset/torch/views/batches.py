"""Views of many images: one tensor a view, in memory that workers hand over and use again."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.reduction import ForkingPickler
from typing import Any

import torch
from torch.utils.data import default_collate
from torch.utils.data._utils.collate import default_collate_fn_map

from pass_dataset.torch.imagenet import MEAN, STANDARD_DEVIATION
from pass_dataset.torch.slots import HandedOver, Lease, pool_of_process, receive

__all__ = ["ViewBatch", "ViewList", "collate_views", "normalise"]


class ViewList(list[torch.Tensor]):
    """The views of an image: tensors, 3×S×S uint8, RGB, channels last in memory."""


class ViewBatch(list[torch.Tensor]):
    """The views of a batch: for each a tensor, N×3×S×S uint8, RGB, channels last in memory.

    Where a worker has made it, the training gets a plain list; so does who saves or copies it.
    """

    _lease: Lease | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


def collate_views(
    images: Sequence[ViewList], *, collate_fn_map: Any = None
) -> list[torch.Tensor] | Any:
    """What PyTorch's default collation makes of the views of several images."""
    shapes = [tuple(view.shape) for view in images[0]]
    if any(not _are(image, shapes) for image in images):
        # Not as they were made: somebody has worked on them.
        return default_collate([list(image) for image in images])
    sizes = [len(images) * _size(shape) for shape in shapes]
    lease = pool_of_process().take(sum(sizes))
    batch = ViewBatch(_cut(lease.values, len(images), shapes))
    batch._lease = lease
    for views, together in zip(zip(*images, strict=True), batch, strict=True):
        torch.stack([view.permute(1, 2, 0) for view in views], out=together.permute(0, 2, 3, 1))
    return batch


def _are(image: ViewList, shapes: list[tuple[int, ...]]) -> bool:
    return [tuple(view.shape) for view in image] == shapes and all(
        view.dtype == torch.uint8 and view.ndim == 3 for view in image
    )


def _size(shape: tuple[int, ...]) -> int:
    channels, height, width = shape
    return channels * height * width


def _cut(
    values: torch.Tensor, images: int, shapes: Sequence[tuple[int, ...]]
) -> list[torch.Tensor]:
    """The tensors of a batch, which lie one behind the other."""
    parts = torch.split(values, [images * _size(shape) for shape in shapes])
    return [
        part.view(images, height, width, channels).permute(0, 3, 1, 2)
        for part, (channels, height, width) in zip(parts, shapes, strict=True)
    ]


def _handed_over(batch: ViewBatch) -> Any:
    """How a batch goes to another process."""
    handed_over = None if batch._lease is None else batch._lease.hand_over()
    if handed_over is None:
        return list, (list(batch),)
    return _received, (handed_over, len(batch[0]), [tuple(view.shape[1:]) for view in batch])


def _received(
    handed_over: HandedOver, images: int, shapes: list[tuple[int, ...]]
) -> list[torch.Tensor]:
    return _cut(receive(handed_over), images, shapes)


def normalise(
    views: torch.Tensor,
    mean: Sequence[float] = MEAN,
    standard_deviation: Sequence[float] = STANDARD_DEVIATION,
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    """Views as networks take them, made on the device they are on.

    Args:
      views: N×3×S×S or 3×S×S uint8.
      mean, standard_deviation: of each channel, of values from 0 to 1.
      dtype: of the result.

    Returns:
      ``(views / 255 - mean) / standard_deviation``, in the memory format of `views`.

    Raises:
      TypeError: it is no tensor, or one of other values than uint8.
    """
    if not isinstance(views, torch.Tensor) or views.dtype != torch.uint8:
        found = getattr(views, "dtype", type(views).__name__)
        raise TypeError(
            f"views: expected a tensor of uint8, found {found}; of several views each goes alone"
        )
    offset, spread = (
        torch.tensor(numbers, dtype=dtype, device=views.device).mul_(255)[:, None, None]
        for numbers in (mean, standard_deviation)
    )
    return views.to(dtype).sub_(offset).div_(spread)


# PyTorch's documented place for types of one's own.
default_collate_fn_map[ViewList] = collate_views
ForkingPickler.register(ViewBatch, _handed_over)
