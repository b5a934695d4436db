"""Lists of files as sources: whichever program wrote them, the files are found."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from pass_dataset.errors import SourceError
from pass_dataset.passify.sources.list_file import ListFile
from pass_dataset.passify.sources.names import text_to_name
from pass_dataset.passify.sources.source import ListingReport

SUM = "ab" * 32
NAME = "caf\u00e9/b c.jpg"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with an image whose name has an accent and a blank."""
    path = tmp_path / "photos" / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(b"image")
    return tmp_path / "photos"


def read(content: bytes, root: Path) -> list[bytes]:
    """The images of a list, all of which can be read."""
    listed = root.parent / "list.txt"
    listed.write_bytes(content)
    source = ListFile(os.fsencode(listed), os.fsencode(root))
    items = source.items(ListingReport())
    return [(root / os.fsdecode(text_to_name(item.path))).read_bytes() for item in items]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
@pytest.mark.parametrize(
    "line",
    [
        NAME,
        f"./{NAME}",
        f"{NAME}  ",
        unicodedata.normalize("NFD", NAME),
        f"{SUM}  {NAME}",
        f"{SUM} *./{NAME}",
        f"SHA256 ({NAME}) = {SUM}",
    ],
)
def test_forms(root: Path, line: str, end: str, encoding: str) -> None:
    assert read((line + end).encode(encoding), root) == [b"image"]


def test_absolute_paths_and_addresses(root: Path) -> None:
    path = root / NAME
    assert read(f"{path}\n{path.as_uri()}\n".encode(), root) == [b"image"] * 2


def test_comments_and_names_that_look_so(root: Path) -> None:
    (root / "#1.jpg").write_bytes(b"one")
    (root / "a.jpg ").write_bytes(b"blank")
    assert read(b"# by e-mail\n#1.jpg\na.jpg \n", root) == [b"one", b"blank"]


def test_lines_that_name_no_file(root: Path) -> None:
    listed = root.parent / "list.txt"
    listed.write_text(f"{SUM}\nnone.jpg \n")
    report = ListingReport()
    source = ListFile(os.fsencode(listed), os.fsencode(root))
    # One that is not there is an image that cannot be read, and named as such.
    assert [item.path for item in source.items(report)] == ["none.jpg "]
    assert report.unreadable == ["line 1: a checksum names no file to be read"]
    listed.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match=r"list\.txt: cannot be read as text"):
        list(source.items(report))
