"""When the images were taken, as the cameras or the photographers say: local time, without zone."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["EARLY_YEAR", "Dates", "count_dates"]

#: Dates before this year are those of scanned photographs, or of clocks that were never set.
EARLY_YEAR = 1990
#: Kinds of text that is no date, told apart by their first characters.
_ODD_TEXTS, _ODD_CHARACTERS = 10, 4


@dataclass(frozen=True)
class Dates:
    """Dates, counted; no odd one is left out.

    Attributes:
      known: images with a date.
      missing: images without; the field is empty, or they have no metadata.
      unreadable: images whose field is no date, such as ``0000-00-00 00:00:00.0``.
      unreadable_starts: first four characters of such fields, the most frequent ones, with their
        images.
      years: years with their images, in order, whatever the years are.
      months: images by month, January first, whatever the year.
      hours: images by hour of the day, 0 to 23.
      at_midnight: images at 00:00:00 exactly, where often only the day is known.
      early: images before 1990.
      late: images after the day `until`, by which all had been taken.
      until: that day: the release's, or today's where that is not known; ISO 8601.
    """

    known: int
    missing: int
    unreadable: int
    unreadable_starts: tuple[tuple[str, int], ...]
    years: tuple[tuple[int, int], ...]
    months: tuple[int, ...]
    hours: tuple[int, ...]
    at_midnight: int
    early: int
    late: int
    until: str


def count_dates(dates: pa.Array, texts: pa.Array, until: datetime.date) -> Dates:
    """Counts dates.

    Args:
      dates: timestamp[us] or null, one an image.
      texts: the fields as they stand in the CSV, or null.
      until: last day on which an image can have been taken.
    """
    odd = texts.filter(pc.and_(pc.is_null(dates), pc.is_valid(texts)))
    starts = pc.utf8_slice_codeunits(odd, 0, _ODD_CHARACTERS).value_counts().to_pylist()
    starts.sort(key=lambda each: (-each["counts"], each["values"]))
    known = dates.drop_null()
    after = pa.scalar(
        datetime.datetime.combine(until + datetime.timedelta(days=1), datetime.time()),
        pa.timestamp("us"),
    )
    years, images = np.unique(pc.year(known).to_numpy(), return_counts=True)
    since_midnight = known.cast(pa.int64()).to_numpy() % (24 * 3600 * 10**6)
    return Dates(
        known=len(known),
        missing=texts.null_count,
        unreadable=len(odd),
        unreadable_starts=tuple((each["values"], each["counts"]) for each in starts[:_ODD_TEXTS]),
        years=tuple(zip(years.tolist(), images.tolist(), strict=True)),
        months=_counted(pc.month(known).to_numpy() - 1, 12),
        hours=_counted(pc.hour(known).to_numpy(), 24),
        at_midnight=int((since_midnight == 0).sum()),
        early=int(images[years < EARLY_YEAR].sum()),
        late=pc.sum(pc.greater_equal(known, after)).as_py() or 0,
        until=until.isoformat(),
    )


def _counted(values: object, classes: int) -> tuple[int, ...]:
    return tuple(np.bincount(np.asarray(values, np.int64), minlength=classes).tolist())
