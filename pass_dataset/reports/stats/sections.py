"""The sections of the page, each from its figures."""

from __future__ import annotations

from collections.abc import Iterator

from pass_dataset.pages.html import Html, code, escape, join, table
from pass_dataset.pages.words import count, share
from pass_dataset.reports.stats import plots
from pass_dataset.reports.stats.collect import Stats
from pass_dataset.reports.stats.dates import EARLY_YEAR, Dates
from pass_dataset.reports.stats.photographers import Photographers
from pass_dataset.reports.stats.pieces import (
    counts_table,
    images,
    plot_figure,
    plot_grid,
    side_by_side,
    soft,
    spreads_table,
)
from pass_dataset.reports.stats.places import Cell, Places
from pass_dataset.reports.stats.shapes import Cameras, Shapes

__all__ = [
    "NOT_HERE",
    "PAPER_GPS",
    "cameras_section",
    "dates_section",
    "metadata_section",
    "photographers_section",
    "places_section",
    "sizes_section",
]

#: Images with GPS as the paper gives them.
PAPER_GPS = "552 K"
#: What is said of columns that the CSV does not have.
NOT_HERE = "not in this release"

_CELL_ROWS = 12
#: Rows of the table of photographers, of which a collection of one's own may have many.
_NUMBER_ROWS = 200
#: What the columns of the CSV are, and the licence that PASS has, in words.
_MEANINGS = {
    "unickname": "photographer",
    "licensename": "licence",
    "datetaken": "date taken",
    "latitude": "latitude",
    "longitude": "longitude",
}
_LICENSES = {"Attribution License": "CC-BY 2.0"}


# --- places ---------------------------------------------------------------------------------------


def places_section(stats: Stats) -> Html:
    """Where the images were taken."""
    places = stats.places
    if places is None:
        return soft(f"Latitude and longitude: {NOT_HERE}.")
    paper = f" The paper gives {PAPER_GPS}." if stats.is_official else ""
    text = (
        f"{places.known:,} of {images(stats.images)} have latitude and longitude "
        f"({share(places.known, stats.images)}).{paper}"
    )
    pieces = [Html(f"<p>{escape(text)}</p>")]
    if places.cells:
        pieces += [_world(places), _cell_table(places)]
    odd = [
        ("latitude and longitude", places.known),
        ("of these at 0°, 0° exactly", places.at_zero),
        ("of these off the globe, not on the map", places.outside),
        ("one of the two only", places.half_known),
        ("neither", places.missing),
    ]
    pieces.append(
        counts_table("Images by what is known of their place", "Known", odd, stats.images)
    )
    return join(pieces)


def _world(places: Places) -> Html:
    size = places.cell_degrees
    note = (
        f"Cells of {size}° by {size}°, some {111 * size} km from south to north; no place is shown "
        "more exactly. The map has no coasts: what looks like them are the images."
    )
    return Html(
        f'<figure class="world">\n<figcaption><strong>Images by place</strong> '
        f'<span class="soft">{escape(note)}</span></figcaption>\n{plots.draw_map(places)}\n'
        f'<ul class="legend" aria-label="Images in a cell">{_legend(places)}</ul>\n</figure>'
    )


def _legend(places: Places) -> Html:
    items = []
    for level in plots.map_levels(places):
        last = "or more" if level.last is None else f"to {level.last:,}"
        items.append(
            Html(
                '<li><svg aria-hidden="true" viewBox="0 0 1 1">'
                f'<rect class="{level.colour}" width="1" height="1"/></svg>'
                f"{escape(f'{level.first:,} {last}')}</li>"
            )
        )
    return join(items)


def _cell_table(places: Places) -> Html:
    def name(cell: Cell) -> str:
        size = places.cell_degrees
        south_north = (plots.south_north(cell.south), plots.south_north(cell.south + size))
        west_east = (plots.west_east(cell.west), plots.west_east(cell.west + size))
        return f"{' to '.join(south_north)}, {' to '.join(west_east)}"

    rows = [(name(cell), cell.images) for cell in places.cells[:_CELL_ROWS]]
    on_map = places.known - places.outside
    numbers = counts_table(
        f"The cells with most images, of {len(places.cells):,} that have any",
        "Cell",
        rows,
        on_map,
    )
    return Html(f"<details><summary>Cells with most images</summary>{numbers}</details>")


# --- dates ----------------------------------------------------------------------------------------


def dates_section(stats: Stats) -> Html:
    """When the images were taken."""
    dates = stats.dates
    if dates is None:
        return soft(f"Dates: {NOT_HERE}.")
    odd = counts_table("Dates that are odd or missing", "Date", _odd_dates(dates), stats.images)
    return plot_grid([*_date_plots(dates), odd]) if dates.known else odd


