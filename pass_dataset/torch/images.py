"""Decoding: from a JPEG's bytes to what transforms take.

Pillow decodes, whatever is asked for. Measured on one core with 24 pictures of 500x375 pixels and
89 kB, milliseconds an image, median:

    to PIL      Pillow 1.3, simplejpeg 2.0 (its array made an image)
    to tensor   Pillow 1.8, simplejpeg 1.6, torchvision 2.2
    reduced     Pillow at half the size 1.2, at a quarter 1.1

All are libjpeg-turbo inside and give the same pixels. simplejpeg would save a tenth for tensors,
too little for one more dependency that has to be there on every machine; torchvision cannot reduce,
and its decoding is deprecated since 0.29.
Reducing saves little in photographs that have as many bytes as these: most of the time goes into
the entropy coding, of which nothing can be left out. It does save time in the transforms after it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from PIL import Image, ImageFile, JpegImagePlugin

from pass_dataset.images.containers import read_frame
from pass_dataset.images.depths import in_rgb
from pass_dataset.images.exif import EXIF_START
from pass_dataset.images.orientation import exif_orientation
from pass_dataset.images.outcomes import BadImageError

__all__ = ["Decode", "Decoder", "OnError", "lacks_means"]

#: What an image is handed over as.
Decode: TypeAlias = Literal["pil", "tensor", "bytes", "jpeg"]
#: What is done about an image that cannot be decoded.
OnError: TypeAlias = Literal["raise", "skip"]

#: What JPEG can be reduced by while it is decoded, by leaving out frequencies (DCT scaling).
_REDUCTIONS = (8, 4, 2)


#: What brings an image of an orientation (EXIF 2.3, tag 0x0112) to be seen as it is meant to be.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

#: Pillow imports its readers with the first image, and takes one whose module cannot be opened for
#: one that is not there: "cannot identify image file". So that of JPEG is here beforehand.
_READER = JpegImagePlugin.JpegImageFile

#: What Pillow says where its decoders have no memory (its error -9); it is an OSError.
_NO_MEMORY = "out of memory"


def lacks_means(error: Exception) -> bool:
    """True if it is the machine that cannot decode an image, for want of memory or file handles."""
    if isinstance(error, OSError):
        # Of the system's errors each has a number; what Pillow says of a file has none.
        return error.errno is not None or _NO_MEMORY in str(error)
    return isinstance(error, MemoryError)


@dataclass(frozen=True)
class Decoder:
    """How images are decoded.

    Attributes:
      decode: ``pil``: `PIL.Image.Image` in mode RGB; ``tensor``: `torch.Tensor`, uint8, 3×H×W, RGB;
        ``bytes``: the JPEG as it is, not looked into; ``jpeg``: the same as a `JpegTensor`.
      min_side_px: decode at a half, a quarter or an eighth of the size, the smallest whose shorter
        side has at least so many pixels; None for full size. For crops that are resized to S
        pixels and cover at least the share A of the area, ``S / A ** 0.5`` loses nothing.
      upright: turn an image as its EXIF data say it is to be seen; else it stays as it is stored.
    """

    decode: Decode = "pil"
    min_side_px: int | None = None
    upright: bool = True

    def __post_init__(self) -> None:
        if self.decode not in get_args(Decode):
            raise ValueError(
                f"decode: expected 'pil', 'tensor', 'bytes' or 'jpeg', found {self.decode!r}"
            )
        if self.min_side_px is not None and self.min_side_px < 1:
            raise ValueError(f"min_side_px: expected 1 or more, found {self.min_side_px}")
        if self.min_side_px is not None and self.decodes_nothing:
            raise ValueError("min_side_px: JPEGs are not decoded, so they cannot be reduced")

    @property
    def decodes_nothing(self) -> bool:
        """Whether JPEGs are handed over as they are."""
        return self.decode in ("bytes", "jpeg")

    def __call__(self, jpeg: Any) -> Any:
        """Decodes an image.

        Args:
          jpeg: its bytes; for ``jpeg``, the `JpegTensor` itself.

        Raises:
          Exception: it cannot be decoded; Pillow has no base class for what is wrong with a file.
        """
        if self.decodes_nothing:
            return jpeg
        image = self._image(jpeg)
        if self.decode == "pil":
            return image
        pixels = torch.from_numpy(np.array(image))
        return pixels.permute(2, 0, 1).contiguous()

    def _image(self, jpeg: bytes) -> Image.Image:
        if ImageFile.LOAD_TRUNCATED_IMAGES:
            _check_whole(jpeg)
        # No `with`: the image of a file in memory keeps nothing open.
        image: Image.Image = Image.open(io.BytesIO(jpeg))
        if self.min_side_px is not None:
            reduction = _reduction(min(image.size), self.min_side_px)
            # Rounded down, for Pillow to find the reduction; the image's own size is rounded up.
            image.draft(None, (image.width // reduction, image.height // reduction))
        image.load()
        # Greyscale and CMYK too; a JPEG has no transparency.
        rgb = in_rgb(image)
        return _turned(rgb, image.info.get("exif")) if self.upright else rgb


def _check_whole(file: bytes) -> None:
    """Refuses a file that was cut off, where Pillow would not.

    Somebody has told it, for the whole process, to fill in what is missing, as many trainings do:
    a cut image would go unnoticed. Of formats that are not looked into here, it still does.
    """
    try:
        read_frame(file)
    except BadImageError as bad:
        if bad.outcome in ("truncated", "damaged"):
            raise


def _turned(image: Image.Image, exif: bytes | None) -> Image.Image:
    if exif is None:
        return image
    turn = _TURNS.get(exif_orientation(exif.removeprefix(EXIF_START)))
    return image if turn is None else image.transpose(turn)


def _reduction(side_px: int, min_side_px: int) -> int:
    """By how much a side may be divided."""
    return next((by for by in _REDUCTIONS if side_px >= by * min_side_px), 1)
