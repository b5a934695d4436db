"""What is asked of a row: causes why one is refused, in the order in which they are looked for.

    too-few-columns, too-many-columns
    bad-marker        neither photograph nor video
    video
    unknown-license   none that there is in YFCC100M, nor one that is asked for
    license           one that is not asked for
    nul-byte, no-utf8
    bad-id            no number
    bad-address       neither http nor https
    bad-position      no position on Earth, or half of one
    bad-date          no date
    outside           not in any of the boxes
    date              not in any of the ranges of dates

A row is counted under the first. So, what is under another licence is looked at no further.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

from pass_dataset.curate.select.settings import SelectSettings

__all__ = ["BY_RULE", "NO_FAULT", "Refused", "Rules", "is_sound_text", "position", "taken"]

#: Causes that are no fault of a row: it is not among those asked for.
BY_RULE = frozenset({"video", "license", "outside", "date"})
#: What is noted of a row that is kept, and is no fault.
NO_FAULT = frozenset({"null-date"})
#: Bytes above ASCII, percent-encoded.
_ENCODED = re.compile("%[89a-fA-F]")


class Refused(Exception):
    """A row is refused; `str()` is the cause."""


def taken(text: str) -> str | None:
    """A date as YFCC100M has it, such as ``2007-05-06 06:11:48.0``; None where there is none.

    Raises:
      Refused: it is no date.
    """
    if text in ("", "null"):
        return None
    try:
        datetime.datetime.fromisoformat(text[:19])
    except ValueError:
        raise Refused("bad-date") from None
    return text


def position(latitude: str, longitude: str) -> tuple[float, float] | tuple[None, None]:
    """Degrees, or nothing where there is none.

    Raises:
      Refused: it is none, or half of one.
    """
    if not latitude and not longitude:
        return None, None
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        raise Refused("bad-position") from None
    # False for what is not a number, too.
    if not (abs(north) <= 90 and abs(east) <= 180) or math.isnan(north + east):
        raise Refused("bad-position")
    return north, east


def is_sound_text(text: str) -> bool:
    """False if what is percent-encoded in it is no UTF-8."""
    if _ENCODED.search(text) is None:
        return True
    try:
        unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        return False
    return True


class Rules:
    """The boxes and dates that are asked for."""

    def __init__(self, settings: SelectSettings) -> None:
        self._boxes: Sequence[tuple[float, float, float, float]] = settings.boxes
        self._dates: Sequence[tuple[str, str]] = settings.dates
        self.are_any = bool(self._boxes or self._dates)

    def check(self, north: float | None, east: float | None, date: str | None) -> None:
        """Raises `Refused` for what is outside."""
        if self._boxes and not (
            north is not None and east is not None and self._is_in_box(north, east)
        ):
            raise Refused("outside")
        if self._dates and not (
            date is not None and any(first <= date[:10] <= last for first, last in self._dates)
        ):
            raise Refused("date")

    def _is_in_box(self, north: float, east: float) -> bool:
        return any(
            low <= north <= high
            and (left <= east <= right if left <= right else east >= left or east <= right)
            for left, low, right, high in self._boxes
        )
