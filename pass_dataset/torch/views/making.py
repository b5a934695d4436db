"""Views of an image, from its file's bytes."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import cv2
import torch
from torch.utils.data import get_worker_info

from pass_dataset.errors import ImageError
from pass_dataset.torch.images import lacks_means
from pass_dataset.torch.tallies import SharedNumber
from pass_dataset.torch.views import operations
from pass_dataset.torch.views.batches import ViewList
from pass_dataset.torch.views.decoding import REDUCTIONS, decode, jpeg_facts
from pass_dataset.torch.views.draws import key_of, shown_key
from pass_dataset.torch.views.operations import Pixels
from pass_dataset.torch.views.parameters import Box, ViewParameters, draw_views
from pass_dataset.torch.views.recipes import Recipe, ViewRecipe, checked_recipe
from pass_dataset.torch.whole_numbers import whole_number

__all__ = ["Views"]

#: An image is decoded at a reduced size only where every crop of it is still larger than its view
#: by this factor, for the filter of resizing to do the rest.
_LEFT_TO_RESIZE = 2


class Decoded(NamedTuple):
    """An image, and what its views shall be.

    Attributes:
      pixels: H×W×3 uint8, RGB, reduced.
      reduction: 1, 2, 4 or 8.
      parameters: of each view; boxes are of the full size.
    """

    pixels: Pixels
    reduction: int
    parameters: tuple[ViewParameters, ...]


class Views:
    """Makes the views of images. **A view is a function of seed, epoch, key and number alone.**

    A dataset that takes ``views=`` calls it with the image's hash and its own epoch. For any other
    that has JPEGs as bytes it is the transform, and the key is the XXH3 hash of the bytes:

        views = Views(moco_v2(), seed=0)
        dataset = ImageFolder("photographs", loader=lambda path: Path(path).read_bytes(),
                              transform=views)
        for epoch in range(epochs):
            views.set_epoch(epoch)
            for (queries, keys), labels in loader: ...

    PyTorch's default collation makes one tensor a view: N×3×S×S uint8, channels last. On the
    training's device `normalise` makes floats of it.

    The same pixels need the same versions of OpenCV, PyTorch and libjpeg-turbo, and the same kind
    of processor; between others values may differ by a level or two.

    Attributes:
      recipe: what views are made of.
      seed: of the random numbers, with epoch, key and number.
      upright: images are turned as their EXIF data say.
    """

    def __init__(self, recipe: Recipe, seed: int = 0, *, upright: bool = True) -> None:
        self.recipe = checked_recipe(recipe)
        self.seed = whole_number("seed", seed)
        self.upright = upright
        self._epoch = SharedNumber(0)
        self._alone_in = -1

    @property
    def epoch(self) -> int:
        """The epoch that views are of where the caller does not say; in all processes."""
        return self._epoch.value

    def set_epoch(self, epoch: int) -> None:
        """Chooses it, for workers that live on too. Call it before each pass over the loader."""
        self._epoch.value = whole_number("epoch", epoch, least=0)

    def __call__(
        self, jpeg: bytes, key: str | bytes | None = None, epoch: int | None = None
    ) -> ViewList:
        """The views of an image, in the recipe's order.

        Args:
          jpeg: the file: bytes, or what lies in memory like them. Pillow's other formats are read
            too.
          key: what tells this image from all others; None: the hash of `jpeg`.
          epoch: None: that of `set_epoch`.

        Returns:
          For each view a tensor: 3×S×S uint8, RGB, lying in memory as H×W×3.

        Raises:
          ImageError: it cannot be decoded; the message has the key.
          TypeError, ValueError: an argument is not as described.
          MemoryError, OSError: this machine lacks memory or file handles.
        """
        file = _bytes_of(jpeg)
        of = key_of(file, key)
        if epoch is not None:
            whole_number("epoch", epoch, least=0)
        try:
            decoded = self.decode(file, of, epoch)
        # Pillow raises whatever its parsers do: OSError, SyntaxError, ValueError, struct.error …
        except Exception as error:
            if lacks_means(error):
                raise
            raise ImageError(f"image {shown_key(of)} cannot be decoded: {error}") from error
        return self.make(decoded)

    def decode(
        self, jpeg: bytes, key: str | bytes | None = None, epoch: int | None = None
    ) -> Decoded:
        """The first half of a call, in which all that is wrong with a file comes up.

        Raises:
          Exception: Pillow has no base class for what is wrong with a file.
        """
        of = key_of(jpeg, key), self.epoch if epoch is None else epoch
        facts = jpeg_facts(jpeg, upright=self.upright)
        if facts is None:
            pixels = decode(jpeg, None, 1, upright=self.upright)
            height, width = pixels.shape[:2]
            return Decoded(pixels, 1, self._parameters(width, height, *of))
        parameters = self._parameters(facts.width, facts.height, *of)
        reduction = self._reduction(parameters)
        pixels = decode(jpeg, facts, reduction, upright=self.upright)
        expected = tuple(-(-side // reduction) for side in (facts.height, facts.width))
        if pixels.shape[:2] != expected:
            raise ValueError(
                f"headers say {facts.width}×{facts.height} pixels, decoded were "
                f"{pixels.shape[1]}×{pixels.shape[0]}, at 1/{reduction} of the size"
            )
        return Decoded(pixels, reduction, parameters)

    def make(self, decoded: Decoded) -> ViewList:
        """The second half of a call."""
        self._see_to_threads()
        pixels, reduction, parameters = decoded
        return ViewList(
            torch.from_numpy(_view(pixels, reduction, recipe, wanted)).permute(2, 0, 1)
            for recipe, wanted in zip(self.recipe.views, parameters, strict=True)
        )

    def _parameters(
        self, width: int, height: int, key: bytes, epoch: int
    ) -> tuple[ViewParameters, ...]:
        return draw_views(self.recipe, width, height, seed=self.seed, epoch=epoch, key=key)

    def _reduction(self, parameters: tuple[ViewParameters, ...]) -> int:
        """By how much the image may be reduced for all of its views."""
        least = min(
            min(wanted.box.width, wanted.box.height) / recipe.size_px
            for recipe, wanted in zip(self.recipe.views, parameters, strict=True)
        )
        return next((by for by in REDUCTIONS if least >= by * _LEFT_TO_RESIZE), 1)

    def _see_to_threads(self) -> None:
        """OpenCV's threads do not survive a fork, and workers are as many as there are cores."""
        if get_worker_info() is not None and self._alone_in != os.getpid():
            cv2.setNumThreads(0)
            self._alone_in = os.getpid()

    def __repr__(self) -> str:
        return f"Views({self.recipe!r}, seed={self.seed})"


