"""The files about the project agree with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pass_dataset import __version__

ROOT = Path(__file__).parent.parent.parent


def test_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d$", text, re.MULTILINE)


def test_citation() -> None:
    yaml = pytest.importorskip("yaml")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == __version__
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert f"[{__version__}] - {cited['date-released']}" in changelog
    paper = cited["preferred-citation"]
    assert paper["title"] in (ROOT / "docs" / "licence.md").read_text()
    assert [author["family-names"] for author in paper["authors"]] == [
        "Asano",
        "Rupprecht",
        "Zisserman",
        "Vedaldi",
    ]


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_pictures_are_small() -> None:
    for path in (ROOT / "docs" / "images").iterdir():
        assert path.stat().st_size < 150_000, path


def test_every_page_is_in_the_navigation() -> None:
    listed = (ROOT / "mkdocs.yml").read_text()
    for page in (ROOT / "docs").rglob("*.md"):
        assert page.relative_to(ROOT / "docs").as_posix() in listed


@pytest.mark.parametrize("room", sorted(path.name for path in (ROOT / "pass_dataset").iterdir()))
def test_architecture_names_every_room(room: str) -> None:
    if room.startswith("__") or room == "py.typed":
        return
    name = room.removesuffix(".py")
    assert re.search(rf"^ *{name}(/| )", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
