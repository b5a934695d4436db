"""Each step from crops to views, for many at once, on the device they are on.

A step is a function of views and of one number for each of them. Views are N×3×S×S floats that hold
whole numbers from 0 to 255, RGB, between steps too: the definitions are those of `operations`, one
image a time on the CPU, to which they are alike up to rounding (see ``docs/recipes/views.md``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pass_dataset.torch.views.operations import (
    BLUR_REACH,
    BRIGHTEST,
    CUT_OFF,
    GREY_WEIGHTS,
    HUE_STEPS,
)
from pass_dataset.torch.views.parameters import Change

__all__ = ["blur_kernels", "blurred", "changed", "flipped", "grey_of", "solarised"]


def changed(views: Tensor, change: Change, amounts: Tensor) -> Tensor:
    """One step of colour jitter, the same one for all, by an amount for each (N)."""
    return _CHANGES[change](views, amounts[:, None, None, None])


def brightened(views: Tensor, factors: Tensor) -> Tensor:
    """Blended with black."""
    return _cut_off(views * factors)


def contrasted(views: Tensor, factors: Tensor) -> Tensor:
    """Blended with the mean of the greys, a whole number."""
    means = views.mean((2, 3), keepdim=True)
    greys = (_weighted(means) + 0.5).floor_()
    return _cut_off(views * factors + (1 - factors) * greys)


def saturated(views: Tensor, factors: Tensor) -> Tensor:
    """Blended with the greys."""
    return _cut_off(views * factors + grey_of(views) * (1 - factors))


def hue_turned(views: Tensor, turns: Tensor) -> Tensor:
    """Hue turned by a part of the circle, in steps of 1/256 of it; HSV is of whole numbers too."""
    brightest, where = views.max(1, keepdim=True)
    spread = brightest - views.amin(1, keepdim=True)
    saturations = (spread * BRIGHTEST / brightest.clamp(min=1)).round_()
    # Sixths of the circle from the channel that is brightest: each is compared with the other two.
    following, preceding = views.roll(-1, 1), views.roll(-2, 1)
    sixths = ((following - preceding).gather(1, where) / spread.clamp(min=1)) + 2 * where
    hues = (sixths * (HUE_STEPS / 6)).round_()
    hues = torch.remainder(hues + (turns * BRIGHTEST).trunc(), HUE_STEPS)
    return _rgb_of(hues, saturations, brightest)


def _rgb_of(hues: Tensor, saturations: Tensor, brightest: Tensor) -> Tensor:
    """Colours (N×3×S×S) of N×1×S×S each."""
    chroma = brightest * saturations / BRIGHTEST
    # Of red, green and blue: how far the hue is from it on the circle, in sixths, at most 3. Back
    # from 8 bits OpenCV takes 255 of them for the circle, as Pillow does, and 256 on the way there.
    sixths = hues * (6 / BRIGHTEST) + 3
    away = torch.cat([sixths - middle for middle in (0.0, 2.0, 4.0)], 1)
    away = away.remainder_(6).sub_(3).abs_()
    return (brightest - chroma * away.sub_(1).clamp_(0, 1)).round_()


_CHANGES = {
    "brightness": brightened,
    "contrast": contrasted,
    "saturation": saturated,
    "hue": hue_turned,
}


def grey_of(views: Tensor) -> Tensor:
    """Greys, N×1×S×S."""
    return _weighted(views).round_()


def _weighted(views: Tensor) -> Tensor:
    red, green, blue = torch.split(views, 1, 1)
    of_red, of_green, of_blue = GREY_WEIGHTS
    return (red * of_red).add_(green, alpha=of_green).add_(blue, alpha=of_blue)


def blurred(views: Tensor, kernels: Tensor) -> Tensor:
    """Gaussian blur by a kernel for each (N×taps; see `blur_kernels`), mirrored at the borders."""
    for dimension in (3, 2):
        views = _filtered(views, kernels, dimension)
    return views.round_().clamp_(0, BRIGHTEST)


def blur_kernels(sigmas_px: Sequence[float]) -> Tensor:
    """N×(2·reach + 1), of the largest reach; beyond its own a kernel has zeros."""
    reaches = [math.ceil(BLUR_REACH * sigma_px) for sigma_px in sigmas_px]
    places = torch.arange(-max(reaches), max(reaches) + 1, dtype=torch.float64)
    sigmas = torch.tensor(sigmas_px, dtype=torch.float64)[:, None]
    weights = torch.exp(-(places**2) / (2 * sigmas**2))
    weights[places.abs() > torch.tensor(reaches)[:, None]] = 0
    return (weights / weights.sum(1, keepdim=True)).float()


def _filtered(views: Tensor, kernels: Tensor, dimension: int) -> Tensor:
    """Along rows or columns; a border is mirrored about its last pixel, again where it is short."""
    side, taps = views.shape[dimension], kernels.shape[1]
    there = torch.arange(-(taps // 2), side + taps // 2, device=views.device)
    if side > 1:
        there = side - 1 - (there.remainder(2 * (side - 1)) - (side - 1)).abs()
    else:
        there = torch.zeros_like(there)
    wider = views.index_select(dimension, there)
    made = torch.zeros_like(views)
    for tap in range(taps):
        made.addcmul_(wider.narrow(dimension, tap, side), kernels[:, tap, None, None, None])
    return made


def solarised(views: Tensor) -> Tensor:
    """Values of 128 and more turned into 255 minus themselves."""
    return torch.minimum(views, BRIGHTEST - views)


def flipped(views: Tensor) -> Tensor:
    """Left and right swapped."""
    return views.flip(3)


def _cut_off(blended: Tensor) -> Tensor:
    """Whole numbers from 0 to 255, cut down to."""
    return blended.add_(CUT_OFF).round_().clamp_(0, BRIGHTEST)
