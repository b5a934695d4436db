"""Crops of many images at once are those of one a time, and the same whatever comes with them."""

from __future__ import annotations

from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest
import torch

from pass_dataset.torch.views import batched_resizing
from pass_dataset.torch.views.batched_resizing import CropBatch
from pass_dataset.torch.views.operations import resized_crop
from pass_dataset.torch.views.parameters import Box
from pass_dataset.torch.views.recipes import Interpolation

CPU = torch.device("cpu")
Pixels = npt.NDArray[np.uint8]


def planes(pixels: Pixels) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)


def crops_of(
    images: list[Pixels], boxes: list[list[Box]], size_px: int, interpolation: Interpolation
) -> torch.Tensor:
    batch = CropBatch(size_px, interpolation, CPU)
    for pixels, of_image in zip(images, boxes, strict=True):
        batch.add(planes(pixels), of_image)
    return batch.crops()


@pytest.mark.parametrize("interpolation", get_args(Interpolation))
def test_crops_are_those_of_one_a_time(interpolation: Interpolation) -> None:
    """Smaller and larger, of one pixel, of all: noise is as hard as it gets."""
    rng = np.random.default_rng(1)
    sizes = [(90, 60), (40, 200), (1, 1), (3, 70), (64, 64)]
    images = [rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes]
    boxes = []
    for height, width in sizes:
        of_image = [Box(0, 0, width, height), Box(width - 1, height - 1, 1, 1)]
        for _ in range(3):
            left, top = int(rng.integers(width)), int(rng.integers(height))
            right, bottom = int(rng.integers(left, width)), int(rng.integers(top, height))
            of_image.append(Box(left, top, right - left + 1, bottom - top + 1))
        boxes.append(of_image)
    for size_px in (7, 32, 50):
        crops = crops_of(images, boxes, size_px, interpolation)
        assert crops.shape == (25, 3, size_px, size_px) and torch.equal(crops, crops.round())
        expected = np.stack(
            [
                resized_crop(pixels, box, size_px, interpolation)
                for pixels, of_image in zip(images, boxes, strict=True)
                for box in of_image
            ]
        )
        differences = np.abs(crops.permute(0, 2, 3, 1).numpy() - expected)
        assert differences.max() <= 2 and differences.mean() < 0.02


@pytest.mark.parametrize("interpolation", get_args(Interpolation))
def test_one_colour_stays_that_colour(interpolation: Interpolation) -> None:
    for value in (0, 1, 127, 254, 255):
        pixels = np.full((500, 333, 3), value, np.uint8)
        crops = crops_of([pixels], [[Box(3, 1, 301, 480)]], 96, interpolation)
        assert (crops == value).all()


@pytest.mark.parametrize("interpolation", get_args(Interpolation))
def test_crops_do_not_depend_on_others(
    interpolation: Interpolation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a bit, although matrices are of another size then: sums are exact in any order."""
    rng = np.random.default_rng(2)
    sizes = [(120, 75), (333, 500), (64, 480), (17, 90)]
    images = [rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes]
    boxes = [[Box(1, 2, width - 3, height - 5)] for height, width in sizes]
    together = crops_of(images, boxes, 64, interpolation)
    for place, (pixels, of_image) in enumerate(zip(images, boxes, strict=True)):
        alone = crops_of([pixels], [of_image], 64, interpolation)
        assert torch.equal(alone[0], together[place])
    monkeypatch.setattr(batched_resizing, "_MOST_PIXELS", 50_000)  # one a time, but for the last
    assert torch.equal(crops_of(images, boxes, 64, interpolation), together)


def test_crops_are_exact_within_a_training_of_less_precision() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (90, 120, 3), np.uint8)
    expected = crops_of([pixels], [[Box(5, 6, 100, 80)]], 64, "bilinear")
    with torch.autocast("cpu", torch.bfloat16):
        found = crops_of([pixels], [[Box(5, 6, 100, 80)]], 64, "bilinear")
    assert found.dtype == torch.float32 and torch.equal(found, expected)


def test_none() -> None:
    assert CropBatch(32, "bilinear", CPU).crops().shape == (0, 3, 32, 32)
