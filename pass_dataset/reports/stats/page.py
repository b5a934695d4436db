"""The figures as HTML: one file, plots and map inside, no script."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pass_dataset.pages.html import Html, escape, join
from pass_dataset.pages.template import fill_page
from pass_dataset.pages.words import count, share
from pass_dataset.reports.stats.collect import Stats
from pass_dataset.reports.stats.pieces import images
from pass_dataset.reports.stats.sections import (
    NOT_HERE,
    PAPER_GPS,
    cameras_section,
    dates_section,
    metadata_section,
    photographers_section,
    places_section,
    sizes_section,
)
from pass_dataset.version import __version__

__all__ = ["render_page"]


def render_page(stats: Stats, *, written_at: float) -> str:
    """The page as HTML text that needs no other file.

    Args:
      stats: what it shows.
      written_at: seconds since 1970.
    """
    return fill_page(
        "pass_dataset.reports.stats",
        title=escape(stats.release),
        summary=_summary(stats),
        notices=_notices(stats),
        cards=join(_cards(stats)),
        places=places_section(stats),
        dates=dates_section(stats),
        sizes=sizes_section(stats),
        cameras=cameras_section(stats.shapes),
        photographers=photographers_section(stats.photographers),
        metadata=metadata_section(stats),
        made=_made(stats),
        written=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(written_at)),
    )


# --- overview -------------------------------------------------------------------------------------


def _summary(stats: Stats) -> Html:
    size = stats.image_bytes.total if stats.image_bytes else 0
    what = f"{images(stats.images)} in {count(len(stats.tars), 'tar', 'tars')}, {size:,} bytes"
    return escape(what if stats.is_whole else f"{what}: a part of the release")


def _notices(stats: Stats) -> Html:
    notices = []
    if stats.missing_tars:
        notices.append(f"Not there, and not counted: {', '.join(stats.missing_tars)}.")
    if stats.is_whole and stats.expected_images not in (None, stats.images):
        notices.append(
            f"The release says that it has {images(stats.expected_images or 0)}; "
            f"{stats.images:,} were found."
        )
    if stats.images_without_row:
        notices.append(
            f"{images(stats.images_without_row)} of the folder have no row in the metadata."
        )
    if not stats.images:
        notices.append("There is no image here, so there is nothing to count.")
    return join(Html(f'<p class="notice">{escape(text)}</p>') for text in notices)


def _cards(stats: Stats) -> Iterator[Html]:
    def card(number: str, what: str, more: str) -> Html:
        return Html(
            f'<div class="card"><strong>{escape(number)}</strong> <span>{escape(what)}</span> '
            f'<span class="soft">{escape(more)}</span></div>'
        )

    bytes_each = stats.image_bytes
    mean = f"{bytes_each.mean / 1000:,.1f} kB each on average" if bytes_each else ""
    yield card(f"{stats.images:,}", "images", mean)
    if stats.places is None:
        yield card("–", "with GPS", NOT_HERE)
    else:
        paper = f"; the paper: {PAPER_GPS}" if stats.is_official else ""
        yield card(
            f"{stats.places.known:,}",
            "with GPS",
            share(stats.places.known, stats.images) + paper,
        )
    found = stats.photographers
    most = f"at most {images(found.images_each.maximum)} each" if found.images_each else ""
    yield card(f"{found.photographers:,}", "photographers", most)
    if stats.dates is None:
        yield card("–", "with a date", NOT_HERE)
    else:
        yield card(f"{stats.dates.known:,}", "with a date", share(stats.dates.known, stats.images))
    if stats.shapes is not None and stats.shapes.sizes:
        width, height, number = stats.shapes.sizes[0]
        yield card(
            f"{width}×{height}",
            "pixels, most often",
            f"{share(number, stats.shapes.known)} of {stats.shapes.known:,} images read",
        )


def _made(stats: Stats) -> Html:
    shapes = stats.shapes
    if shapes is None:
        headers = "none"
    elif shapes.is_sample:
        headers = f"of {images(shapes.read)} drawn at random, seed {shapes.seed}"
    else:
        headers = f"of all {images(shapes.read)}"
    rows = [
        ("Tars", ", ".join(stats.tars) or "none"),
        ("Images, bytes, metadata", "all, by the index"),
        ("Headers read", headers),
        ("Software", f"pass-dataset {__version__}"),
    ]
    return join(Html(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>") for name, value in rows)
