"""Images with their labels."""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash

from pass_dataset.errors import EvaluationError
from pass_dataset.images.depths import in_rgb

__all__ = ["DIFFICULT", "LabelledImages", "content_of", "decoded", "encoded"]

#: Of several labels: neither there nor surely absent, which Pascal VOC calls difficult.
DIFFICULT = 0


@dataclass(frozen=True)
class LabelledImages:
    """A set of images with labels.

    Attributes:
      name: what it was asked for by, with its split.
      classes: names of the classes.
      labels: int64 of shape (N,), the number of each image's class; or of several labels an image,
        int8 of shape (N, classes): 1 there, -1 not there, 0 difficult.
      names: of the images, for reports.
      read: bytes of an encoded image, or the image itself, by its position. May be called from
        several threads.
    """

    name: str
    classes: tuple[str, ...]
    labels: np.ndarray[Any, Any]
    names: tuple[str, ...]
    read: Callable[[int], Any]

    def __post_init__(self) -> None:
        if not len(self.labels):
            raise EvaluationError(f"{self.name}: expected labelled images, found none")
        if len(self.labels) != len(self.names):
            raise EvaluationError(
                f"{self.name}: found {len(self.names)} images and {len(self.labels)} labels"
            )
        if self.labels.ndim == 1 and not 0 <= self.labels.min() <= self.labels.max() < len(
            self.classes
        ):
            raise EvaluationError(
                f"{self.name}: expected labels from 0 to {len(self.classes) - 1}, found "
                f"{self.labels.min()} to {self.labels.max()}; is it a split without labels?"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def is_multi_label(self) -> bool:
        return self.labels.ndim == 2

    @functools.cached_property
    def hashes(self) -> tuple[bytes, ...]:
        """What each image is, whatever it is called; reads them all, once."""
        return tuple(content_of(self.read(position)) for position in range(len(self)))

    def digest(self) -> str:
        """SHA-256 of what the images are, in their order."""
        return hashlib.sha256(b"".join(self.hashes)).hexdigest()


def encoded(image: Any) -> bytes:
    """The bytes of an encoded image; one that is not encoded as PNG, without loss."""
    if isinstance(image, bytes):
        return image
    buffer = io.BytesIO()
    in_rgb(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def content_of(image: Any) -> bytes:
    """Hash (16 bytes) of an encoded image, or of the pixels of one that is not encoded."""
    if isinstance(image, bytes):
        return xxhash.xxh3_128_digest(image)
    return xxhash.xxh3_128_digest(f"{image.mode} {image.size} ".encode() + image.tobytes())


def decoded(image: Any, name: str) -> Any:
    """A PIL image in RGB, as torchvision's folders of images give it: EXIF turns nothing.

    Only of 16 bits grey it is what it shows, of which Pillow alone makes white.

    Raises:
      EvaluationError: it cannot be decoded.
    """
    from PIL import Image

    try:
        if not isinstance(image, bytes):
            return in_rgb(image)
        with Image.open(io.BytesIO(image)) as opened:
            opened.load()
            return in_rgb(opened)
    # Of damaged files Pillow raises almost anything.
    except Exception as error:
        raise EvaluationError(
            f"{name}: cannot be decoded: {error}. An evaluation without it would be another one: "
            "take it out of the set, or repair it"
        ) from error
