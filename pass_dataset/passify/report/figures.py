"""The report's plot of scores."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from markupsafe import Markup

from pass_dataset.pages.plots import Axis, Column, Mark, draw_columns
from pass_dataset.passify.report.histograms import BINS, ScoreHistogram

__all__ = ["draw_histogram"]

_AXIS = Axis(
    0,
    1,
    [(tick, f"{tick:g}") for tick in (0, 0.25, 0.5, 0.75, 1)],
    "highest score in the image",
)


def draw_histogram(histogram: ScoreHistogram, title: str) -> Markup:
    """Images by score, their numbers on a logarithmic scale, with the threshold.

    Columns are coloured by the verdict.
    """
    threshold = histogram.threshold
    over = histogram.over[threshold]
    label = (
        f"{title}: histogram of {histogram.scored:,} images; {over:,} of them are on the far side "
        f"of the threshold of {threshold:g}"
    )
    columns = [column for number in range(BINS) for column in _bin(histogram, number)]
    mark = Mark(threshold, f"threshold {threshold:g}")
    return draw_columns(columns, _AXIS, label, scale="logarithmic", marks=[mark])


def _bin(histogram: ScoreHistogram, number: int) -> Iterator[Column]:
    count = histogram.counts[number]
    start, end = number / BINS, (number + 1) / BINS
    # The bin that the threshold is in has both colours.
    edges = [start, *([histogram.threshold] if start < histogram.threshold < end else []), end]
    tip = f"{start:.2f} to {end:.2f}: {count:,} images"
    for left, right in itertools.pairwise(edges):
        colour = histogram.target if left >= histogram.threshold else "kept"
        yield Column(left, right, count, colour, tip)
