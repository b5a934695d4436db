"""The funnel as one HTML page, and as a figure."""

from __future__ import annotations

import time
from collections.abc import Sequence

from markupsafe import Markup

from pass_dataset.curate.funnel.counts import Funnel, Stage
from pass_dataset.curate.funnel.words import cause_in_words, step_in_words
from pass_dataset.pages.funnels import FunnelStage, draw_funnel
from pass_dataset.pages.template import render

__all__ = ["draw", "render_page"]


def draw(funnel: Funnel, *, alone: bool = False) -> Markup:
    """The figure: a bar for each stage, and below it the causes, as Figure 2 of the paper has it.

    Args:
      funnel: what it shows.
      alone: a file of its own, and not a part of a page.
    """
    label = f"{funnel.stages[0].came:,} photographs selected, {funnel.stages[-1].left:,} left"
    return draw_funnel([_drawn(funnel, stage) for stage in funnel.stages], label, alone=alone)


def _drawn(funnel: Funnel, stage: Stage) -> FunnelStage:
    lost = {cause_in_words(cause): number for cause, number in stage.causes.items()}
    numbers = [number.text for number in funnel.published_of(stage.name) if number.text]
    beside = f"published {numbers[0]}" if numbers else ""
    return FunnelStage(step_in_words(stage.name), stage.left, lost, beside)


def render_page(funnel: Funnel, title: str) -> Markup:
    """The page, which needs no other file and asks for none."""
    fields = {
        "title": title,
        "funnel": funnel,
        "figure": draw(funnel),
        "rows": _rows(funnel.stages),
        "notes": [number for number in funnel.published if number.note],
        "step_in_words": step_in_words,
        "cause_in_words": cause_in_words,
        "written": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
    return render(__package__, "page.html", fields)


def _rows(stages: Sequence[Stage]) -> list[tuple[Stage, str, int]]:
    return [(stage, cause, number) for stage in stages for cause, number in stage.causes.items()]
