"""Pictures: what is blurred is gone, what is not is there, and nothing else comes along."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image

from pass_dataset.pages.picture import Picture
from pass_dataset.passify.report.thumbnails import CELLS, Area, make_thumbnail, pixel_area


def noise(height: int = 300, width: int = 400, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def opened(picture: Picture) -> np.ndarray:
    """H×W×3 RGB."""
    with Image.open(io.BytesIO(picture.data)) as image:
        assert image.format == "JPEG"
        assert image.size == picture.size_px
        return np.asarray(image.convert("RGB")).astype(np.int16)


def detail(pixels: np.ndarray) -> float:
    """Mean difference of neighbouring pixels."""
    return float(np.abs(np.diff(pixels, axis=1)).mean())


def test_detail_is_gone_where_it_is_blurred_and_only_there() -> None:
    shown = opened(make_thumbnail(noise(), [(100, 80, 220, 200)]))
    assert detail(shown[80:200, 100:220]) < 2
    assert detail(shown[:, :70]) > 40
    assert detail(shown[240:, :]) > 40


def test_nothing_is_left_but_a_few_averages() -> None:
    """Two images that differ in every pixel, but not in their averages, give the same picture."""
    first = noise(256, 256)
    # Turned around within each cell: other pixels, the same averages.
    side = 256 // CELLS
    second = first.copy()
    for row in range(0, 256, side):
        for column in range(0, 256, side):
            cell = first[row : row + side, column : column + side]
            second[row : row + side, column : column + side] = cell[::-1, ::-1]
    assert (first != second).mean() > 0.9
    everything = [(0, 0, 256, 256)]
    assert make_thumbnail(first, everything).data == make_thumbnail(second, everything).data
    assert make_thumbnail(first).data != make_thumbnail(second).data
    colours = {
        tuple(pixel)
        for pixel in opened(make_thumbnail(first, everything))[::64, ::64].reshape(-1, 3)
    }
    assert len(colours) <= CELLS * CELLS


def test_contrast_of_a_face_is_gone() -> None:
    """Eyes and a mouth, of any contrast, are not to be seen."""
    face = np.full((400, 400, 3), 200, np.uint8)
    face[150:170, 130:160] = face[150:170, 240:270] = face[260:275, 150:250] = 0
    shown = opened(make_thumbnail(face, [(100, 100, 300, 320)]))[100:320, 100:300]
    assert shown.max() - shown.min() < 60  # 200 without
    # Neither the eyes' edges nor the mouth's: brightness changes slowly everywhere.
    assert np.abs(np.diff(shown, axis=0)).max() < 8


@pytest.mark.parametrize(
    "box",
    [
        (-50, -50, 60, 60),
        (350, 250, 500, 400),
        (-1e9, -1e9, 1e9, 1e9),
        (-math.inf, 0, math.inf, 90),
    ],
)
def test_boxes_over_the_edge_are_clipped(box: tuple[float, ...]) -> None:
    area = pixel_area(box, 400, 300)
    assert area is not None
    assert 0 <= area.left < area.right <= 400
    assert 0 <= area.top < area.bottom <= 300
    shown = opened(make_thumbnail(noise(), [box]))
    inside = shown[area.top : area.bottom, area.left : area.right]
    assert shown.shape == (300, 400, 3)
    assert detail(inside[5:-5, 5:-5]) < 3


@pytest.mark.parametrize(
    "box",
    [
        (500, 0, 600, 90),
        (0, -90, 50, -30),
        (90, 10, 20, 50),
        (math.nan, 0, 10, 10),
        (0, 0, 1, math.nan),
    ],
)
def test_boxes_that_are_none(box: tuple[float, ...]) -> None:
    assert pixel_area(box, 400, 300) is None
    assert detail(opened(make_thumbnail(noise(), [box]))) > 40


def test_area_is_wider_than_the_box() -> None:
    assert pixel_area((100, 100, 200, 200), 400, 400, margin=0.15) == Area(85, 85, 215, 215)
    assert pixel_area((10.4, 10.6, 10.4, 10.6), 40, 40) == Area(10, 10, 11, 11)


def test_all_of_it() -> None:
    assert detail(opened(make_thumbnail(noise(), blur_all=True))) < 2


def test_small_boxes() -> None:
    """A face of five pixels is blurred too."""
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[50, 50] = 255
    shown = opened(make_thumbnail(pixels, [(48, 48, 53, 53)]))
    assert shown.max() < 128


def test_size_and_colours() -> None:
    pixels = np.zeros((900, 1600, 3), np.uint8)
    pixels[:, :, 0] = 200  # blue, as colours are in BGR order
    picture = make_thumbnail(pixels)
    assert picture.size_px == (440, 248)
    red, green, blue = opened(picture).reshape(-1, 3).mean(axis=0)
    assert (red, green) < (10, 10)
    assert blue > 190
    assert make_thumbnail(np.zeros((2000, 1, 3), np.uint8)).size_px == (1, 440)
    assert make_thumbnail(noise(5, 7)).size_px == (7, 5)


def test_nothing_else_of_the_file_comes_along() -> None:
    picture = make_thumbnail(noise())
    with Image.open(io.BytesIO(picture.data)) as image:
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
