"""A funnel as SVG: what is left after each stage, and why the others are not."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pass_dataset.pages.template import render

__all__ = ["FunnelStage", "draw_funnel"]

# In its own units.
_WIDTH, _NAMES, _NUMBERS = 800, 150, 190
_ROW, _BAR, _LINE = 36, 20, 16
#: Characters of a line of causes, which has the width of the bars.
_CHARACTERS = 64
#: A stage at which something is left is seen, however little it is.
_MIN_WIDTH = 1.0


@dataclass(frozen=True)
class FunnelStage:
    """A stage.

    Attributes:
      name: what is done.
      left: what is left after it.
      lost: what is not, by the reason in words.
      beside: what is written below the number, such as another's.
    """

    name: str
    left: int
    lost: Mapping[str, int]
    beside: str = ""


@dataclass(frozen=True)
class _Row:
    """A stage where it lies in the figure."""

    stage: FunnelStage
    y: float
    x: float
    width: float
    lines: Sequence[str]


def draw_funnel(stages: Sequence[FunnelStage], label: str, *, alone: bool = False) -> Markup:
    """A funnel, from the first stage down.

    Args:
      stages: in order; the first one's bar is as wide as any can be.
      label: what it shows, for those who do not see it.
      alone: a file of its own, with its colours, and not a part of a page.
    """
    most = max((stage.left for stage in stages), default=0)
    room = _WIDTH - _NAMES - _NUMBERS
    rows, y = [], 0.0
    for stage in stages:
        reasons = ", ".join(f"− {number:,} {reason}" for reason, number in stage.lost.items())
        lines = textwrap.wrap(reasons, _CHARACTERS)
        width = max(_MIN_WIDTH if stage.left else 0.0, room * stage.left / most if most else 0.0)
        rows.append(_Row(stage, y, _NAMES + (room - width) / 2, width, lines))
        y += _ROW + _LINE * max(len(lines), bool(stage.beside))
    fields = {
        "alone": alone,
        "label": label,
        "rows": rows,
        "width": _WIDTH,
        "height": max(y, _ROW),
        "middle": _NAMES + room / 2,
        "bar": _BAR,
        "line": _LINE,
    }
    return render(__package__, "funnel.html", fields)
