"""Plots, as SVG that follows the page's colours."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pass_dataset.pages.html import Html, escape

__all__ = ["Axis", "Column", "Mark", "draw_bar", "draw_columns", "plot_text", "short"]

# The plot in its own units; as wide as a telephone, so that its text is never smaller than there.
_WIDTH, _HEIGHT = 400, 236
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 392, 24, 190
_MAX_GRID_LINES = 5
#: Free space on each side of a column.
_GAP = 0.4
#: A column of some height is no lower than this: one image among a million is seen.
_MIN_HEIGHT = 1.0

#: Of the numbers: in proportion, or by their powers of ten.
Scale = Literal["linear", "logarithmic"]


@dataclass(frozen=True)
class Column:
    """One column of a plot.

    Attributes:
      start, end: on the axis.
      count: its height.
      colour: class of its colour.
      tip: what it says under the pointer.
    """

    start: float
    end: float
    count: int
    colour: str
    tip: str


@dataclass(frozen=True)
class Axis:
    """The axis below the columns.

    Attributes:
      start, end: of what it shows.
      ticks: places with their text.
      name: what it is, with its unit.
    """

    start: float
    end: float
    ticks: Sequence[tuple[float, str]]
    name: str


@dataclass(frozen=True)
class Mark:
    """A vertical line with a word above it.

    Attributes:
      at: on the axis.
      text: the word.
    """

    at: float
    text: str


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


def draw_columns(
    columns: Sequence[Column], axis: Axis, label: str, *, scale: Scale, marks: Sequence[Mark] = ()
) -> Html:
    """Numbers as columns over an axis.

    Args:
      columns: from left to right.
      axis: below them.
      label: what the plot shows, for those who do not see it.
      scale: of the numbers.
      marks: places on the axis.
    """
    frame = _Frame(axis, scale, max((column.count for column in columns), default=0))
    content = [
        *_grid(frame),
        *(_column(frame, column) for column in columns if column.count),
        *_axis(frame),
        *itertools.chain.from_iterable(_mark(frame, mark) for mark in marks),
    ]
    return Html(
        f'<svg class="plot" role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}">\n' + "\n".join(content) + "\n</svg>"
    )


class _Frame:
    """Where numbers lie in the plot."""

    def __init__(self, axis: Axis, scale: Scale, highest: int) -> None:
        self.axis = axis
        self.scale = scale
        self.highest = highest
        if scale == "logarithmic":
            self._top: float = max(2, math.ceil(math.log10(highest + 1)))
        else:
            step = self._step()
            self._top = max(1, math.ceil(highest / step)) * step

    def x(self, value: float) -> float:
        share = (value - self.axis.start) / (self.axis.end - self.axis.start)
        return _LEFT + (_RIGHT - _LEFT) * share

    def y(self, count: int) -> float:
        height = math.log10(count + 1) if self.scale == "logarithmic" else count
        return _BOTTOM - (_BOTTOM - _TOP) * height / self._top

    def grid_counts(self) -> list[int]:
        if self.scale == "linear":
            return list(range(0, int(self._top) + 1, self._step()))
        top = int(self._top)
        counts = [10**power for power in range(0, top + 1, math.ceil(top / _MAX_GRID_LINES))]
        # A power of ten may lie above the plot, as the axis is of one more.
        return [count for count in counts if self.y(count) >= _TOP - 1]

    def _step(self) -> int:
        """From one line to the next: 1, 2 or 5 of a power of ten."""
        for power in itertools.count():
            for digit in (1, 2, 5):
                if self.highest <= _MAX_GRID_LINES * digit * 10**power:
                    return int(digit * 10**power)
        raise AssertionError("powers of ten have no end")


def plot_text(x: float, y: float, text: str, classes: str) -> str:
    """Text in a plot, at a place in the plot's units."""
    return f'<text class="{classes}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _grid(frame: _Frame) -> Iterator[str]:
    for count in frame.grid_counts():
        y = frame.y(count)
        yield f'<line class="rule" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.2f}" y2="{y:.2f}"/>'
        yield plot_text(_LEFT - 6, y + 4, short(count), "end")


def short(count: int) -> str:
    """A round number in little space: 200k, 1.5M."""
    for unit, size in (("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:g}{unit}"
    return str(count)


def _column(frame: _Frame, column: Column) -> str:
    x = frame.x(column.start) + _GAP
    width = max(0.2, frame.x(column.end) - frame.x(column.start) - 2 * _GAP)
    y = min(frame.y(column.count), _BOTTOM - _MIN_HEIGHT)
    return (
        f'<rect class="{escape(column.colour)}" x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" '
        f'height="{_BOTTOM - y:.2f}"><title>{escape(column.tip)}</title></rect>'
    )


def _mark(frame: _Frame, mark: Mark) -> Iterator[str]:
    x = frame.x(mark.at)
    yield (f'<line class="threshold" x1="{x:.2f}" x2="{x:.2f}" y1="{_TOP - 4}" y2="{_BOTTOM}"/>')
    inside = min(max(x, _LEFT + 40), _RIGHT - 40)
    yield plot_text(inside, _TOP - 9, mark.text, "middle strong")


def _axis(frame: _Frame) -> Iterator[str]:
    yield f'<line class="axis" x1="{_LEFT}" x2="{_RIGHT}" y1="{_BOTTOM}" y2="{_BOTTOM}"/>'
    for at, text in frame.axis.ticks:
        x = frame.x(at)
        yield (f'<line class="axis" x1="{x:.2f}" x2="{x:.2f}" y1="{_BOTTOM}" y2="{_BOTTOM + 4}"/>')
        anchor = "end" if at == frame.axis.end else "middle"
        yield plot_text(x, _BOTTOM + 19, text, anchor)
    yield plot_text((_LEFT + _RIGHT) / 2, _HEIGHT - 6, frame.axis.name, "middle soft")
