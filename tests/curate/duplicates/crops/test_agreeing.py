"""Parts of photographs are known by what they show, and other photographs are not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pass_dataset.curate.duplicates.crops.agreeing import agree, agreement_of
from pass_dataset.curate.duplicates.crops.confirming import Confirming
from pass_dataset.curate.duplicates.crops.placing import Sight, place, sight_of
from tests.curate.duplicates.images import SHARED, encoded, photographs


def sight(image: Image.Image) -> Sight:
    return sight_of(np.asarray(image.convert("RGB"))[:, :, ::-1])


@pytest.fixture(scope="module")
def photograph() -> Image.Image:
    return Image.open(photographs(8)[3]).convert("RGB")


@pytest.fixture(scope="module")
def whole(photograph: Image.Image) -> Sight:
    return sight(photograph)


def test_parts_are_known(photograph: Image.Image, whole: Sight) -> None:
    """Whichever of the two is the part, and how large each is."""
    width, height = photograph.size
    part = photograph.crop((width // 5, height // 4, width, height))
    for changed in (part, part.resize((part.width // 2, part.height // 2))):
        seen = sight(changed)
        assert agree(whole, seen)
        assert agree(seen, whole)
    found = agreement_of(whole, seen)
    assert found is not None
    assert found.within > 0.97


def test_turned_and_overlaid_ones_are_known(photograph: Image.Image, whole: Sight) -> None:
    turned = photograph.rotate(15, Image.Resampling.BICUBIC)
    # OpenCV counts to the right and down: turned the other way.
    placing = place(whole, sight(turned))
    assert placing is not None
    assert placing.scale == pytest.approx(1, abs=0.01)
    angle = np.degrees(np.arctan2(placing.matrix[1, 0], placing.matrix[0, 0]))
    assert angle == pytest.approx(-15, abs=0.3)
    marked = turned.copy()
    corner = (marked.width * 0.3, marked.height * 0.8, marked.width * 0.6, marked.height)
    ImageDraw.Draw(marked).rectangle(corner, fill=(255, 220, 0))
    assert agree(sight(marked), whole)


def test_other_photographs_are_not(whole: Sight) -> None:
    """Not even two of different things upon one floor, whose boards are where they were."""
    floor = [
        "train/shorts/39a96b4e-4447-41db-93ff-7f443f146b2f.jpg",
        "train/shorts/6eb9a1b8-8dca-495c-b05c-271e1b4a395c.jpg",
    ]
    one, other = (sight(Image.open(SHARED / "labelled" / name)) for name in floor)
    found = agreement_of(one, other)
    assert found is not None
    assert found.points > 10
    assert found.within > 0.9
    assert found.share > 0.4
    assert not found.is_enough
    assert not agree(one, whole)


@pytest.mark.parametrize("size", [(1, 1), (40, 7), (300, 300)])
def test_even_images_agree_with_nothing(size: tuple[int, int], whole: Sight) -> None:
    even = sight(Image.new("RGB", size, (90, 90, 90)))
    assert not agree(even, even)
    assert not agree(whole, even)


def test_what_is_not_here_agrees(photograph: Image.Image) -> None:
    """Of another set there is a descriptor alone; what cannot be read any more agrees with none."""
    files = [encoded(photograph), encoded(photograph.crop((20, 20, *photograph.size))), None]
    reads = []

    def read(number: int) -> bytes | None:
        reads.append(number)
        return files[number]

    confirming = Confirming(read, own=3)
    left, right = np.array([0, 0, 0, 1]), np.array([1, 2, 3, 4])
    assert confirming.agree(left, right).tolist() == [True, False, True, True]
    assert set(reads) == {0, 1, 2}
