"""Plots, as SVG that follows the page's colours."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from pass_dataset.pages.template import render

__all__ = ["Axis", "Column", "Mark", "draw_bar", "draw_columns", "short"]

# The plot in its own units; as wide as a telephone, so that its text is never smaller than there.
_WIDTH, _HEIGHT = 400, 236
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 392, 24, 190
_MAX_GRID_LINES = 5
#: Free space on each side of a column, and the least width that is left.
_GAP, _MIN_WIDTH = 0.4, 0.2
#: From the middle of a mark's word to the nearer end of the axis, at least.
_HALF_A_WORD = 40
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


@dataclass(frozen=True)
class _Part:
    """A part of a bar: class of its colour; start and width in per cent of the whole."""

    colour: str
    start: float
    width: float


def draw_bar(parts: Mapping[str, int], total: int, label: str) -> Markup:
    """A horizontal bar in parts.

    Args:
      parts: number by class of the colour, from left to right.
      total: what the whole width stands for.
      label: what it shows, for those who do not see it.
    """
    drawn, start = [], 0.0
    for colour, number in parts.items():
        width = 100 * number / total if total else 0.0
        if number:
            drawn.append(_Part(colour, start, width))
        start += width
    return render(__package__, "bar.html", {"label": label, "parts": drawn})


def draw_columns(
    columns: Sequence[Column], axis: Axis, label: str, *, scale: Scale, marks: Sequence[Mark] = ()
) -> Markup:
    """Numbers as columns over an axis.

    Args:
      columns: from left to right.
      axis: below them.
      label: what the plot shows, for those who do not see it.
      scale: of the numbers.
      marks: places on the axis.
    """
    frame = _Frame(axis, scale, max((column.count for column in columns), default=0))
    fields = {"label": label, "frame": frame, "columns": columns, "marks": marks, "short": short}
    return render(__package__, "plot.html", fields)


class _Frame:
    """Where numbers lie in the plot."""

    width, height = _WIDTH, _HEIGHT
    left, right, top, bottom = _LEFT, _RIGHT, _TOP, _BOTTOM

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

    def rectangle(self, column: Column) -> tuple[float, float, float, float]:
        """Left, top, width and height of a column."""
        x = self.x(column.start) + _GAP
        width = max(_MIN_WIDTH, self.x(column.end) - self.x(column.start) - 2 * _GAP)
        y = min(self.y(column.count), _BOTTOM - _MIN_HEIGHT)
        return x, y, width, _BOTTOM - y

    def word_x(self, x: float) -> float:
        """Middle of the word above a mark: the mark's, or so near that the word is inside."""
        return min(max(x, _LEFT + _HALF_A_WORD), _RIGHT - _HALF_A_WORD)

    def _step(self) -> int:
        """From one line to the next: 1, 2 or 5 of a power of ten."""
        for power in itertools.count():
            for digit in (1, 2, 5):
                if self.highest <= _MAX_GRID_LINES * digit * 10**power:
                    return int(digit * 10**power)
        raise AssertionError("powers of ten have no end")


def short(count: int) -> str:
    """A round number in little space: 200k, 1.5M."""
    for unit, size in (("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:g}{unit}"
    return str(count)
