"""Pieces of the page: plots with their numbers, tables of counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pass_dataset.pages.html import Html, escape, join, table
from pass_dataset.pages.words import count, share
from pass_dataset.reports.stats.numbers import Spread

__all__ = [
    "counts_table",
    "images",
    "plot_figure",
    "plot_grid",
    "side_by_side",
    "soft",
    "spreads_table",
]


def images(number: int) -> str:
    """So many images."""
    return count(number, "image", "images")


def soft(text: str) -> Html:
    """A paragraph that stands back."""
    return Html(f'<p class="soft">{escape(text)}</p>')


def plot_figure(title: str, note: str, plot: Html, numbers: Html) -> Html:
    """A plot with its name above it, and its numbers below it."""
    return Html(
        f"<figure>\n<figcaption><strong>{escape(title)}</strong> "
        f'<span class="soft">{escape(note)}</span></figcaption>\n{plot}\n'
        f"<details><summary>Numbers</summary>{numbers}</details>\n</figure>"
    )


def plot_grid(figures: Iterable[Html]) -> Html:
    """Plots side by side, where there is room."""
    return Html(f'<div class="plots">\n{join(figures)}\n</div>')


def side_by_side(columns: Iterable[Html]) -> Html:
    """Tables side by side, where there is room."""
    return Html(f'<div class="lists">\n{join(columns)}\n</div>')


def counts_table(
    caption: str, what: str, rows: Iterable[tuple[str, int]], whole: int, *, of: str = "Images"
) -> Html:
    """A table of numbers with their shares of a whole."""
    cells = [
        (escape(name), escape(f"{number:,}"), escape(share(number, whole))) for name, number in rows
    ]
    return table((what, of, "Share"), cells, {1, 2}, caption=caption)


def spreads_table(caption: str, rows: Sequence[tuple[str, Spread]]) -> Html:
    header = ("", "Lowest", "5 %", "25 %", "Median", "75 %", "95 %", "99 %", "Highest", "Mean")
    cells = [
        (
            escape(name),
            *(
                escape(f"{value:,}")
                for value in (
                    spread.minimum,
                    spread.percent_5,
                    spread.percent_25,
                    spread.median,
                    spread.percent_75,
                    spread.percent_95,
                    spread.percent_99,
                    spread.maximum,
                )
            ),
            escape(f"{spread.mean:,.1f}"),
        )
        for name, spread in rows
    ]
    return table(header, cells, set(range(1, len(header))), caption=caption)
