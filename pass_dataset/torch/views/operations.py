"""Each step from an image to a view: a function of pixels (H×W×3 uint8, RGB) that changes none.

The definitions are torchvision's, on Pillow where its two ways differ: what is blended is cut down
to whole numbers, contrast is about the mean of the greys, hue is turned in 256 steps. Measured
differences from torchvision are in ``docs/recipes/views.md``, and held by the tests.

OpenCV does most of them, a view of 224 pixels in tens of microseconds. It resizes without regard to
how much smaller the result is, so crops are resized by PyTorch, whose bytes are those of Pillow.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import torch

from pass_dataset.torch.views.parameters import Box, Change
from pass_dataset.torch.views.recipes import Interpolation

__all__ = [
    "BLUR_REACH",
    "BRIGHTEST",
    "CUT_OFF",
    "GREY_WEIGHTS",
    "HUE_STEPS",
    "Pixels",
    "blurred",
    "changed",
    "flipped",
    "grey_of",
    "resized_crop",
    "rgb_of",
    "solarised",
]

Pixels: TypeAlias = npt.NDArray[np.uint8]

#: OpenCV rounds, where Pillow and torchvision cut off; a little less than a half is taken off, so
#: that what is a whole number stays one.
CUT_OFF = -0.498
#: Of red, green and blue in a grey (ITU-R BT.601).
GREY_WEIGHTS = (0.299, 0.587, 0.114)
#: Standard deviations on either side of the middle that blur takes into account. The next has less
#: than 1/200 of the weight of the middle.
BLUR_REACH = 3.0
BRIGHTEST = 255
#: Of the circle of hues, in 8 bits.
HUE_STEPS = 256


def resized_crop(
    pixels: Pixels, box: Box, size_px: int, interpolation: Interpolation = "bilinear"
) -> Pixels:
    """Part of an image, resized to a square with a filter as wide as the reduction asks for."""
    rows, columns = slice(box.top, box.top + box.height), slice(box.left, box.left + box.width)
    # `view` gives the one image the strides by which PyTorch knows that channels come last; with
    # those that `None` adds it turns the result around, which takes half as long again.
    images = torch.from_numpy(pixels).view(1, *pixels.shape).permute(0, 3, 1, 2)
    squares = torch.nn.functional.interpolate(
        images[:, :, rows, columns], (size_px, size_px), mode=interpolation, antialias=True
    )
    resized: Pixels = squares.permute(0, 2, 3, 1)[0].numpy()
    return resized


def flipped(pixels: Pixels) -> Pixels:
    """Left and right swapped."""
    return _pixels(cv2.flip(pixels, 1))


def changed(pixels: Pixels, change: Change, amount: float) -> Pixels:
    """One step of colour jitter."""
    return _CHANGES[change](pixels, amount)


def brightened(pixels: Pixels, factor: float) -> Pixels:
    """Blended with black."""
    # It takes absolute values, and none is below the little that is cut off.
    return _pixels(cv2.convertScaleAbs(pixels, alpha=factor, beta=CUT_OFF))


def contrasted(pixels: Pixels, factor: float) -> Pixels:
    """Blended with the mean of the greys, a whole number."""
    means = cv2.mean(pixels)
    grey = int(sum(weight * mean for weight, mean in zip(GREY_WEIGHTS, means, strict=False)) + 0.5)
    return _pixels(cv2.addWeighted(pixels, factor, pixels, 0, (1 - factor) * grey + CUT_OFF))


def saturated(pixels: Pixels, factor: float) -> Pixels:
    """Blended with the greys."""
    return _pixels(cv2.addWeighted(pixels, factor, rgb_of(grey_of(pixels)), 1 - factor, CUT_OFF))


def hue_turned(pixels: Pixels, turn: float) -> Pixels:
    """Hue turned by a part of the circle, in steps of 1/256 of it."""
    steps = int(turn * BRIGHTEST) % HUE_STEPS
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV_FULL)
    height, width = pixels.shape[:2]
    # One row for all, and it runs over at 256: steps of three take twice as long.
    rows = hsv.reshape(height, 3 * width)
    row = np.zeros((width, 3), np.uint8)
    row[:, 0] = steps
    np.add(rows, row.reshape(-1), out=rows)
    return _pixels(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL))


_CHANGES = {
    "brightness": brightened,
    "contrast": contrasted,
    "saturation": saturated,
    "hue": hue_turned,
}


def grey_of(pixels: Pixels) -> Pixels:
    """Greys, H×W."""
    return _pixels(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))


def rgb_of(greys: Pixels) -> Pixels:
    """Greys (H×W) as an image of colours."""
    return _pixels(cv2.cvtColor(greys, cv2.COLOR_GRAY2RGB))


def blurred(pixels: Pixels, sigma_px: float) -> Pixels:
    """Gaussian blur, mirrored at the borders; greys (H×W) too."""
    kernel = _kernel(sigma_px)
    return _pixels(cv2.sepFilter2D(pixels, -1, kernel, kernel))


def _kernel(sigma_px: float) -> npt.NDArray[np.float32]:
    reach = math.ceil(BLUR_REACH * sigma_px)
    kernel: npt.NDArray[np.float32] = cv2.getGaussianKernel(2 * reach + 1, sigma_px, cv2.CV_32F)
    return kernel


def solarised(pixels: Pixels) -> Pixels:
    """Values of 128 and more turned into 255 minus themselves; greys (H×W) too."""
    # Of a value and its complement, the lower one is what is asked for.
    return np.minimum(pixels, ~pixels)


def _pixels(made: Any) -> Pixels:
    """OpenCV's arrays have no type."""
    found: Pixels = made
    return found
