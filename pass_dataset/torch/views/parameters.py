"""What random numbers decide of one view: which box, which colours, which blur.

The distributions are those of `torchvision.transforms`: `RandomResizedCrop`, `ColorJitter`,
`RandomGrayscale`, `GaussianBlur` and `RandomHorizontalFlip`; `RandomApply` where they have no
probability of their own.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from pass_dataset.torch.views.draws import random_numbers
from pass_dataset.torch.views.recipes import ColourJitter, Recipe, ViewRecipe

__all__ = ["Box", "Change", "ViewParameters", "draw_parameters", "draw_views"]

#: Boxes that are tried until one is within the image, as in torchvision.
_TRIES = 10
#: What is changed, in the order that torchvision numbers.
Change: TypeAlias = Literal["brightness", "contrast", "saturation", "hue"]
_ORDERS: tuple[tuple[Change, ...], ...] = tuple(
    itertools.permutations(("brightness", "contrast", "saturation", "hue"))
)

# Places of the random numbers. They stay where they are: what is new comes behind them.
_AREA = 0  # then the ratio, by turns, for each try
_LEFT = 2 * _TRIES
_TOP, _FLIP, _JITTER, _BRIGHTNESS, _CONTRAST, _SATURATION, _HUE = range(_LEFT + 1, _LEFT + 8)
_ORDER, _GREY, _BLUR, _SIGMA, _SOLARISE = range(_HUE + 1, _HUE + 6)
_NUMBERS = _SOLARISE + 1


class Box(NamedTuple):
    """Part of an image, in pixels."""

    left: int
    top: int
    width: int
    height: int


class ViewParameters(NamedTuple):
    """What is done to an image for one view.

    Attributes:
      box: what is cut out, of the image at its full size.
      changes: of colours, in their order: what, and by which factor (`hue`: which turn).
      is_grey: colours are left out.
      blur_sigma_px: standard deviation of the blur; None: there is none.
      is_solarised, is_flipped: whether this is done.
    """

    box: Box
    changes: tuple[tuple[Change, float], ...]
    is_grey: bool
    blur_sigma_px: float | None
    is_solarised: bool
    is_flipped: bool


def draw_views(
    recipe: Recipe, width: int, height: int, *, seed: int, epoch: int, key: bytes
) -> tuple[ViewParameters, ...]:
    """The parameters of all views of an image; see `draw_parameters`."""
    return tuple(
        draw_parameters(view, width, height, seed=seed, epoch=epoch, key=key, number=number)
        for number, view in enumerate(recipe.views)
    )


def draw_parameters(
    recipe: ViewRecipe, width: int, height: int, *, seed: int, epoch: int, key: bytes, number: int
) -> ViewParameters:
    """The parameters of a view.

    Args:
      recipe: what they are drawn by.
      width, height: of the image, in pixels, the way up that views are made of.
      seed, epoch, key, number: see `draws`.
    """
    numbers = random_numbers(seed, epoch, key, number, _NUMBERS)
    is_blurred = numbers[_BLUR] < recipe.blur
    return ViewParameters(
        box=_box(recipe, width, height, numbers),
        changes=_changes(recipe.jitter, numbers),
        is_grey=numbers[_GREY] < recipe.grey,
        blur_sigma_px=_between(recipe.blur_sigma_px, numbers[_SIGMA]) if is_blurred else None,
        is_solarised=numbers[_SOLARISE] < recipe.solarise,
        is_flipped=numbers[_FLIP] < recipe.flip,
    )


def _box(recipe: ViewRecipe, width: int, height: int, numbers: Sequence[float]) -> Box:
    """As `RandomResizedCrop.get_params`."""
    log_ratio = (math.log(recipe.ratio[0]), math.log(recipe.ratio[1]))
    for place in range(_AREA, 2 * _TRIES, 2):
        area = width * height * _between(recipe.scale, numbers[place])
        ratio = math.exp(_between(log_ratio, numbers[place + 1]))
        box_width, box_height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < box_width <= width and 0 < box_height <= height:
            left = int(numbers[_LEFT] * (width - box_width + 1))
            top = int(numbers[_TOP] * (height - box_height + 1))
            return Box(left, top, box_width, box_height)
    # From the middle, as much as the ratio allows.
    box_width, box_height = width, height
    if width / height < recipe.ratio[0]:
        box_height = max(1, round(width / recipe.ratio[0]))
    elif width / height > recipe.ratio[1]:
        box_width = max(1, round(height * recipe.ratio[1]))
    return Box((width - box_width) // 2, (height - box_height) // 2, box_width, box_height)


def _changes(
    jitter: ColourJitter | None, numbers: Sequence[float]
) -> tuple[tuple[Change, float], ...]:
    if jitter is None or numbers[_JITTER] >= jitter.probability:
        return ()
    by: dict[Change, float] = {
        "brightness": _factor(jitter.brightness, numbers[_BRIGHTNESS]),
        "contrast": _factor(jitter.contrast, numbers[_CONTRAST]),
        "saturation": _factor(jitter.saturation, numbers[_SATURATION]),
        "hue": _between((-jitter.hue, jitter.hue), numbers[_HUE]),
    }
    order = _ORDERS[int(numbers[_ORDER] * len(_ORDERS))]
    # What has no range is left out, as in torchvision.
    return tuple((change, by[change]) for change in order if getattr(jitter, change))


def _factor(most: float, number: float) -> float:
    return _between((max(0.0, 1 - most), 1 + most), number)


def _between(ends: tuple[float, float], number: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * number
