"""The figures as HTML: one file, plots and map inside, no script."""

from __future__ import annotations

import time

from pass_dataset.pages.template import render
from pass_dataset.reports.stats.collect import Stats
from pass_dataset.reports.stats.dates import EARLY_YEAR
from pass_dataset.reports.stats.plots import draw_classes
from pass_dataset.reports.stats.sections import (
    bytes_of,
    license_rows,
    photographers_of,
    sides_of,
    size_rows,
    times_of,
    unreadable_date_rows,
    world_of,
)
from pass_dataset.version import __version__

__all__ = ["render_page"]


def render_page(stats: Stats, *, written_at: float) -> str:
    """The page as HTML text that needs no other file.

    Args:
      stats: what it shows.
      written_at: seconds since 1970.
    """
    return render(
        __package__,
        "page.html",
        {
            "stats": stats,
            "num_bytes": stats.image_bytes.total if stats.image_bytes else 0,
            "world": world_of(stats),
            "early_year": EARLY_YEAR,
            "times": times_of(stats),
            "unreadable_dates": unreadable_date_rows(stats),
            "bytes": bytes_of(stats),
            "sides": sides_of(stats),
            "sides_in_words": size_rows(stats),
            "photographers": photographers_of(stats),
            "classes": [(each, draw_classes(each)) for each in stats.classes],
            "licenses": license_rows(stats),
            "software": __version__,
            "written": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(written_at)),
        },
    )
