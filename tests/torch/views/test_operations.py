"""Each operation beside torchvision's, on real photographs."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as pillow
from torchvision.transforms.v2 import functional as tensors

from pass_dataset.torch.views import operations
from pass_dataset.torch.views.parameters import Box

Pixels = npt.NDArray[np.uint8]
Operation = Callable[[Any], Any]

BOX = Box(left=20, top=10, width=180, height=150)
BICUBIC = InterpolationMode.BICUBIC


def of_change(name: str, amount: float) -> tuple[Operation, Operation, Operation]:
    by_name = f"adjust_{name}"
    return (
        lambda image: operations.changed(image, name, amount),  # type: ignore[arg-type]
        lambda image: getattr(pillow, by_name)(image, amount),
        lambda image: getattr(tensors, by_name)(image, amount),
    )


def of_crop(interpolation: str, size_px: int) -> tuple[Operation, Operation, Operation]:
    where = (BOX.top, BOX.left, BOX.height, BOX.width)
    mode = InterpolationMode(interpolation)
    return (
        lambda image: operations.resized_crop(image, BOX, size_px, interpolation),  # type: ignore[arg-type]
        lambda image: pillow.resized_crop(image, *where, [size_px, size_px], mode),
        lambda image: tensors.resized_crop(image, *where, [size_px, size_px], mode, antialias=True),
    )


def of_blur(sigma_px: float) -> tuple[Operation, Operation, Operation]:
    return (
        lambda image: operations.blurred(image, sigma_px),
        lambda image: pillow.gaussian_blur(image, [23, 23], [sigma_px, sigma_px]),
        lambda image: tensors.gaussian_blur(image, [23, 23], [sigma_px, sigma_px]),
    )


#: Ours, torchvision's on Pillow's images, and on tensors; the largest difference of a value that is
#: allowed, and of the mean of differences: from Pillow, and from tensors.
OPERATIONS: dict[str, tuple[tuple[Operation, Operation, Operation], Any, Any]] = {
    **{
        f"crop, {interpolation}, {size_px}": (of_crop(interpolation, size_px), (2, 0.02), (0, 0))
        for interpolation in ("bilinear", "bicubic")
        for size_px in (96, 224)
    },
    **{
        f"brightness {factor}": (of_change("brightness", factor), (1, 0.05), (1, 0.05))
        for factor in (0.2, 0.6, 1.0, 1.3, 1.8)
    },
    **{
        f"contrast {factor}": (of_change("contrast", factor), (1, 0.05), (2, 0.7))
        for factor in (0.2, 0.6, 1.0, 1.3, 1.8)
    },
    **{
        f"saturation {factor}": (of_change("saturation", factor), (1, 0.05), (2, 0.5))
        for factor in (0.2, 0.6, 1.0, 1.3, 1.8)
    },
    **{
        f"hue {turn}": (of_change("hue", turn), (12, 0.6), (12, 0.8))
        for turn in (-0.2, -0.1, 0.02, 0.1, 0.2)
    },
    **{
        f"blur {sigma_px}": (of_blur(sigma_px), (1, 0.05), (1, 0.05))
        for sigma_px in (0.1, 0.3, 0.7, 1.2, 2.0)
    },
    "grey": (
        (
            lambda image: operations.rgb_of(operations.grey_of(image)),
            lambda image: pillow.to_grayscale(image, 3),
            lambda image: tensors.rgb_to_grayscale(image, 3),
        ),
        (1, 0.01),
        (1, 0.6),
    ),
    "solarise": (
        (
            operations.solarised,
            lambda image: pillow.solarize(image, 128),
            lambda image: tensors.solarize(image, 128),
        ),
        (0, 0),
        (0, 0),
    ),
    "flip": ((operations.flipped, pillow.hflip, tensors.horizontal_flip), (0, 0), (0, 0)),
}


def difference(ours: Pixels, theirs: Pixels) -> tuple[int, float]:
    """The largest, and the mean."""
    apart = np.abs(ours.astype(int) - theirs.astype(int))
    return int(apart.max()), float(apart.mean())


@pytest.mark.parametrize("name", OPERATIONS)
def test_it_is_torchvisions(name: str, photographs: list[Pixels]) -> None:
    (ours, on_pillow, on_tensors), from_pillow, from_tensors = OPERATIONS[name]
    for what, allowed in (("Pillow", from_pillow), ("tensors", from_tensors)):
        largest, means = 0, []
        for pixels in photographs:
            if what == "Pillow":
                theirs = np.asarray(on_pillow(Image.fromarray(pixels)))
            else:
                found = on_tensors(torch.from_numpy(pixels).permute(2, 0, 1))
                theirs = found.permute(1, 2, 0).numpy()
            most, mean = difference(ours(pixels), theirs)
            largest = max(largest, most)
            means.append(mean)
        print(f"{name}: from {what} {largest} at most, {np.mean(means):.3f} on average")
        assert largest <= allowed[0] and np.mean(means) <= allowed[1]


def test_nothing_is_changed_in_place(photographs: list[Pixels]) -> None:
    for (ours, _, _), _, _ in OPERATIONS.values():
        pixels = photographs[0].copy()
        made = ours(pixels)
        assert np.array_equal(pixels, photographs[0])
        assert made.dtype == np.uint8 and made.ndim == 3


def test_values_stay_in_range_at_the_ends() -> None:
    """Black, white and pure colours, which run over easily."""
    colours = np.array(
        [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]], np.uint8
    )
    pixels = np.repeat(colours.reshape(2, 3, 3), 40, axis=1)
    for name in ("brightness", "contrast", "saturation", "hue"):
        for amount in (-0.5, 0.5) if name == "hue" else (0.0, 0.1, 2.0):
            ours = operations.changed(pixels, name, amount)  # type: ignore[arg-type]
            theirs = np.asarray(getattr(pillow, f"adjust_{name}")(Image.fromarray(pixels), amount))
            assert difference(ours, theirs)[0] <= 6, (name, amount)


def test_greys_are_blurred_and_solarised_as_colours_are(photographs: list[Pixels]) -> None:
    greys = operations.grey_of(photographs[0])
    for operation in (lambda image: operations.blurred(image, 1.5), operations.solarised):
        of_greys = operations.rgb_of(operation(greys))
        assert difference(of_greys, operation(operations.rgb_of(greys)))[0] <= 1


def test_crops_of_all_sizes(photographs: list[Pixels]) -> None:
    rng = random.Random(0)
    for _ in range(20):
        width, height = rng.randint(1, 224), rng.randint(1, 224)
        box = Box(rng.randint(0, 224 - width), rng.randint(0, 224 - height), width, height)
        ours = operations.resized_crop(photographs[1], box, 64)
        theirs = pillow.resized_crop(
            Image.fromarray(photographs[1]), box.top, box.left, height, width, [64, 64]
        )
        assert difference(ours, np.asarray(theirs))[0] <= 1
