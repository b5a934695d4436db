"""Templates: text stays text, whoever writes it; a name that is not given is an error."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import jinja2
import pytest
from markupsafe import Markup

import pass_dataset
from pass_dataset.pages.picture import Picture
from pass_dataset.pages.template import render, render_pieces
from tests.support.markup import ParsedPage

HOSTILE = "<script>alert('x')</script>\"onload=\"x&amp;{{ title }}"

#: A template's text, and its fields, to what it makes.
Fill = Callable[[str, Mapping[str, object]], Markup]

PIECES = """
{% from "pieces.html" import image, link, pairs, table %}
<code>{{ name }}</code>
{{ image(picture, name, 0.5) }}
{{ link("https://example.org/" ~ name, name) }}
<dl>{{ pairs([(name, name)]) }}</dl>
{% call table([name], (0,), name) %}<tr><td class="number">{{ name }}</td></tr>{% endcall %}
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package for templates; each has its own name, as Python imports a name once."""
    folder = tmp_path / f"pages_of_{tmp_path.name}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return folder


@pytest.fixture
def fill(package: Path) -> Fill:
    numbers = itertools.count()

    def filled(text: str, fields: Mapping[str, object]) -> Markup:
        # Templates too are read once.
        path = package / f"{next(numbers)}.html"
        path.write_text(text, encoding="utf-8")
        return render(package.name, path.name, fields)

    return filled


def test_text_stays_text(fill: Fill) -> None:
    picture = Picture("image/webp", b"RIFF", (8, 6))
    page = ParsedPage(fill(PIECES, {"name": HOSTILE, "picture": picture}))
    assert [tag for tag, _ in page.tags] == [
        *("code", "img", "a", "dl", "dt", "dd"),
        *("div", "table", "caption", "thead", "tr", "th", "tbody", "tr", "td"),
    ]
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    for tag in ("code", "a", "dt", "dd", "caption", "th", "td"):
        assert page.text(tag) == HOSTILE
    (attributes,) = [attributes for tag, attributes in page.tags if tag == "img"]
    assert attributes["alt"] == HOSTILE
    assert (attributes["width"], attributes["height"]) == ("4", "3")


def test_markup_is_not_escaped_again(fill: Fill) -> None:
    inner = fill("<b>{{ name }}</b>", {"name": "<"})
    assert inner == fill("{{ inner }}", {"inner": inner}) == "<b>&lt;</b>"


def test_lone_surrogates_can_be_written(fill: Fill) -> None:
    """As names of files have them that are no UTF-8."""
    name = b"caf\xe9".decode(errors="surrogateescape")
    assert fill("{{ name }}", {"name": name}).encode() == rb"caf\udce9"


def test_what_is_not_given_is_an_error(fill: Fill) -> None:
    with pytest.raises(jinja2.UndefinedError, match="title"):
        fill("{{ title }}", {})


def test_neighbours_and_shared_templates(package: Path, fill: Fill) -> None:
    (package / "pieces.html").write_text("{% macro own() %}own{% endmacro %}")
    (package / "part.html").write_text('{% from "./pieces.html" import own %}{{ own() }}{{ name }}')
    page = '{% from "pieces.html" import link %}{% include "./part.html" %}{{ link("#", "all") }}'
    assert fill(page, {"name": ":"}) == 'own:<a href="#" rel="noopener">all</a>'
    with pytest.raises(FileNotFoundError, match="nowhere"):
        fill('{% include "./nowhere.html" %}', {})


def test_words(fill: Fill) -> None:
    shown = fill('{{ 1234567 | number }} {{ count(1, "image", "images") }} {{ share(1, 8) }}', {})
    assert shown == "1,234,567 1 image 12.5\u00a0%"


def test_pieces_come_as_the_page_goes_on(package: Path) -> None:
    (package / "long.html").write_text("{% for row in rows %}{{ row }}<br>{% endfor %}")
    taken = []

    def rows() -> Iterator[int]:
        for number in range(100_000):
            taken.append(number)
            yield number

    pieces = render_pieces(package.name, "long.html", {"rows": rows()})
    first = next(pieces)
    assert first.startswith("0<br>1<br>")
    assert len(taken) < 1000
    assert (first + "".join(pieces)).count("<br>") == 100_000


def test_table(fill: Fill) -> None:
    call = '{% call table(("Name", "Count"), (1,)) %}{% endcall %}'
    page = ParsedPage(fill('{% from "pieces.html" import table %}' + call, {}))
    assert page.text("th") == "Name Count"
    headers = [attributes for tag, attributes in page.tags if tag == "th"]
    assert headers == [{"scope": "col"}, {"scope": "col", "class": "number"}]
    assert "caption" not in {tag for tag, _ in page.tags}


def test_no_template_trusts_text() -> None:
    """What is to stay as it is comes as `Markup`, made by a template."""
    templates = sorted(Path(pass_dataset.__file__).parent.rglob("*.html"))
    assert len(templates) > 20
    for path in templates:
        assert not re.search(r"\|\s*safe\b|\bautoescape\b", path.read_text("utf-8")), path
