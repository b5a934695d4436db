"""Links inside the repository lead somewhere: files, and headings in them. No network is asked.

`zensical build --strict` checks the links between pages of the site; here are the Markdown files at
the root, which are not on the site, and the pages as one reads them in the repository.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FILES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]

_CODE = re.compile(r"^( *)```.*?^\1```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_HTML_LINK = re.compile(r"(?:src|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} +(.+?)(?: +\{ *#([\w.-]+) *\})? *$", re.MULTILINE)
#: Objects of the reference, whose anchors mkdocstrings makes of their names.
_OBJECT = re.compile(r"^::: +([\w.]+)", re.MULTILINE)
#: Made by `make docs`.
_MADE = re.compile(r"docs/(reference/commands|notebooks/[\w-]+)\.md$")


def targets(path: Path) -> list[str]:
    text = _CODE.sub("", path.read_text())
    found = [*_LINK.findall(text), *_HTML_LINK.findall(text)]
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(path: Path) -> set[str]:
    text = re.sub(r"^( *)```.*?^\1```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    made = {given or slug(heading) for heading, given in _HEADING.findall(text)}
    return made | set(_OBJECT.findall(text))


def slug(heading: str) -> str:
    """As both GitHub and Python-Markdown make it, for headings of words."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links(path: Path) -> None:
    broken = []
    for target in targets(path):
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if _MADE.search(file.as_posix()) and not file.exists():
            continue
        if not file.exists():
            broken.append(f"{target}: no such file")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file):
            broken.append(f"{target}: no such heading")
    assert not broken, "\n".join(broken)


def test_broken_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One `two`\n\n[a](#one-two) [b](gone.md) `[c](code.md)`\n")
    assert targets(page) == ["#one-two", "gone.md"]
    assert anchors(page) == {"one-two"}
