from __future__ import annotations

import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest

from pass_dataset.errors import SourceError
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.sources.path_forms import PathForm


def test_paths_and_hashes(tmp_path: Path) -> None:
    listed = tmp_path / "out.txt"
    listed.write_bytes(
        b"a/b.jpg\r\n\ncaf\xe9.jpg\n\\new\\nline.jpg\n" + b"AB" * 32 + b"\nsha256:" + b"cd" * 32
    )
    found = Exclusions.load(listed)
    assert found.paths == {"a/b.jpg", "\\caf\\xe9.jpg", "\\new\\nline.jpg"}
    assert found.hashes == {"ab" * 32, "cd" * 32}
    assert len(found) == 5


def test_list_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.txt: No such file"):
        Exclusions.load(tmp_path / "none.txt")


SUM = "ab" * 32
NAME = "caf\u00e9/b c.jpg"
ROOT = b"/data/photos"
FORMS = {
    "as it is": NAME,
    "dot": f"./{NAME}",
    "slashes": "caf\u00e9//b c.jpg",
    "absolute": f"/data/photos/{NAME}",
    "absolute, untidy": f"//data/./photos//{NAME}",
    "address": "file:///data/photos/caf%C3%A9/b%20c.jpg",
    "blanks": f"{NAME} \t",
    "NFD": unicodedata.normalize("NFD", NAME),
    "sha256sum": f"{SUM}  ./{NAME}",
    "sha256sum -b": f"{SUM} *{NAME}",
    "sha256sum --tag": f"SHA256 ({NAME}) = {SUM}",
    "md5sum": f"{SUM[:32]}  {NAME}",
    "escaped": "\\caf\\xc3\\xa9/b c.jpg",
}


@pytest.mark.parametrize("line", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\0"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_spellings(tmp_path: Path, line: str, end: str, encoding: str) -> None:
    if end == "\0" and line.startswith("\\"):
        pytest.skip("nothing is escaped there")
    listed = tmp_path / "out.txt"
    listed.write_bytes((line + end).encode(encoding))
    found = Exclusions.load(listed, PathForm((ROOT,)))
    assert found.has_path(NAME)
    assert found.has_path(unicodedata.normalize("NFD", NAME))
    assert found.has_path(f"/data/photos/{NAME}")
    assert not found.has_path("b c.jpg")
    assert found.hashes == ({SUM} if SUM in line else set())
    column = pa.array([NAME, unicodedata.normalize("NFD", NAME), f"./{NAME}", "other.jpg"])
    forms = found.form.of_column(column).to_pylist()
    assert [form in found.paths for form in forms] == [True, True, True, False]


def test_images_of_an_archive_folder_are_known_by_their_hash(tmp_path: Path) -> None:
    listed = tmp_path / "out.txt"
    listed.write_text("PASS_dataset/0/aa.jpg\nbb\nPASS.1.tar/cc.jpg\n")
    found = Exclusions.load(listed, PathForm(by_hash=True))
    assert all(found.has_path(f"PASS.3.tar/{name}.jpg") for name in ("aa", "bb", "cc"))
    assert not found.has_path("PASS.3.tar/dd.jpg")


@pytest.mark.parametrize("content", [b"", b"\n \n", b"# by e-mail\n", bytes(99)])
def test_list_that_names_nothing(tmp_path: Path, content: bytes) -> None:
    listed = tmp_path / "out.txt"
    listed.write_bytes(content)
    with pytest.raises(SourceError, match="found no image named in it"):
        Exclusions.load(listed)
    assert not Exclusions.load(listed, may_be_empty=True).lines


def test_comments_may_be_names(tmp_path: Path) -> None:
    listed = tmp_path / "out.txt"
    listed.write_text("# by e-mail\n#1.jpg\na.jpg\n")
    found = Exclusions.load(listed)
    assert found.has_path("#1.jpg")
    assert [line.text for line in found.lines] == ["a.jpg"]
