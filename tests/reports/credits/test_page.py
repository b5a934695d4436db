from __future__ import annotations

import pytest

from pass_dataset.reports.credits import Credits, page
from pass_dataset.reports.credits.page import page_pieces
from tests.reports.credits.hostile import NAMES, NO_NAMES
from tests.support.markup import ParsedPage


def read(credits_: Credits) -> ParsedPage:
    return ParsedPage("".join(page_pieces(credits_)))


def test_all_are_named(hostile: Credits) -> None:
    parsed = read(hostile)
    assert sorted(parsed.texts["bdi"]) == sorted([*NAMES, *NO_NAMES, "photographer not known"])
    shown = parsed.text("main")
    assert all(credit.hash in shown for credit in hostile)
    assert "73 photographs by 29 photographers." in parsed.text("header")
    assert "The links below lead to the files" in shown
    links = [attributes["href"] for tag, attributes in parsed.tags if tag == "a"]
    assert {credit.file_url for credit in hostile} <= set(links)
    assert "https://creativecommons.org/licenses/by/2.0/" in links
    assert "https://doi.org/10.5281/zenodo.6615455" in links


def test_says_what_is_missing(hostile: Credits, mixed: Credits) -> None:
    assert [text for text in read(hostile).texts["li"] if "(of" in text] == [
        "title (of all)",
        "page of the photograph (of all)",
        "creator (of 2)",
    ]
    own = read(mixed)
    assert "2 photographs: CC BY 2.0 ; 1 photograph: CC0_1.0 & more (its address is not known)" in (
        own.text("main")
    )
    for what in ("YFCC", "PASS", "asano"):
        assert what not in own.text("main").replace("pass-dataset", "")


def test_nothing_runs_and_nothing_is_fetched(hostile: Credits) -> None:
    parsed = read(hostile)
    tags = {tag for tag, _ in parsed.tags}
    assert not tags & {"script", "iframe", "object", "form", "img"}
    for _, attributes in parsed.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "https:").startswith(("https:", "#", "data:,"))


def test_licence_beside_the_name_where_they_differ(hostile: Credits, mixed: Credits) -> None:
    assert "CC BY 2.0" not in " ".join(read(hostile).texts["ul"])
    assert [text.strip() for text in read(mixed).texts["bdi"]] == ["ann", "ann", "bob"]
    assert "licence not known" in " ".join(read(mixed).texts["ul"])


def test_large_ones_have_numbers_only(hostile: Credits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MOST_LISTED", len(hostile) - 1)
    monkeypatch.setattr(page, "_LONG_ROWS", 5)
    parsed = read(hostile)
    shown = parsed.text("main")
    example, *others = (credit.hash for credit in hostile)
    assert example in shown
    assert not any(image in shown for image in others)
    assert "this page has the numbers only" in shown
    assert "The links below" not in shown
    assert "details" not in parsed.texts
    assert parsed.texts["bdi"].count("NA") == 1
    assert any(attributes.get("class") == "long" for _, attributes in parsed.tags)


def test_empty(hostile: Credits) -> None:
    empty = Credits(hostile.table.slice(0, 0), hostile.source, hostile.release)
    assert "0 photographs by 0 photographers." in read(empty).text("header")
