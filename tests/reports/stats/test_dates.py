"""Dates counted, odd ones too."""

from __future__ import annotations

import datetime

import pyarrow as pa

from pass_dataset.archives.metadata import parse_date
from pass_dataset.reports.stats.dates import Dates, count_dates

UNTIL = datetime.date(2022, 4, 7)


def counted(*texts: str | None) -> Dates:
    dates = [None if text is None else parse_date(text) for text in texts]
    return count_dates(pa.array(dates, pa.timestamp("us")), pa.array(texts, pa.string()), UNTIL)


def test_every_field_is_counted_once() -> None:
    found = counted(
        "2007-05-06 06:11:48.0",
        "2007-12-31 23:59:59.0",
        "2009-01-01 00:00:00.0",
        "1900-01-01 00:00:00.0",
        "0001-02-03 04:05:06.0",
        "2022-04-07 23:59:59.0",
        "2022-04-08 00:00:00.0",
        "9999-12-31 12:00:00.0",
        "0000-00-00 00:00:00.0",
        "0000-00-00 00:00:00.0",
        "yesterday",
        None,
        None,
    )
    assert found.known + found.missing + found.unreadable == 13
    assert (found.known, found.missing, found.unreadable) == (8, 2, 3)
    assert found.unreadable_starts == (("0000", 2), ("yest", 1))
    years = {1: 1, 1900: 1, 2007: 2, 2009: 1, 2022: 2, 9999: 1}
    assert found.years == tuple(years.items())
    assert found.months == (2, 1, 0, 2, 1, 0, 0, 0, 0, 0, 0, 2)
    assert sum(found.hours) == 8
    assert (found.hours[0], found.hours[6], found.hours[23]) == (3, 1, 2)
    assert found.at_midnight == 3
    assert found.early == 2
    assert found.late == 2  # the day of the release itself is not late
    assert found.until == "2022-04-07"


def test_year_0_counts_as_a_year() -> None:
    """Arrow reads it where all else in the column is a date."""
    texts = pa.array(["0000-01-01 00:00:00.0"])
    found = count_dates(texts.cast(pa.timestamp("us")), texts, UNTIL)
    assert found.years == ((0, 1),)
    assert (found.early, found.late, found.at_midnight) == (1, 0, 1)


def test_no_dates() -> None:
    for found in (counted(), counted(None, None)):
        assert (found.known, found.years, found.late, found.early) == (0, (), 0, 0)
        assert sum(found.months) == sum(found.hours) == 0
