"""What is decided of a view, and by what alone."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest
import torch
from torchvision.transforms import ColorJitter, RandomResizedCrop

from pass_dataset.torch.views.draws import random_numbers
from pass_dataset.torch.views.parameters import Box, ViewParameters, draw_parameters
from pass_dataset.torch.views.recipes import (
    ColourJitter,
    Recipe,
    ViewRecipe,
    dino,
    moco_v2,
    swav,
)


def many(
    recipe: ViewRecipe, count: int, width: int = 500, height: int = 375
) -> list[ViewParameters]:
    return [
        draw_parameters(recipe, width, height, seed=0, epoch=0, key=b"%d" % key, number=0)
        for key in range(count)
    ]


def test_numbers_are_as_published() -> None:
    """A training that is resumed with another version sees the same views."""
    numbers = random_numbers(7, 3, b"0123abcd", 1, 3)
    assert numbers == [0.23195537032521352, 0.8090438837842068, 0.577945725514387]
    assert random_numbers(7, 3, b"0123abcd", 1, 40)[:3] == numbers


def test_numbers_differ_with_each_of_the_four() -> None:
    given = [(0, 0, b"a", 0), (1, 0, b"a", 0), (0, 1, b"a", 0), (0, 0, b"b", 0), (0, 0, b"a", 1)]
    assert len({tuple(random_numbers(*four, 2)) for four in given}) == len(given)


def test_numbers_are_even() -> None:
    drawn = np.array([random_numbers(0, 0, b"%d" % key, 0, 40) for key in range(2000)])
    assert drawn.min() >= 0 and drawn.max() < 1
    counts = np.histogram(drawn, 16, (0, 1))[0]
    assert abs(counts - drawn.size / 16).max() < 5 * (drawn.size / 16) ** 0.5
    together = np.corrcoef(drawn.T) - np.eye(40)
    assert abs(together).max() < 5 / 2000**0.5


@pytest.mark.parametrize(("width", "height"), [(500, 375), (200, 375), (1, 1)])
def test_boxes_are_distributed_as_torchvisions(width: int, height: int) -> None:
    recipe = ViewRecipe(scale=(0.2, 1.0))
    ours = np.array([drawn.box for drawn in many(recipe, 1500, width, height)])
    torch.manual_seed(0)
    image = torch.empty(3, height, width)
    theirs = np.array(
        [RandomResizedCrop.get_params(image, [0.2, 1.0], [3 / 4, 4 / 3]) for _ in range(1500)]
    )[:, [1, 0, 3, 2]]
    assert (ours >= [0, 0, 1, 1]).all() and (ours[:, :2] + ours[:, 2:] <= [width, height]).all()
    noise = np.sqrt((ours.var(0) + theirs.var(0)) / 1500)
    assert (abs(ours.mean(0) - theirs.mean(0)) <= 5 * noise + 1e-9).all()
    assert np.allclose(ours.std(0), theirs.std(0), rtol=0.15, atol=0.5)


def test_probabilities_and_ranges() -> None:
    recipe = ViewRecipe(
        jitter=ColourJitter(0.4, 0.3, 0.2, 0.1), grey=0.2, blur=0.5, solarise=0.1, flip=0.5
    )
    drawn = many(recipe, 4000)
    shares = {
        "jitter": (0.8, np.mean([bool(each.changes) for each in drawn])),
        "grey": (0.2, np.mean([each.is_grey for each in drawn])),
        "blur": (0.5, np.mean([each.blur_sigma_px is not None for each in drawn])),
        "solarise": (0.1, np.mean([each.is_solarised for each in drawn])),
        "flip": (0.5, np.mean([each.is_flipped for each in drawn])),
    }
    for name, (asked, found) in shares.items():
        assert found == pytest.approx(asked, abs=0.035), name
    sigmas = [each.blur_sigma_px for each in drawn if each.blur_sigma_px is not None]
    assert min(sigmas) >= 0.1 and max(sigmas) <= 2 and np.mean(sigmas) == pytest.approx(1.05, 0.05)
    amounts = {
        name: [dict(each.changes)[name] for each in drawn if each.changes]  # type: ignore[index]
        for name in ("brightness", "contrast", "saturation", "hue")
    }
    for name, (low, high) in {
        "brightness": (0.6, 1.4),
        "contrast": (0.7, 1.3),
        "saturation": (0.8, 1.2),
        "hue": (-0.1, 0.1),
    }.items():
        assert low <= min(amounts[name]) < low + 0.01 < high - 0.01 < max(amounts[name]) <= high
    orders = Counter(tuple(name for name, _ in each.changes) for each in drawn if each.changes)
    assert len(orders) == 24 and min(orders.values()) > 80
    # So torchvision says of itself.
    assert ColorJitter(0.4, 0.3, 0.2, 0.1).brightness == (0.6, 1.4)


def test_what_has_no_range_is_left_out() -> None:
    recipe = ViewRecipe(jitter=ColourJitter(0, 0.4, 0, 0, probability=1.0))
    (drawn,) = many(recipe, 1)
    assert [name for name, _ in drawn.changes] == ["contrast"]
    assert many(ViewRecipe(), 1)[0].changes == ()
    wide = many(ViewRecipe(jitter=ColourJitter(2.0, 0, 0, 0, probability=1.0)), 200)
    assert all(0 <= factor <= 3 for each in wide for _, factor in each.changes)


def test_one_probability_moves_nothing_else() -> None:
    """Recipes that differ in one number see the same crops."""
    plain = moco_v2().views[0]
    blurred = dataclasses.replace(plain, blur=1.0, jitter=None)
    assert [each.box for each in many(plain, 50)] == [each.box for each in many(blurred, 50)]


def test_recipes_are_the_published_ones() -> None:
    assert [view.size_px for view in moco_v2().views] == [224, 224]
    assert moco_v2().views[0].scale == (0.2, 1.0)
    assert moco_v2(min_scale=0.1).views[0].scale == (0.1, 1.0)
    assert [view.size_px for view in swav().views] == [224] * 2 + [96] * 6
    assert {view.scale for view in swav().views} == {(0.14, 1.0), (0.05, 0.14)}
    assert [view.size_px for view in dino().views] == [224] * 2 + [96] * 8
    assert [view.blur for view in dino().views[:3]] == [1.0, 0.1, 0.5]
    assert [view.solarise for view in dino().views[:3]] == [0.0, 0.2, 0.0]
    assert {view.scale for view in dino(min_scale=0.25).views} == {(0.25, 1.0), (0.05, 0.25)}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ViewRecipe(size_px=0),
        lambda: ViewRecipe(scale=(0.0, 1.0)),
        lambda: ViewRecipe(scale=(0.5, 0.2)),
        lambda: ViewRecipe(ratio=(2.0, 1.0)),
        lambda: ViewRecipe(interpolation="nearest"),  # type: ignore[arg-type]
        lambda: ViewRecipe(grey=1.5),
        lambda: ViewRecipe(blur_sigma_px=(0.0, 1.0)),
        lambda: ColourJitter(-0.1, 0, 0, 0),
        lambda: ColourJitter(0, 0, 0, 0.6),
        lambda: Recipe(()),
        lambda: moco_v2(min_scale=2.0),
    ],
)
def test_what_is_no_recipe_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        wrong()  # type: ignore[operator]


def test_boxes_of_images_that_no_ratio_fits() -> None:
    """From the middle, as torchvision takes it."""
    recipe = ViewRecipe(scale=(1.0, 1.0))
    assert many(recipe, 1, 400, 60)[0].box == Box(160, 0, 80, 60)
    assert many(recipe, 1, 60, 400)[0].box == Box(0, 160, 60, 80)
