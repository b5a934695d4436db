"""Plots: bars and columns of the right size, numbers that can be read, and a word for each plot."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

import pytest

from pass_dataset.pages.plots import Axis, Column, Mark, Scale, draw_bar, draw_columns, short

AXIS = Axis(2000, 2004, [(2000.5, "2000"), (2004, "2004")], "year taken")


def plot(counts: Sequence[int], scale: Scale = "linear", marks: Sequence[Mark] = ()) -> ET.Element:
    columns = [
        Column(2000 + number, 2001 + number, count, "shown", f"{count:,} images")
        for number, count in enumerate(counts)
    ]
    return ET.fromstring(draw_columns(columns, AXIS, 'by "year"', scale=scale, marks=marks))


def heights(drawn: ET.Element) -> list[float]:
    return [float(rect.attrib["height"]) for rect in drawn.iter("rect")]


def texts(drawn: ET.Element, anchor: str) -> list[str]:
    return [str(text.text) for text in drawn.iter("text") if text.attrib["class"] == anchor]


def test_bar() -> None:
    bar = ET.fromstring(draw_bar({"kept": 3, "face": 0, "other": 1}, 4, 'all "four" <of them>'))
    assert bar.attrib["aria-label"] == 'all "four" <of them>'
    parts = [(rect.attrib["class"], rect.attrib["x"], rect.attrib["width"]) for rect in bar]
    assert parts == [("kept", "0.000%", "75.000%"), ("other", "75.000%", "25.000%")]
    assert len(ET.fromstring(draw_bar({"kept": 0}, 0, ""))) == 0


def test_linear_heights() -> None:
    drawn = plot([10, 0, 20, 40])
    assert heights(drawn) == pytest.approx([41.5, 83.0, 166.0], abs=0.02)
    assert drawn.attrib["aria-label"] == 'by "year"'
    assert texts(drawn, "end") == ["0", "10", "20", "30", "40", "2004"]
    assert texts(drawn, "middle soft") == ["year taken"]
    assert [title.text for title in drawn.iter("title")] == ["10 images", "20 images", "40 images"]


def test_logarithmic_heights() -> None:
    found = heights(plot([9, 99, 999], "logarithmic"))
    assert found == pytest.approx([found[0], 2 * found[0], 3 * found[0]], abs=0.05)


@pytest.mark.parametrize("highest", [0, 1, 2, 7, 99, 1_440_000, 10**12])
@pytest.mark.parametrize("scale", ["linear", "logarithmic"])
def test_any_number_fits(highest: int, scale: Scale) -> None:
    drawn = plot([highest, 1], scale)
    assert all(1 <= height <= 167 for height in heights(drawn))  # one image is seen among many
    assert 2 <= len(texts(drawn, "end")) - 1 <= 6
    assert all(23 <= float(line.attrib["y1"]) <= 190 for line in drawn.iter("line"))


def test_columns_stand_on_the_axis() -> None:
    first, last = list(plot([5, 0, 0, 5]).iter("rect"))
    assert float(first.attrib["x"]) == pytest.approx(46.4)
    assert float(last.attrib["x"]) + float(last.attrib["width"]) == pytest.approx(391.6)


@pytest.mark.parametrize("at", [2000, 2002, 2004])
def test_marks_stay_inside(at: int) -> None:
    drawn = plot([3], marks=[Mark(at, "release")])
    (word,) = (text for text in drawn.iter("text") if text.text == "release")
    assert 46 + 40 <= float(word.attrib["x"]) <= 392 - 40


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (500, "500"), (1500, "1.5k"), (200_000, "200k"), (10**6, "1M")]
)
def test_short(count: int, text: str) -> None:
    assert short(count) == text
