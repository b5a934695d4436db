"""Which kind a text is."""

from __future__ import annotations

import pytest

from pass_dataset.curate.ranking.rankers.patterns import kinds_of, plate_likeness


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("anna.b+x@mail.example.org", "email"),
        ("anna @example.org", "email"),
        ("+44 20 7946 0958", "telephone"),
        ("(030) 123 4567", "telephone"),
        ("Tel. 030/1234567", "telephone"),
        ("www.example.com", "web"),
        ("https://example.dev/x", "web"),
        ("visit example.org today", "web"),
        ("Anna Berg", "name"),
        ("Dr. Élise Moreau", "name"),
        ("Anna M. Berg", "name"),
        ("AB12 CDE", "plate"),
        ("B-MW 1234", "plate"),
        ("1-ABC-234", "plate"),
        ("MH 12 DE 1433", "plate"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    found = kinds_of(text)
    assert max(found, key=lambda one: found[one]) == kind


@pytest.mark.parametrize(
    "text", ["STOP", "open daily", "12.03.2021", "2021-03-04", "50%", "end.Next", "", "A", "3,99"]
)
def test_nothing_of_anybody(text: str) -> None:
    assert not kinds_of(text)


def test_plates_by_likeness() -> None:
    texts = ["AB12 CDE", "A1B2C3", "ROUTE6", "4821", "STOP"]
    assert [plate_likeness(text) for text in texts] == [1.0, 0.6, 0.5, 0.4, 0.0]
