"""Plots of the report, as SVG that follows the page's colours."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence

from pass_dataset.markup import Html, escape
from pass_dataset.passify.report.histograms import BINS, ScoreHistogram

__all__ = ["draw_bar", "draw_histogram"]

# The plot in its own units; as wide as a telephone, so that its text is never smaller than there.
_WIDTH, _HEIGHT = 400, 236
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 392, 24, 190
_MAX_GRID_LINES = 5


def draw_bar(parts: Mapping[str, int], total: int, label: str) -> Html:
    """A horizontal bar in parts.

    Args:
      parts: number by class of the colour, from left to right.
      total: what the whole width stands for.
      label: what it shows, for those who do not see it.
    """
    pieces, x = [], 0.0
    for name, number in parts.items():
        width = 100 * number / total if total else 0.0
        if number:
            pieces.append(
                f'<rect class="{escape(name)}" x="{x:.3f}%" width="{width:.3f}%" height="100%"/>'
            )
        x += width
    return Html(
        f'<svg class="bar" role="img" aria-label="{escape(label)}" width="100%" height="14">'
        f"{''.join(pieces)}</svg>"
    )


def draw_histogram(histogram: ScoreHistogram, title: str) -> Html:
    """Images by score, their numbers on a logarithmic scale, with the threshold.

    Bars are coloured by the verdict.
    """
    top = max(2, math.ceil(math.log10(max(histogram.counts) + 1)))
    threshold = histogram.threshold
    over = histogram.over[threshold]
    label = (
        f"{title}: histogram of {histogram.scored:,} images; {over:,} of them are on the far side "
        f"of the threshold of {threshold:g}"
    )
    content = [
        *_grid(top),
        *(bar for number in range(BINS) for bar in _bin(histogram, number, top)),
        *_axis(),
        f'<line class="threshold" x1="{_x(threshold):.2f}" x2="{_x(threshold):.2f}" '
        f'y1="{_TOP - 4}" y2="{_BOTTOM}"/>',
        _text(_inside(_x(threshold)), _TOP - 9, f"threshold {threshold:g}", "middle strong"),
    ]
    return Html(
        f'<svg class="plot" role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}">\n' + "\n".join(content) + "\n</svg>"
    )


def _x(score: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * score


def _y(count: int, top: int) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * math.log10(count + 1) / top


def _inside(x: float) -> float:
    return min(max(x, _LEFT + 40), _RIGHT - 40)


def _text(x: float, y: float, text: str, classes: str) -> str:
    return f'<text class="{classes}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _grid(top: int) -> Iterator[str]:
    for power in range(0, top + 1, math.ceil(top / _MAX_GRID_LINES)):
        y = _y(10**power, top)
        if y < _TOP - 1:  # a power of ten, as the axis is of one more
            continue
        yield f'<line class="rule" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.2f}" y2="{y:.2f}"/>'
        yield _text(_LEFT - 6, y + 4, _short(10**power), "end")


def _short(count: int) -> str:
    for unit, size in (("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count // size}{unit}"
    return str(count)


def _bin(histogram: ScoreHistogram, number: int, top: int) -> Iterator[str]:
    count = histogram.counts[number]
    if not count:
        return
    start, end = number / BINS, (number + 1) / BINS
    # The bin that the threshold is in has both colours.
    edges = [start, *([histogram.threshold] if start < histogram.threshold < end else []), end]
    y = _y(count, top)
    tip = f"{start:.2f} to {end:.2f}: {count:,} images"
    for left, right in itertools.pairwise(edges):
        flagged = left >= histogram.threshold
        x, width = _x(left) + 0.4, max(0.2, _x(right) - _x(left) - 0.8)
        yield (
            f'<rect class="{histogram.target if flagged else "kept"}" x="{x:.2f}" y="{y:.2f}" '
            f'width="{width:.2f}" height="{_BOTTOM - y:.2f}"><title>{escape(tip)}</title></rect>'
        )


def _axis() -> Iterator[str]:
    yield f'<line class="axis" x1="{_LEFT}" x2="{_RIGHT}" y1="{_BOTTOM}" y2="{_BOTTOM}"/>'
    ticks: Sequence[float] = (0, 0.25, 0.5, 0.75, 1)
    for tick in ticks:
        yield (
            f'<line class="axis" x1="{_x(tick):.2f}" x2="{_x(tick):.2f}" y1="{_BOTTOM}" '
            f'y2="{_BOTTOM + 4}"/>'
        )
        yield _text(_x(tick), _BOTTOM + 19, f"{tick:g}", "end" if tick == 1 else "middle")
    yield _text((_LEFT + _RIGHT) / 2, _HEIGHT - 6, "highest score in the image", "middle soft")
