"""Plots of the figures, and the map."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pass_dataset.pages.plots import Axis, Column, Mark, draw_columns
from pass_dataset.pages.template import render
from pass_dataset.pages.words import count
from pass_dataset.reports.stats.classes import ClassFrequencies
from pass_dataset.reports.stats.dates import Dates
from pass_dataset.reports.stats.numbers import Histogram, round_step
from pass_dataset.reports.stats.photographers import Photographers
from pass_dataset.reports.stats.places import Places

__all__ = [
    "MONTHS",
    "Level",
    "draw_bytes",
    "draw_classes",
    "draw_hours",
    "draw_longer_side",
    "draw_map",
    "draw_months",
    "draw_photographers",
    "draw_shapes",
    "draw_years",
    "map_levels",
    "south_north",
    "west_east",
    "years_shown",
]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: Class of all columns.
_COLOUR = "shown"

# Years: those with at least one image in so many, and not too far from the median.
_SHARE_OF_YEAR = 2000
_YEARS_BEFORE, _YEARS_AFTER = 40, 20
_TICKS = 8

#: Columns of the plot of photographers, at most; where they have more images, some go together.
_MAX_COLUMNS = 100

#: Images of a cell from which on it has another colour, as far as there are such cells.
_LEVELS = (1, 3, 10, 30, 100, 300, 1000, 3000)
#: Colours of the page's style, from few images to many.
_COLOURS = 8
# The map in degrees, with room for what stands at its sides.
_MAP_LEFT, _MAP_BOTTOM = 46, 16
#: Between degrees and direction, where no line may break.
_SPACE = "\u00a0"
_PARALLELS, _MERIDIANS = range(-60, 61, 30), range(-120, 121, 60)


def _images(number: int) -> str:
    return count(number, "image", "images")


def _steps(start: int, end: int) -> range:
    """Round numbers from start to end, not too many."""
    step = round_step((end - start) / _TICKS)
    return range(-(-start // step) * step, end + 1, step)


# --- dates ----------------------------------------------------------------------------------------


def years_shown(dates: Dates) -> range:
    """The years that the plot has; few images, of odd years, are beyond."""
    median = _median_year(dates)
    frequent = [year for year, number in dates.years if number * _SHARE_OF_YEAR >= dates.known]
    near = [year for year in frequent if -_YEARS_BEFORE <= year - median <= _YEARS_AFTER]
    return range(min([median, *near]), max([median, *near]) + 1)


def _median_year(dates: Dates) -> int:
    seen = 0
    for year, number in dates.years:
        seen += number
        if 2 * seen >= dates.known:
            return year
    raise ValueError("no image has a date")


def draw_years(dates: Dates) -> Markup:
    """Images by year; `dates` has one at least."""
    shown, images = years_shown(dates), dict(dates.years)
    columns = [
        Column(
            year - 0.5,
            year + 0.5,
            images.get(year, 0),
            _COLOUR,
            f"{year}: {_images(images.get(year, 0))}",
        )
        for year in shown
    ]
    ticks = [(year, str(year)) for year in _steps(shown[0], shown[-1])]
    axis = Axis(shown[0] - 0.5, shown[-1] + 0.5, ticks, "year taken")
    most = max(shown, key=lambda year: images.get(year, 0))
    label = (
        f"Images by year, {shown[0]} to {shown[-1]}; most are of {most}: "
        f"{_images(images.get(most, 0))}"
    )
    return draw_columns(columns, axis, label, scale="linear")


def draw_months(dates: Dates) -> Markup:
    """Images by month."""
    columns = [
        Column(number, number + 1, images, _COLOUR, f"{MONTHS[number]}: {_images(images)}")
        for number, images in enumerate(dates.months)
    ]
    ticks = [(number + 0.5, name) for number, name in enumerate(MONTHS)]
    label = f"Images by month; most are of {_most(MONTHS, dates.months)}"
    return draw_columns(columns, Axis(0, 12, ticks, "month taken"), label, scale="linear")


def draw_hours(dates: Dates) -> Markup:
    """Images by hour."""
    columns = [
        Column(hour, hour + 1, images, _COLOUR, f"{hour}:00 to {hour}:59: {_images(images)}")
        for hour, images in enumerate(dates.hours)
    ]
    ticks = [(hour, str(hour)) for hour in range(0, 25, 3)]
    names = [f"{hour}:00 to {hour}:59" for hour in range(24)]
    label = f"Images by hour; most are of {_most(names, dates.hours)}"
    axis = Axis(0, 24, ticks, "hour taken, by the camera’s clock")
    return draw_columns(columns, axis, label, scale="linear")


def _most(names: Sequence[str], images: Sequence[int]) -> str:
    number = max(images)
    return f"{names[images.index(number)]}: {_images(number)}"


# --- numbers --------------------------------------------------------------------------------------


def draw_bytes(histogram: Histogram) -> Markup:
    """Images by their bytes."""
    axis = _axis_of(histogram, "kilobytes an image", 1000)
    label = f"Images by bytes, up to {histogram.end / 1000:,g} kB"
    return draw_columns(_columns(histogram, 1000, "kB"), axis, label, scale="linear")


def draw_longer_side(histogram: Histogram) -> Markup:
    """Images by their longer side."""
    axis = _axis_of(histogram, "pixels of the longer side", 1)
    label = f"Images by their longer side, up to {histogram.end:,.0f} pixels"
    return draw_columns(_columns(histogram, 1, "pixels"), axis, label, scale="logarithmic")


def _axis_of(histogram: Histogram, name: str, unit: int) -> Axis:
    ends = int(histogram.start), int(histogram.end)
    ticks = [(at, f"{at / unit:,g}") for at in _steps(*ends)]
    return Axis(*ends, ticks, name)


def _columns(histogram: Histogram, unit: int, name: str) -> list[Column]:
    columns = []
    for start, end, images in histogram.bins():
        tip = f"{start / unit:,g} to {end / unit:,g} {name}: {_images(images)}"
        columns.append(Column(start, end, images, _COLOUR, tip))
    return columns


def draw_shapes(histogram: Histogram) -> Markup:
    """Images by width over height, a portrait as far to the left as a landscape to the right."""
    columns = []
    for start, end, images in histogram.bins():
        tip = f"{2**start:.2f} to {2**end:.2f}: {_images(images)}"
        columns.append(Column(start, end, images, _COLOUR, tip))
    # Binary logarithms of the ratios that cameras have.
    ticks = [
        (-2, "1:4"),
        (-1, "1:2"),
        (-0.585, "2:3"),
        (0, "1:1"),
        (0.585, "3:2"),
        (1, "2:1"),
        (2, "4:1"),
    ]
    axis = Axis(histogram.start, histogram.end, ticks, "width : height")
    return draw_columns(columns, axis, "Images by width over height", scale="logarithmic")


def draw_photographers(found: Photographers) -> Markup:
    """Photographers by their images, with the paper's bound; there is one at least."""
    largest = found.numbers[-1][0]
    width = -(-largest // _MAX_COLUMNS)
    photographers: dict[int, int] = {}
    for images, number in found.numbers:
        photographers[(images - 1) // width] = photographers.get((images - 1) // width, 0) + number
    columns = []
    for bin_number, number in photographers.items():
        first, last = bin_number * width + 1, (bin_number + 1) * width
        what = f"{first:,} to {last:,} images" if width > 1 else _images(first)
        tip = f"{what}: {count(number, 'photographer', 'photographers')}"
        columns.append(Column(first - 0.5, last + 0.5, number, _COLOUR, tip))
    end = max(largest, found.bound)
    axis = Axis(
        0.5,
        -(-end // width) * width + 0.5,
        [(at, f"{at:,}") for at in _steps(0, end) if at] or [(1, "1")],
        "images of a photographer",
    )
    label = (
        f"{count(found.photographers, 'photographer', 'photographers')} by their images; the one "
        f"with most has {largest:,}"
    )
    marks = [Mark(found.bound + 0.5, f"at most {found.bound}")]
    return draw_columns(columns, axis, label, scale="logarithmic", marks=marks)


# --- the map --------------------------------------------------------------------------------------


def draw_map(places: Places) -> Markup:
    """A map of the world: cells coloured by their images; degrees are as wide as high."""
    most = places.cells[0]
    label = (
        f"World map of {_images(places.known - places.outside)} in {len(places.cells):,} cells; "
        f"most, {most.images:,}, at {south_north(most.south)}, {west_east(most.west)}"
    )
    return render(
        __package__,
        "map.html",
        {
            "label": label,
            "box": (-_MAP_LEFT, -2, 360 + _MAP_LEFT + 2, 180 + _MAP_BOTTOM + 4),
            "parallels": [(90 - at, south_north(at)) for at in _PARALLELS],
            "meridians": [(at + 180, west_east(at)) for at in _MERIDIANS],
            "meridian_text_y": 180 + _MAP_BOTTOM - 2,
            "paths": _paths(places),
        },
    )


def south_north(degrees: int) -> str:
    """A latitude."""
    return f"{abs(degrees)}°{_SPACE + 'SN'[degrees > 0] if degrees else ''}"


def west_east(degrees: int) -> str:
    """A longitude."""
    return f"{abs(degrees)}°{_SPACE + 'WE'[degrees > 0] if degrees else ''}"


def _paths(places: Places) -> dict[str, str]:
    """The cells of each colour as one path, as thousands of elements would be slow to draw."""
    size, levels = places.cell_degrees, map_levels(places)
    starts = [level.first for level in levels]
    pieces: list[list[str]] = [[] for _ in levels]
    # Neighbours of one level in a row become one piece of the path.
    placed = sorted(
        (-cell.south, cell.west, bisect_right(starts, cell.images) - 1) for cell in places.cells
    )
    for (minus_south, _, number), group in itertools.groupby(
        enumerate(placed), lambda each: (each[1][0], each[1][1] - size * each[0], each[1][2])
    ):
        run = [west for _, (_, west, _) in group]
        x, y = run[0] + 180, minus_south + 90 - size
        pieces[number].append(f"M{x} {y}h{size * len(run)}v{size}h{-size * len(run)}z")
    return {
        level.colour: "".join(of_level)
        for level, of_level in zip(levels, pieces, strict=True)
        if of_level
    }


@dataclass(frozen=True)
class Level:
    """Cells of one colour.

    Attributes:
      first, last: images of a cell, from and to; last is None for any number.
      colour: class of the colour.
    """

    first: int
    last: int | None
    colour: str


def map_levels(places: Places) -> list[Level]:
    """Levels of the map's cells, of which there is one at least; the last has the last colour."""
    used = [first for first in _LEVELS if first <= places.cells[0].images]
    step = (_COLOURS - 1) / max(1, len(used) - 1)
    return [
        Level(
            first,
            _LEVELS[number + 1] - 1 if number + 1 < len(_LEVELS) else None,
            f"level{round(number * step)}",
        )
        for number, first in enumerate(used)
    ]


# --- classes --------------------------------------------------------------------------------------


def draw_classes(classes: ClassFrequencies) -> Markup:
    """Images of each class, the most frequent first; of many classes, some go together."""
    counts = classes.frequencies or (0,)
    together = -(-len(counts) // _MAX_COLUMNS)
    columns = [
        Column(
            start,
            min(start + together, len(counts)),
            # The first of those that go together: a curve that falls has it highest.
            counts[start],
            _COLOUR,
            f"class {start + 1:,} by frequency: {_images(counts[start])}",
        )
        for start in range(0, len(counts), together)
    ]
    ticks = [(at, f"{at:,}") for at in _steps(0, len(counts))]
    label = f"Images of each of {len(counts):,} classes, the most frequent first"
    axis = Axis(0, len(counts), ticks, "classes, the most frequent first")
    return draw_columns(columns, axis, label, scale="logarithmic")
