"""What others say of their own funnel, to be set beside ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pass_dataset.curate.settings import section

__all__ = ["Published", "read_published"]


@dataclass(frozen=True)
class Published:
    """A published number.

    Attributes:
      step: of ours that it belongs to.
      where: it stands, such as ``section 3``.
      left: photographs that were left after it; None: not told.
      rounded: the number is a round one.
      causes: those that went no further, by our names; empty: not told.
      note: what else is to be known of it.
    """

    step: str
    where: str
    left: int | None = None
    rounded: bool = False
    causes: Mapping[str, int] | None = None
    note: str = ""

    @property
    def text(self) -> str:
        """The number as it is shown."""
        if self.left is None:
            return ""
        return f"{'about ' if self.rounded else ''}{self.left:,}"


def read_published(tables: Sequence[Mapping[str, Any]], where: str) -> tuple[Published, ...]:
    """The published numbers of a profile.

    Raises:
      CurationError: one is none.
    """
    return tuple(
        section(Published, table, f"{where} [[published]] {number}")
        for number, table in enumerate(tables, 1)
    )
