"""What views are made of: ranges and probabilities, and which views an image has.

The recipes are those of the published code that PASS was trained with, to the number: MoCo-v2's
``main_moco.py``, SwAV's ``multicropdataset.py`` with the crops of its 200 epochs at batch size 256,
DINO's ``main_dino.py`` with its defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from pass_dataset.torch.whole_numbers import whole_number

__all__ = [
    "ColourJitter",
    "Interpolation",
    "Recipe",
    "ViewRecipe",
    "checked_recipe",
    "dino",
    "moco_v2",
    "swav",
]

#: How crops are resized: Pillow's filters of these names, which widen as the crop gets larger.
Interpolation: TypeAlias = Literal["bilinear", "bicubic"]


#: Share of the image at which SwAV's small crops end (``max_scale_crops`` of its 200 epochs).
SWAV_MOST_SMALL_SCALE = 0.14


@dataclass(frozen=True)
class ColourJitter:
    """Brightness, contrast, saturation and hue changed, in an order that is random too.

    As `torchvision.transforms.ColorJitter` within `RandomApply`.

    Attributes:
      brightness, contrast, saturation: factors are drawn from ``1 - value`` (at least 0) to
        ``1 + value``.
      hue: turns are drawn from ``-hue`` to ``hue``, in parts of the circle; at most 0.5.
      probability: that a view is changed at all.
    """

    brightness: float
    contrast: float
    saturation: float
    hue: float
    probability: float = 0.8

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}: expected 0 or more, found {getattr(self, name)}")
        if not 0 <= self.hue <= 0.5:
            raise ValueError(f"hue: expected 0 to 0.5, found {self.hue}")
        _check_probability("probability", self.probability)


@dataclass(frozen=True)
class ViewRecipe:
    """What one view is made of, in the order of the attributes.

    Attributes:
      size_px: side of the view.
      scale: share of the image's area that a crop has, from and to.
      ratio: width over height of a crop, from and to.
      interpolation: how the crop is resized.
      jitter: change of colours; None: none.
      grey: probability that colours are left out.
      blur: probability of Gaussian blur.
      blur_sigma_px: its standard deviation, from and to.
      solarise: probability that values of 128 and more are turned into 255 minus themselves.
      flip: probability that left and right are swapped.
    """

    size_px: int = 224
    scale: tuple[float, float] = (0.2, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    interpolation: Interpolation = "bilinear"
    jitter: ColourJitter | None = None
    grey: float = 0.0
    blur: float = 0.0
    blur_sigma_px: tuple[float, float] = (0.1, 2.0)
    solarise: float = 0.0
    flip: float = 0.5

    def __post_init__(self) -> None:
        whole_number("size_px", self.size_px, least=1)
        for name in ("scale", "ratio", "blur_sigma_px"):
            _check_pair(name, getattr(self, name))
        if not 0 < self.scale[0] <= self.scale[1] <= 1:
            raise ValueError(f"scale: expected shares above 0, rising to 1, found {self.scale}")
        for name in ("ratio", "blur_sigma_px"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"{name}: expected rising numbers above 0, found {(low, high)}")
        if self.interpolation not in get_args(Interpolation):
            raise ValueError(
                f"interpolation: expected 'bilinear' or 'bicubic', found {self.interpolation!r}"
            )
        for name in ("grey", "blur", "solarise", "flip"):
            _check_probability(name, getattr(self, name))


@dataclass(frozen=True)
class Recipe:
    """The views of an image.

    Attributes:
      views: one recipe a view, in the order in which they are handed over.
    """

    views: tuple[ViewRecipe, ...]

    def __post_init__(self) -> None:
        if not self.views:
            raise ValueError("views: expected one or more, found none")
        for view in self.views:
            if not isinstance(view, ViewRecipe):
                raise TypeError(f"views: expected a ViewRecipe each, found {view!r}")

    def __len__(self) -> int:
        return len(self.views)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{view.size_px}" for view in self.views)
        return f"Recipe({len(self)} views: {sizes} px)"


def checked_recipe(recipe: Any) -> Recipe:
    """What was given as one.

    Raises:
      TypeError: it is none, such as the function that makes one.
    """
    if isinstance(recipe, Recipe):
        return recipe
    name = getattr(recipe, "__name__", None)
    raise TypeError(
        f"recipe: expected a Recipe, as moco_v2() gives, found {type(recipe).__name__}"
        + (f"; is it {name}() that is meant?" if callable(recipe) and name else "")
    )


def moco_v2(*, min_scale: float = 0.2, size_px: int = 224) -> Recipe:
    """Two views, alike.

    Args:
      min_scale: least share of the image that a crop has. The paper's table 5 compares 0.2, the
        default, with 0.1 ("more zoom").
      size_px: side of the views.
    """
    view = ViewRecipe(
        size_px=size_px,
        scale=(min_scale, 1.0),
        jitter=ColourJitter(0.4, 0.4, 0.4, 0.1),
        grey=0.2,
        blur=0.5,
    )
    return Recipe((view, view))


def swav(
    *,
    min_scale: float = 0.14,
    min_small_scale: float = 0.05,
    size_px: int = 224,
    small_size_px: int = 96,
    small_views: int = 6,
) -> Recipe:
    """Two views of 224 pixels, then six of 96: multi-crop.

    Args:
      min_scale: least share of the image that a crop of the large ones has.
      min_small_scale: that of the small ones; it ends at 0.14, or at `min_scale` if that is less.
      size_px: side of the two.
      small_size_px: side of the others.
      small_views: how many there are of these.

    Raises:
      TypeError, ValueError: an argument is not as described.
    """
    _check_small_scale(min_small_scale, SWAV_MOST_SMALL_SCALE)
    jitter = ColourJitter(0.8, 0.8, 0.8, 0.2)
    large = ViewRecipe(size_px=size_px, scale=(min_scale, 1.0), jitter=jitter, grey=0.2, blur=0.5)
    small = ViewRecipe(
        size_px=small_size_px,
        scale=(min_small_scale, max(min_small_scale, min(SWAV_MOST_SMALL_SCALE, min_scale))),
        jitter=jitter,
        grey=0.2,
        blur=0.5,
    )
    return Recipe((large, large, *(small,) * whole_number("small_views", small_views, least=0)))


def dino(
    *,
    min_scale: float = 0.4,
    min_small_scale: float = 0.05,
    size_px: int = 224,
    small_size_px: int = 96,
    small_views: int = 8,
) -> Recipe:
    """Two views of 224 pixels that differ in blur and solarisation, then eight of 96.

    Args:
      min_scale: least share of the image that a crop of the large ones has; the most of the small
        ones.
      min_small_scale: least share of the small ones.
      size_px: side of the two.
      small_size_px: side of the others.
      small_views: how many there are of these.

    Raises:
      TypeError, ValueError: an argument is not as described.
    """
    _check_small_scale(min_small_scale, min_scale, "min_scale, ")

    def view(size_px: int, scale: tuple[float, float], blur: float, solarise: float) -> ViewRecipe:
        return ViewRecipe(
            size_px=size_px,
            scale=scale,
            interpolation="bicubic",
            jitter=ColourJitter(0.4, 0.4, 0.2, 0.1),
            grey=0.2,
            blur=blur,
            solarise=solarise,
        )

    large = (min_scale, 1.0)
    small = view(small_size_px, (min_small_scale, min_scale), blur=0.5, solarise=0.0)
    return Recipe(
        (
            view(size_px, large, blur=1.0, solarise=0.0),
            view(size_px, large, blur=0.1, solarise=0.2),
            *(small,) * whole_number("small_views", small_views, least=0),
        )
    )


def _check_small_scale(least: float, most: float, named: str = "") -> None:
    if not least <= most:
        raise ValueError(
            f"min_small_scale: expected at most {named}{most}, where small crops end, found {least}"
        )


def _check_pair(name: str, value: Any) -> None:
    try:
        low, high = value
        _ = low < high
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected two numbers, from and to, found {value!r}") from None


def _check_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name}: expected a probability, 0 to 1, found {value}")