def _bytes_of(file: Any) -> bytes:
    if isinstance(file, bytes):
        return file
    if isinstance(file, torch.Tensor):
        file = file.numpy()
    try:
        view = memoryview(file)
    except TypeError:
        view = None
    if view is None or view.ndim != 1 or view.itemsize != 1:
        kind = f"{type(file).__module__}.{type(file).__name__}".removeprefix("builtins.")
        raise TypeError(
            f"jpeg: expected the bytes of an image file, found {kind}; "
            "ImageFolder hands them over with loader=lambda path: Path(path).read_bytes()"
        )
    return bytes(view)


def _view(pixels: Pixels, reduction: int, recipe: ViewRecipe, wanted: ViewParameters) -> Pixels:
    """One view, S×S×3 uint8."""
    box = wanted.box if reduction == 1 else _reduced(wanted.box, reduction, pixels)
    view = operations.resized_crop(pixels, box, recipe.size_px, recipe.interpolation)
    for change, amount in wanted.changes:
        view = operations.changed(view, change, amount)
    if wanted.is_grey:  # in one channel as long as that will do
        view = operations.grey_of(view)
    if wanted.blur_sigma_px is not None:
        view = operations.blurred(view, wanted.blur_sigma_px)
    if wanted.is_solarised:
        view = operations.solarised(view)
    if wanted.is_flipped:
        view = operations.flipped(view)
    return operations.rgb_of(view) if wanted.is_grey else view


def _reduced(box: Box, by: int, pixels: Pixels) -> Box:
    """A box of the full size in the reduced image, to the nearest pixel."""
    height, width = pixels.shape[:2]
    left, top = min(round(box.left / by), width - 1), min(round(box.top / by), height - 1)
    right = min(max(round((box.left + box.width) / by), left + 1), width)
    bottom = min(max(round((box.top + box.height) / by), top + 1), height)
    return Box(left, top, right - left, bottom - top)