def _date_plots(dates: Dates) -> Iterator[Html]:
    shown = plots.years_shown(dates)
    beyond = sum(number for year, number in dates.years if year not in shown)
    note = f"{images(dates.known)} with a date"
    if beyond:
        note += f"; {beyond:,} of other years are among the numbers below"
    years = [(str(year), number) for year, number in dates.years]
    yield plot_figure(
        "Years",
        note,
        plots.draw_years(dates),
        counts_table("Images by year, odd ones too", "Year", years, dates.known),
    )
    months = zip(plots.MONTHS, dates.months, strict=True)
    yield plot_figure(
        "Months",
        "of all years together",
        plots.draw_months(dates),
        counts_table("Images by month", "Month", months, dates.known),
    )
    hours = [(f"{hour}:00 to {hour}:59", number) for hour, number in enumerate(dates.hours)]
    yield plot_figure(
        "Hours",
        "local time, as the camera had it",
        plots.draw_hours(dates),
        counts_table("Images by hour", "Hour", hours, dates.known),
    )


def _odd_dates(dates: Dates) -> list[tuple[str, int]]:
    return [
        (f"before {EARLY_YEAR}: scans, or clocks that were never set", dates.early),
        (f"after {dates.until}, by which all had been taken", dates.late),
        ("at 0:00:00 exactly, where often only the day is known", dates.at_midnight),
        ("text that is no date", dates.unreadable),
        *((f"such as {start}…", number) for start, number in dates.unreadable_starts),
        ("missing", dates.missing),
    ]


# --- sizes and cameras ----------------------------------------------------------------------------


def sizes_section(stats: Stats) -> Html:
    """Bytes of all images, and pixels of those whose header was read."""
    shapes = stats.shapes
    figures = [*_byte_plot(stats)]
    spreads = [("Bytes", stats.image_bytes)]
    pieces = []
    if shapes is None:
        pieces.append(soft("Sizes in pixels: no header was read."))
    else:
        pieces += [soft(_how_read(shapes)), *_unreadable(shapes)]
        figures += _shape_plots(shapes)
        spreads += [
            ("Longer side", shapes.longer_side),
            ("Shorter side", shapes.shorter_side),
            ("Pixels", shapes.pixels),
        ]
    known = [(name, spread) for name, spread in spreads if spread is not None]
    if figures:
        pieces.append(plot_grid(figures))
    if known:
        caption = "Bytes of all images, and pixels: so many per cent have no more than"
        pieces.append(spreads_table(caption, known))
    if shapes is not None and shapes.known:
        pieces.append(_size_tables(shapes))
    return join(pieces)


def _byte_plot(stats: Stats) -> Iterator[Html]:
    histogram = stats.image_bytes_histogram
    if histogram is None:
        return
    rows = [
        (f"{start / 1000:,g} to {end / 1000:,g} kB", number)
        for start, end, number in histogram.bins()
    ]
    rows.append((f"{histogram.end / 1000:,g} kB or more", histogram.above))
    yield plot_figure(
        "Bytes",
        f"all {images(stats.images)}; {histogram.above:,} are larger than shown",
        plots.draw_bytes(histogram),
        counts_table("Images by bytes", "Bytes", rows, stats.images),
    )


def _how_read(shapes: Shapes) -> str:
    stored = "Sides are as stored, before EXIF turns any image."
    if not shapes.is_sample:
        return f"Pixels are those of all {images(shapes.read)}. {stored}"
    return (
        f"Pixels are those of {images(shapes.read)} drawn at random (seed {shapes.seed}): with "
        f"95\u00a0% confidence a share among them is within {100 * shapes.margin:.2g} percentage "
        f"points of the share among all. --all-images reads all. {stored}"
    )


def _unreadable(shapes: Shapes) -> list[Html]:
    if not shapes.unreadable:
        return []
    rows = [
        (code(image.hash), code(image.tar), escape(f"{image.offset:,}"), escape(image.problem))
        for image in shapes.unreadable_images
    ]
    shown = f"the first {len(rows)} of " if len(rows) < shapes.unreadable else ""
    caption = f"Headers that cannot be read: {shown}{images(shapes.unreadable)}"
    return [table(("Image", "Tar", "Byte", "Problem"), rows, {2}, caption=caption)]


