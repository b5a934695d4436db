"""What decides which photographs are selected."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["SelectSettings"]


@dataclass(frozen=True)
class SelectSettings:
    """Settings of `select`.

    Attributes:
      licenses: those asked for, see `Licenses`; none: any.
      boxes: of positions, each west, south, east and north in degrees; a box whose west is more
        than its east goes over the 180th meridian. None: anywhere, also where nobody knows.
      dates: first and last day on which a photograph was taken, as 2004-12-31, several if need be.
        None: at any time, also when nobody knows.
      columns: of a table of one's own: the column of the ledger, and what the table calls it.
      is_encoded: names and titles in such a table are URL-encoded already, as YFCC100M's are.
      shard_rows: photographs in a shard of the ledger.
    """

    licenses: tuple[str, ...] = ("by",)
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    dates: tuple[tuple[str, str], ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    is_encoded: bool = False
    shard_rows: int = 10_000

    def __post_init__(self) -> None:
        if any(not text.strip() for text in self.licenses):
            raise ValueError("licenses: expected names or addresses, found an empty one")
        for west, south, east, north in self.boxes:
            if not (max(abs(west), abs(east)) <= 180 and -90 <= south <= north <= 90):
                raise ValueError(
                    "boxes: expected west, south, east, north in degrees, found "
                    f"{west}, {south}, {east}, {north}"
                )
        for first, last in self.dates:
            days = [_day(first), _day(last)]
            if days != sorted(days):
                raise ValueError(f"dates: {first} is after {last}")
        if not 1 <= self.shard_rows <= 1_000_000:
            raise ValueError(f"shard_rows: expected 1 to 1,000,000, found {self.shard_rows}")


def _day(text: str) -> str:
    """Raises ValueError if it is none."""
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"dates: expected days such as 2004-12-31, found {text!r}") from None
    return day.isoformat()
