"""The funnel as text, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pass_dataset.curate.funnel.counts import Funnel
from pass_dataset.pages.words import share

__all__ = ["funnel_content", "text_lines"]


def text_lines(funnel: Funnel) -> Iterator[str]:
    """A line for each stage and each cause; published numbers stand beside."""
    widest = max(len(stage.name) for stage in funnel.stages)
    causes = [cause for stage in funnel.stages for cause in stage.causes]
    widest = max(widest, *(len(cause) + 2 for cause in [*causes, *(funnel.refused or {}), ""]))
    if funnel.read is not None:
        yield f"{'read':{widest}} {funnel.read:>13,}"
    for cause, number in (funnel.refused or {}).items():
        yield f"{'  ' + cause:{widest}} {-number:>13,}"
    first = funnel.stages[0].came
    for stage in funnel.stages:
        for cause, number in stage.causes.items():
            yield f"{'  ' + cause:{widest}} {-number:>13,}"
        beside = "; ".join(
            f"{number.text} ({number.where})"
            for number in funnel.published_of(stage.name)
            if number.text
        )
        told = f"   published: {beside}" if beside else ""
        part = share(stage.left, first).replace("\u00a0", " ")
        yield f"{stage.name:{widest}} {stage.left:>13,}  {part:>8}{told}".rstrip()
    if funnel.begun is not None:
        yield f"{funnel.begun} is begun and not done"


def funnel_content(funnel: Funnel) -> dict[str, Any]:
    """All of it, as JSON has it."""
    return {
        "read": funnel.read,
        "refused": dict(funnel.refused or {}),
        "stages": [
            {
                "step": stage.name,
                "came": stage.came,
                "causes": dict(stage.causes),
                "left": stage.left,
                "finished_at": stage.finished_at,
                "published": [
                    {
                        "left": number.left,
                        "rounded": number.rounded,
                        "causes": dict(number.causes or {}),
                        "where": number.where,
                        "note": number.note,
                    }
                    for number in funnel.published_of(stage.name)
                ],
            }
            for stage in funnel.stages
        ],
        "begun": funnel.begun,
    }
