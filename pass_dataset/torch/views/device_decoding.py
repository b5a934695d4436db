"""Decoding a batch of files for a device: by nvJPEG in one call, or one by one on the CPU."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from pass_dataset.errors import MissingExtraError
from pass_dataset.extras import require
from pass_dataset.images.orientation import turn_of
from pass_dataset.torch.images import lacks_means
from pass_dataset.torch.views.decoding import JpegFacts, decode, jpeg_facts

__all__ = ["decoded_on"]

logger = logging.getLogger(__name__)

#: Pixels that are decoded together: 1 GiB of them on the device. A batch of PASS has 50 million.
_MOST_PIXELS = (1 << 30) // 3


def decoded_on(
    device: torch.device, files: Sequence[Tensor], *, upright: bool
) -> Iterator[Tensor | Exception]:
    """The images, in order; those of a large batch are not on the device all at once.

    Args:
      device: where they are wanted. On CUDA nvJPEG decodes (by torchvision, or by torchcodec where
        torchvision no longer does), and the CPU what that does not take: what is no JPEG, has four
        channels or is damaged.
      files: their bytes: uint8, one dimension, in the CPU's memory.
      upright: turned as their EXIF data say.

    Yields:
      3×H×W uint8, RGB, on the device; or why it cannot be decoded.

    Raises:
      MemoryError, OSError: this machine lacks memory or file handles, no fault of an image.
      torch.OutOfMemoryError: the device lacks memory.
    """
    # Bytes for as long as it takes: all of them would be memory that is new to the system.
    facts = [jpeg_facts(file.numpy().tobytes(), upright=upright) for file in files]
    for some in _portions(facts):
        by_device = _by_device(
            device, [files[place] for place in some], facts[some.start : some.stop]
        )
        for place, pixels in zip(some, by_device, strict=True):
            if pixels is None:
                yield _by_cpu(device, files[place], facts[place], upright=upright)
            else:
                yield pixels


def _portions(facts: Sequence[JpegFacts | None]) -> Iterator[range]:
    """Images that are decoded together."""
    first, pixels = 0, 0
    for place, one in enumerate(facts):
        size = 0 if one is None else one.width * one.height  # others are decoded one by one
        if place > first and pixels + size > _MOST_PIXELS:
            yield range(first, place)
            first, pixels = place, 0
        pixels += size
    if facts:
        yield range(first, len(facts))


def _by_device(
    device: torch.device, files: Sequence[Tensor], facts: Sequence[JpegFacts | None]
) -> list[Tensor | None]:
    """None for those that are left to the CPU."""
    found: list[Tensor | None] = [None] * len(files)
    if device.type != "cuda":
        return found
    # Where a file was cut off nvJPEG goes on in grey, and does not say so.
    taken = {
        place: one
        for place, one in enumerate(facts)
        if one is not None and one.is_plain and one.is_whole
    }
    found_there = _by_nvjpeg(device, [files[place] for place in taken])
    for (place, one), pixels in zip(taken.items(), found_there, strict=True):
        if pixels is not None:
            turned = _turned(pixels, one.orientation)
            if turned.shape[1:] == (one.height, one.width):
                found[place] = turned
    return found


def _by_nvjpeg(device: torch.device, files: list[Tensor]) -> Sequence[Tensor | None]:
    found = _halved(device, files)
    if len(found) > 1 and all(pixels is None for pixels in found):
        logger.warning(
            "nvJPEG decoded none of %d JPEGs, so the CPU does, which is slow: "
            "log messages of level DEBUG say why",
            len(found),
        )
    return found


def _halved(device: torch.device, files: list[Tensor]) -> Sequence[Tensor | None]:
    if not files:
        return []
    try:
        return _nvjpeg(device, files)
    except torch.cuda.OutOfMemoryError:
        raise
    except RuntimeError as error:  # of one of them, and it does not say which
        # What it had begun of the others still runs on its own stream, and its memory is given to
        # whoever asks next.
        torch.cuda.synchronize(device)
        if len(files) == 1:
            logger.debug("nvJPEG does not take a JPEG, the CPU decodes it: %s", error)
            return [None]
    middle = len(files) // 2
    return [*_halved(device, files[:middle]), *_halved(device, files[middle:])]


def _nvjpeg(device: torch.device, files: list[Tensor]) -> list[Tensor]:
    # It writes by a stream of its own, which waits for nothing, into memory that kernels which are
    # still to run may have been promised (torchvision 0.26): what they read would be its pixels.
    torch.cuda.current_stream(device).synchronize()
    torchvision: Any = require("torchvision.io", feature="Decoding on a GPU", extra="torch")
    if hasattr(torchvision, "decode_jpeg"):
        with warnings.catch_warnings():  # deprecated since 0.29
            warnings.simplefilter("ignore", DeprecationWarning)
            return list(torchvision.decode_jpeg(files, torchvision.ImageReadMode.RGB, device))
    try:
        torchcodec: Any = importlib.import_module("torchcodec.decoders")
    except ModuleNotFoundError as error:  # no extra has it: its version goes by that of torch
        raise MissingExtraError(
            "Decoding on a GPU needs the package 'torchcodec', as this torchvision no longer does "
            "it. Install it with: pip install torchcodec",
            name="torchcodec",
        ) from error
    return list(torchcodec.decode_jpeg(files, mode="RGB", device=device))


def _turned(pixels: Tensor, orientation: int) -> Tensor:
    """As `images.orientation.turn`, of 3×H×W."""
    wanted = turn_of(orientation)
    if wanted.swaps_sides:
        pixels = pixels.transpose(1, 2)
    mirrored = [
        side
        for side, is_mirrored in ((1, wanted.mirrors_rows), (2, wanted.mirrors_columns))
        if is_mirrored
    ]
    return pixels.flip(mirrored) if mirrored else pixels


def _by_cpu(
    device: torch.device, file: Tensor, facts: JpegFacts | None, *, upright: bool
) -> Tensor | Exception:
    try:
        pixels = decode(file.numpy().tobytes(), facts, 1, upright=upright)
    except Exception as error:  # Pillow has no base class for what is wrong with a file
        if lacks_means(error):
            raise
        return error
    return torch.from_numpy(pixels).to(device).permute(2, 0, 1)
