"""What the sections of the page show beside the figures themselves: plots, and rows of tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pass_dataset.pages.words import count
from pass_dataset.reports.stats import plots
from pass_dataset.reports.stats.collect import Stats
from pass_dataset.reports.stats.places import Cell, Places

__all__ = [
    "CountedPlot",
    "Sides",
    "Times",
    "World",
    "bytes_of",
    "license_rows",
    "photographers_of",
    "sides_of",
    "size_rows",
    "times_of",
    "unreadable_date_rows",
    "world_of",
]

#: Rows of the table of cells.
_CELL_ROWS = 12
#: Rows of the table of photographers, of which a collection of one's own may have many.
_NUMBER_ROWS = 200
#: The licence that PASS has, in words.
_LICENSES = {"Attribution License": "CC-BY 2.0"}

#: Rows of a table: a name, and its number of images or photographers.
Rows = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class CountedPlot:
    """A plot, and the rows of its table."""

    plot: Markup
    rows: Rows


# --- places and dates -----------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """The map of the images.

    Attributes:
      map: as SVG.
      levels: its colours.
      largest: the cells with most images.
    """

    map: Markup
    levels: Sequence[plots.Level]
    largest: Rows


def world_of(stats: Stats) -> World | None:
    """The map; None where no place is known."""
    places = stats.places
    if places is None or not places.cells:
        return None
    largest = [(_cell_name(cell, places), cell.images) for cell in places.cells[:_CELL_ROWS]]
    return World(plots.draw_map(places), plots.map_levels(places), largest)


def _cell_name(cell: Cell, places: Places) -> str:
    size = places.cell_degrees
    south_north = (plots.south_north(cell.south), plots.south_north(cell.south + size))
    west_east = (plots.west_east(cell.west), plots.west_east(cell.west + size))
    return f"{' to '.join(south_north)}, {' to '.join(west_east)}"


@dataclass(frozen=True)
class Times:
    """When the images were taken.

    Attributes:
      years_plot, months_plot, hours_plot: as SVG.
      beyond: images of years that the plot does not have.
      months, hours: by name.
    """

    years_plot: Markup
    months_plot: Markup
    hours_plot: Markup
    beyond: int
    months: Rows
    hours: Rows


def times_of(stats: Stats) -> Times | None:
    """Plots of dates; None where no date is known."""
    dates = stats.dates
    if dates is None or not dates.known:
        return None
    shown = plots.years_shown(dates)
    return Times(
        years_plot=plots.draw_years(dates),
        months_plot=plots.draw_months(dates),
        hours_plot=plots.draw_hours(dates),
        beyond=sum(number for year, number in dates.years if year not in shown),
        months=list(zip(plots.MONTHS, dates.months, strict=True)),
        hours=[(f"{hour}:00 to {hour}:59", number) for hour, number in enumerate(dates.hours)],
    )


def unreadable_date_rows(stats: Stats) -> Rows:
    """How texts that are no dates begin."""
    starts = stats.dates.unreadable_starts if stats.dates else ()
    return [(f"such as {start}…", number) for start, number in starts]


# --- sizes ----------------------------------------------------------------------------------------


def bytes_of(stats: Stats) -> CountedPlot | None:
    """Images by their bytes; None where there is no image."""
    histogram = stats.image_bytes_histogram
    if histogram is None:
        return None
    rows = [
        (f"{start / 1000:,g} to {end / 1000:,g} kB", number)
        for start, end, number in histogram.bins()
    ]
    rows.append((f"{histogram.end / 1000:,g} kB or more", histogram.above))
    return CountedPlot(plots.draw_bytes(histogram), rows)


@dataclass(frozen=True)
class Sides:
    """Images by their sides.

    Attributes:
      shapes_plot, longer_plot: as SVG.
      longer: by the longer side.
    """

    shapes_plot: Markup
    longer_plot: Markup
    longer: Rows


def sides_of(stats: Stats) -> Sides | None:
    """Images by their sides; None where none is known."""
    shapes = stats.shapes
    if shapes is None or not shapes.known or shapes.longer_side_histogram is None:
        return None
    histogram = shapes.longer_side_histogram
    rows = [
        (f"{start:,g} pixels or more", number) for start, _, number in histogram.bins() if number
    ]
    rows.append((f"{histogram.end:,g} pixels or more, not shown", histogram.above))
    return Sides(plots.draw_shapes(shapes.shape_histogram), plots.draw_longer_side(histogram), rows)


def size_rows(stats: Stats) -> Rows:
    """The most frequent sizes."""
    sizes = stats.shapes.sizes if stats.shapes else ()
    return [(f"{width} × {height}", number) for width, height, number in sizes]


# --- photographers and metadata -------------------------------------------------------------------


def photographers_of(stats: Stats) -> CountedPlot | None:
    """Photographers by their images; None where none is named."""
    found = stats.photographers
    if found.images_each is None:
        return None
    rows = [
        (count(have, "image", "images"), number) for have, number in found.numbers[:_NUMBER_ROWS]
    ]
    return CountedPlot(plots.draw_photographers(found), rows)


def license_rows(stats: Stats) -> Rows:
    """Images by licence, with what those of PASS stand for."""
    return [(_license(name), number) for name, number in stats.licenses]


def _license(name: str | None) -> str:
    if name is None:
        return "not stated"
    return f"{name} ({_LICENSES[name]})" if name in _LICENSES else name
