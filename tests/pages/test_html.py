"""HTML of pages: text stays text."""

from __future__ import annotations

from pass_dataset.pages.html import Picture, code, escape, image, join, table
from tests.support.markup import ParsedPage

HOSTILE = "<script>alert('x')</script>\"onload=\"x&amp;"


def test_text_stays_text() -> None:
    picture = Picture("image/webp", b"RIFF", (8, 6))
    page = ParsedPage(
        join(
            [
                code(HOSTILE),
                image(picture, HOSTILE, scale=0.5),
                table([HOSTILE], [[escape(HOSTILE)]], {0}, caption=HOSTILE),
            ]
        )
    )
    assert {tag for tag, _ in page.tags} <= {
        *("code", "img", "div", "table", "caption", "thead", "tbody", "tr", "th", "td")
    }
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    for tag in ("code", "caption", "th", "td"):
        assert page.text(tag) == HOSTILE
    (attributes,) = [attributes for tag, attributes in page.tags if tag == "img"]
    assert attributes["alt"] == HOSTILE
    assert (attributes["width"], attributes["height"]) == ("4", "3")


def test_lone_surrogates_can_be_written() -> None:
    """As names of files have them that are no UTF-8."""
    text = escape(b"caf\xe9".decode(errors="surrogateescape"))
    assert text.encode() == rb"caf\udce9"


def test_table() -> None:
    page = ParsedPage(table(("Name", "Count"), [(escape("a"), escape("1"))], {1}))
    assert page.text("th") == "Name Count"
    assert [a.get("class") for tag, a in page.tags if tag in ("th", "td")] == [
        *(None, "number"),
        *(None, "number"),
    ]
    assert all(a["scope"] == "col" for tag, a in page.tags if tag == "th")
    assert "caption" not in {tag for tag, _ in page.tags}
