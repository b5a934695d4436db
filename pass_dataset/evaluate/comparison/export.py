"""A comparison as JSON, and as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from pass_dataset.evaluate.comparison.comparing import ComparedSet, Comparison, Row
from pass_dataset.evaluate.protocols.statistics import Outcome

__all__ = ["as_json", "as_lines"]


def as_json(comparison: Comparison) -> dict[str, Any]:
    """What programs read: all numbers in per cent, differences B minus A."""
    settings = asdict(comparison.settings)
    settings["root"] = settings["root"] and str(settings["root"])
    return {
        "a": {"name": comparison.first, "sha256": comparison.digests[0]},
        "b": {"name": comparison.second, "sha256": comparison.digests[1]},
        "settings": settings,
        "sets": [
            {
                "name": each.name,
                "train": each.train,
                "test": each.test,
                "classes": each.classes,
                "in_both": each.overlap,
                "copies": each.copies,
                "rows": [_row(row) for row in each.rows],
            }
            for each in comparison.sets
        ],
    }


def _row(row: Row) -> dict[str, Any]:
    found = row.difference
    return {
        "protocol": row.first.protocol,
        "metric": row.first.metric,
        "a": _outcome(row.first),
        "b": _outcome(row.second),
        "difference": found.value,
        "interval": [found.low, found.high],
        "says": row.sentence,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {"value": outcome.value, "runs": list(outcome.runs), "notes": list(outcome.notes)}


def as_lines(comparison: Comparison) -> Iterator[str]:
    """A table for a terminal."""
    yield f"A  {comparison.first}"
    yield f"B  {comparison.second}"
    for each in comparison.sets:
        yield ""
        yield from _set_lines(each)


def _set_lines(each: ComparedSet) -> Iterator[str]:
    yield (
        f"{each.name}: {each.train:,} training images, {each.test:,} test images, "
        f"{each.classes:,} classes"
    )
    if each.overlap_text:
        yield f"  {each.overlap_text}"
    width = max((len(f"{row.first.protocol} {row.first.metric}") for row in each.rows), default=0)
    for row in each.rows:
        name = f"{row.first.protocol} {row.first.metric}"
        yield f"  {name:{width}}  {_value(row.first)}  {_value(row.second)}  {row.sentence}"


def _value(outcome: Outcome) -> str:
    spread = "" if outcome.spread is None else f" ±{outcome.spread:.1f}"
    return f"{outcome.value:5.1f}{spread:6}"
