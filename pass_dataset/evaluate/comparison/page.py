"""A comparison as HTML: one file, plots inside, no script."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pass_dataset.evaluate.comparison.comparing import Comparison, Row, signed
from pass_dataset.evaluate.comparison.published import NOTES, PUBLISHED_NUMBERS, PublishedNumber
from pass_dataset.evaluate.protocols.statistics import Outcome
from pass_dataset.pages.template import render

__all__ = ["render_comparison"]

# The plot in its own units: as wide as a telephone, so that its text is never smaller than there.
_WIDTH, _LEFT, _RIGHT, _LINE, _TOP = 400, 132, 376, 26, 14
#: What the tables of the paper show, in words.
_TITLES = {
    "2a": "Table 2a: clustering, NMI and aRI",
    "2b": "Table 2b: linear layer, top-1",
    "2c": "Table 2c: few images a class, top-1, VOC07 mAP",
    "4": "Table 4: methods, pretrained on PASS",
    "5": "Table 5: smallest part of an image that a crop takes, MoCo-v2",
    "6": "Table 6: what the images show, MoCo-v2",
    "8": "Table 8: linear layer by SwAV's code",
    "10": "Table 10: other domains, linear layer, top-1",
}


def render_comparison(comparison: Comparison, *, written_at: float) -> str:
    """The page as HTML text that needs no other file; `written_at`: seconds since 1970."""
    return render(
        __package__,
        "page.html",
        {
            "comparison": comparison,
            "sets": [(each, _plot(each.rows)) for each in comparison.sets],
            "visible": sum(
                row.difference.is_visible for each in comparison.sets for row in each.rows
            ),
            "rows": sum(len(each.rows) for each in comparison.sets),
            "value": _value,
            "signed": signed,
            "settings": _settings(comparison),
            "tables": _tables(),
            "written": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(written_at)),
        },
    )


def _value(outcome: Outcome) -> str:
    spread = "" if outcome.spread is None else f" ± {outcome.spread:.1f}"
    return f"{outcome.value:.1f}{spread}"


def _settings(comparison: Comparison) -> list[tuple[str, str]]:
    settings = comparison.settings
    transform = settings.transform
    return [
        ("A", comparison.first),
        ("A, digest of the weights", comparison.digests[0]),
        ("B", comparison.second),
        ("B, digest of the weights", comparison.digests[1]),
        ("protocols", ", ".join(settings.protocols)),
        (
            "images",
            f"smaller side {transform.resize}, middle {transform.crop}, {transform.interpolation}",
        ),
        ("random views for the linear layer", str(settings.views or "none: the middles alone")),
    ]


# --- the plot of differences ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Bar:
    """A difference in the plot, in its units."""

    name: str
    tip: str
    y: float
    low: float
    middle: float
    high: float
    colour: str


def _plot(rows: Sequence[Row]) -> Markup:
    """Differences with their intervals, one below the other, around 0."""
    largest = max(
        (abs(end) for row in rows for end in (row.difference.low, row.difference.high)), default=0
    )
    step = _step(largest)
    end = step * max(1, math.ceil(largest / step))

    def x(value: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (value + end) / (2 * end)

    bars = [
        _Bar(
            f"{row.first.protocol.partition(',')[0]} {row.first.metric}",
            row.sentence,
            _TOP + _LINE * (position + 0.5),
            x(row.difference.low),
            x(row.difference.value),
            x(row.difference.high),
            _colour(row),
        )
        for position, row in enumerate(rows)
    ]
    count = math.floor(end / step)
    stride = max(1, math.ceil(count / 2))
    ticks = [
        (x(step * number), f"{step * number:+g}".replace("-", "−") if number else "0")
        for number in range(-count, count + 1)
        if number % stride == 0
    ]
    fields = {
        "bars": bars,
        "ticks": ticks,
        "zero": x(0),
        "width": _WIDTH,
        "top": _TOP,
        "bottom": _TOP + _LINE * len(rows),
        "left": _LEFT,
        "right": _RIGHT,
    }
    return render(__package__, "differences.html", fields)


def _colour(row: Row) -> str:
    if not row.difference.is_visible:
        return "none"
    return "second" if row.difference.value > 0 else "first"


def _step(largest: float) -> float:
    """1, 2 or 5 of a power of ten, of which few reach the largest difference."""
    power = 10.0 ** math.floor(math.log10(max(largest, 0.1)))
    return next((digit * power for digit in (1, 2, 5) if largest <= 4 * digit * power), 10 * power)


# --- the published numbers ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Table:
    """A table of the paper: its name, title, columns and rows, and what misleads in it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[PublishedNumber | None]]]
    note: str | None


def _tables() -> list[_Table]:
    return [_table(name) for name in _TITLES]


def _table(name: str) -> _Table:
    numbers = [number for number in PUBLISHED_NUMBERS if number.table == name]
    columns = list(dict.fromkeys(number.column for number in numbers))
    cells = {(number.row, number.column): number for number in numbers}
    rows = [
        (row, [cells.get((row, column)) for column in columns])
        for row in dict.fromkeys(number.row for number in numbers)
    ]
    return _Table(_TITLES[name], columns, rows, NOTES.get(name))
