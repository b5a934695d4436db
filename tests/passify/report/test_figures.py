"""The plot of scores: columns of the right height, with the colour of the verdict."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from pass_dataset.passify.report.figures import draw_histogram
from pass_dataset.passify.report.histograms import ScoreHistogram


def bars(histogram: ScoreHistogram) -> list[tuple[str, float, float, float]]:
    """Colour, left edge, width and height."""
    plot = ET.fromstring(draw_histogram(histogram, "Faces"))
    return [
        (rect.attrib["class"], *(float(rect.attrib[name]) for name in ("x", "width", "height")))
        for rect in plot.iter("rect")
    ]


def histogram_of(scores: list[float], threshold: float = 0.5) -> ScoreHistogram:
    histogram = ScoreHistogram("face", threshold)
    histogram.add(np.array(scores))
    return histogram


def test_colours_by_the_verdict() -> None:
    found = bars(histogram_of([0.1, 0.49, 0.51, 0.99]))
    assert [colour for colour, *_ in found] == ["kept", "kept", "face", "face"]


def test_bin_with_the_threshold_has_both_colours() -> None:
    (kept, x, width, height), (face, x2, width2, height2) = bars(histogram_of([0.33], 0.325))
    assert (kept, face) == ("kept", "face")
    assert height == height2
    assert x + width < x2
    gap = 0.8  # between bars
    assert width2 + gap == pytest.approx(3 * (width + gap))  # a quarter of the bin, and three


def test_heights_are_logarithmic() -> None:
    found = bars(histogram_of([0.1] * 9 + [0.3] * 99 + [0.7] * 999))
    heights = [height for *_, height in found]
    assert heights == pytest.approx([heights[0], 2 * heights[0], 3 * heights[0]], abs=0.05)


def test_many_images() -> None:
    histogram = histogram_of([0.1])
    histogram.counts[5] = 10_000_000
    assert all(0 < height < 180 for *_, height in bars(histogram))
    ticks = re.findall(r'class="end"[^>]*>([^<]+)<', draw_histogram(histogram, "Faces"))
    assert ticks[:-1] == ["1", "100", "10k", "1M", "100M"]


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_threshold_at_the_edge(threshold: float) -> None:
    plot = draw_histogram(histogram_of([0.0, 0.2, 1.0], threshold), "Faces")
    places = [float(x) for x in re.findall(r'<text[^>]* x="([\d.]+)"', plot)]
    assert all(0 <= x <= 400 for x in places)
