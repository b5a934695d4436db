from __future__ import annotations

from urllib.parse import quote_plus

import pytest

from pass_dataset.reports.credits.names import (
    OTHER_SCRIPTS,
    SIGNS,
    decode_name,
    section_of,
    sort_key,
)
from tests.reports.credits.hostile import NAMES, NO_NAMES


@pytest.mark.parametrize("name", NAMES)
def test_names_come_back(name: str) -> None:
    assert decode_name(quote_plus(name)) == name


def test_real_names() -> None:
    assert decode_name("PaperBird+Photography%3C3") == "PaperBird Photography<3"
    assert decode_name("quinnums") == "quinnums"
    assert decode_name("%E5%B1%B1%E3%81%AE%E9%9F%B3") == "山の音"


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_is_no_name_stays_as_it_is(text: str) -> None:
    assert decode_name(text) == text


def test_wrong_escapes_do_not_spoil_the_rest() -> None:
    assert decode_name("100%+caf%C3%A9") == "100% café"


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("anna", "A"),
        (" anna", "A"),
        ("Ålesund", "A"),
        ("ß", OTHER_SCRIPTS),
        ("Ünal", "U"),
        ("42", SIGNS),
        ("-maria-", SIGNS),
        ("🌸", SIGNS),
        ("山の音", OTHER_SCRIPTS),
        ("צילום", OTHER_SCRIPTS),
        ("", SIGNS),
    ],
)
def test_sections(name: str, section: str) -> None:
    assert section_of(name) == section


def test_order() -> None:
    names = ["山", "zoë", "Zoe", "bob", "Ålesund", "anna", "Bea", "=x", "7"]
    assert sorted(names, key=sort_key) == [
        *("7", "=x", "Ålesund", "anna", "Bea", "bob", "Zoe", "zoë", "山")
    ]