def _shape_plots(shapes: Shapes) -> Iterator[Html]:
    if not shapes.known or shapes.longer_side_histogram is None:
        return
    sides = [
        ("landscape", shapes.landscape),
        ("portrait", shapes.portrait),
        ("square", shapes.square),
    ]
    yield plot_figure(
        "Shapes",
        f"{images(shapes.known)}, on a logarithmic scale",
        plots.draw_shapes(shapes.shape_histogram),
        counts_table("Images by their sides", "Sides", sides, shapes.known),
    )
    histogram = shapes.longer_side_histogram
    rows = [
        (f"{start:,g} pixels or more", number) for start, _, number in histogram.bins() if number
    ]
    rows.append((f"{histogram.end:,g} pixels or more, not shown", histogram.above))
    yield plot_figure(
        "Longer side",
        f"in steps of {histogram.width:g} pixels, on a logarithmic scale",
        plots.draw_longer_side(histogram),
        counts_table("Images by their longer side", "From", rows, shapes.known),
    )
    yield counts_table(
        "Longer to shorter side, within 1\u00a0%", "Ratio", shapes.ratios, shapes.known
    )


def _size_tables(shapes: Shapes) -> Html:
    sizes = counts_table(
        f"The most frequent of {count(shapes.distinct_sizes, 'size', 'sizes')}",
        "Width × height",
        [(f"{width} × {height}", number) for width, height, number in shapes.sizes],
        shapes.known,
    )
    colours = [("grey", shapes.grey), ("colour", shapes.known - shapes.grey)]
    components = counts_table("Images by their components", "Stored as", colours, shapes.known)
    return side_by_side([sizes, components])


def cameras_section(shapes: Shapes | None) -> Html:
    """What the images were taken with."""
    if shapes is None:
        return soft("No header was read.")
    if not shapes.known:
        return soft("No header could be read.")
    cameras: Cameras = shapes.cameras
    if not cameras.known:
        return soft(
            f"None of the {images(shapes.known)} read names a camera: they have no EXIF block, or "
            "one without. Resized copies, as of Flickr, are often published without."
        )
    text = (
        f"{cameras.known:,} of {images(shapes.known)} read name a camera "
        f"({share(cameras.known, shapes.known)}). Nothing else of EXIF was read."
    )
    tables = (
        counts_table("The most frequent makers", "Maker", cameras.makes, cameras.known),
        counts_table("The most frequent models", "Model", cameras.models, cameras.known),
    )
    return Html(f"<p>{escape(text)}</p>\n{side_by_side(tables)}")


# --- photographers and metadata -------------------------------------------------------------------


def photographers_section(found: Photographers) -> Html:
    """How many images each photographer has."""
    each = found.images_each
    if each is None:
        return soft("No image names its photographer.")
    if found.over_bound:
        bound = (
            f"{count(found.over_bound, 'photographer has', 'photographers have')} more than "
            f"{found.bound}, {images(found.over_bound_images)} together."
        )
    else:
        bound = f"None has more than {found.bound}."
    text = (
        f"{count(found.photographers, 'photographer has', 'photographers have')} "
        f"{images(each.total)}, {each.maximum:,} at most. PASS took at most {found.bound} of each. "
        f"{bound} The tenth with most images have {share(found.largest_tenth, each.total)} of them."
    )
    rows = [(images(have), number) for have, number in found.numbers[:_NUMBER_ROWS]]
    plot = plot_figure(
        "Images of a photographer",
        f"{count(found.photographers, 'photographer', 'photographers')}, on a logarithmic scale",
        plots.draw_photographers(found),
        counts_table(
            "Photographers by their images",
            "They have",
            rows,
            found.photographers,
            of="Photographers",
        ),
    )
    pieces = [Html(f"<p>{escape(text)}</p>"), plot_grid([plot])]
    pieces.append(spreads_table("Images a photographer", [("Images", each)]))
    if found.unknown:
        pieces.append(soft(f"{images(found.unknown)} without a photographer."))
    return join(pieces)


def metadata_section(stats: Stats) -> Html:
    """Licences, and what the metadata lack."""
    licenses = [(_license(name), number) for name, number in stats.licenses]
    rows = [
        (
            code(column.name),
            escape(_MEANINGS[column.name]),
            escape(NOT_HERE if column.missing is None else f"{column.missing:,}"),
            escape("–" if column.missing is None else share(column.missing, stats.images)),
        )
        for column in stats.columns
    ]
    return side_by_side(
        [
            counts_table(
                "Images by licence, as the metadata name it", "Licence", licenses, stats.images
            ),
            table(
                ("Column", "Meaning", "Missing", "Share"),
                rows,
                {2, 3},
                caption="Images whose field is empty, by column of the metadata",
            ),
        ]
    )


def _license(name: str | None) -> str:
    if name is None:
        return "not stated"
    return f"{name} ({_LICENSES[name]})" if name in _LICENSES else name
