from __future__ import annotations

import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest

from pass_dataset import PassArchive
from pass_dataset.archives.hash_lists import (
    is_hash,
    line_of,
    odd_names,
    parse_hash_list,
    read_hash_list,
    resolve,
    spellings,
    unmatched,
    with_spellings,
)
from pass_dataset.errors import MetadataError
from tests.support.collection import Collection

ONE, TWO = "ffd3eb12a16cb83138f26e6f36dec967", "12345678901234567890123456789"


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "kept.txt"
    path.write_text(f"\ufeff# kept\n\n {ONE}\r\nPASS_dataset/0/{TWO}.jpg\n{ONE}.jpeg\n")
    assert read_hash_list(path).to_pylist() == [ONE, TWO, ONE]
    path.write_text("")
    assert read_hash_list(path).to_pylist() == []


@pytest.mark.parametrize(
    "line", [f"{ONE},1", f"{ONE} {TWO}", f"C:\\x\\{ONE}.jpg", "a/.jpg", "\x1b[31m", "\\a\\q"]
)
def test_other_lines_are_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "kept.txt"
    path.write_text(f"{ONE}\n{line}\n")
    with pytest.raises(MetadataError) as caught:
        read_hash_list(path)
    assert str(path) in str(caught.value)
    assert repr(line) in str(caught.value)


def test_text() -> None:
    assert parse_hash_list(f"{ONE}\n", "here").to_pylist() == [ONE]
    with pytest.raises(MetadataError, match="here: expected a hash"):
        parse_hash_list(f"{ONE};1", "here")
    assert all(map(is_hash, (ONE, TWO, ONE[:16], ONE[:24])))
    assert not any(map(is_hash, (ONE.upper(), ONE[:15], f"{ONE}0", f"{ONE}\n", "kept.txt")))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xff\x00")
    for name in ("binary", "nothing"):
        with pytest.raises(MetadataError, match=name):
            read_hash_list(tmp_path / name)


def test_views_by_hash(collection: Collection) -> None:
    archive = PassArchive(collection.folder, collection.tsv)
    chosen = [collection.hashes[number] for number in (9, 2, 4)]
    kept = archive.keeping([*chosen, ONE])
    assert [record.hash for record in kept] == [collection.hashes[n] for n in (2, 4, 9)]
    rest = archive.leaving_out([*chosen, ONE])
    assert {record.hash for record in rest} == set(collection.hashes) - set(chosen)
    assert len(rest) == 12
    # Of a view, in its order.
    backwards = archive[::-1].keeping(chosen)
    assert [record.hash for record in backwards] == [collection.hashes[n] for n in (9, 4, 2)]
    assert chosen[0] in kept
    assert chosen[0] not in rest
    assert len(archive.keeping([])) == 0
    assert len(archive.leaving_out([])) == 15


# --- however it was written -----------------------------------------------------------------------

SUM = "ab" * 32
FORMS = {
    "mark": f"\ufeff{ONE}\n",
    "Windows": f"{ONE}.jpg\r\n",
    "old Mac": f"{ONE}.jpg\r",
    "blanks": f"\t {ONE}.jpg \t\n",
    "absolute": f"/data/pass/PASS_dataset/0/{ONE}.jpg\n",
    "dot": f"./{ONE}.jpg\n",
    "address": f"file:///data/{ONE}.jpg\n",
    "sha256sum": f"{SUM}  PASS_dataset/0/{ONE}.jpg\n",
    "sha256sum -b": f"{SUM} *{ONE}.jpg\n",
    "sha256sum, escaped": f"\\{SUM}  a\\nb/{ONE}.jpg\n",
    "sha256sum --tag": f"SHA256 (0/{ONE}.jpg) = {SUM}\n",
    "md5sum": f"{SUM[:32]}  {ONE}.jpg\n",
    "md5sum --tag": f"MD5 (0/{ONE}.jpg) = {SUM[:32]}\n",
    "find -print0": f"./0/{ONE}.jpg\0",
    "capitals": f"{ONE.upper()}.JPG\n",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_forms(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(text.removeprefix("\ufeff").encode(encoding))
    found = read_hash_list(path)
    known = pa.array([TWO, ONE])
    assert resolve(found, known).to_pylist() == [ONE]
    assert unmatched(found, known) == []
    assert ONE in with_spellings(found)


def test_names_of_an_own_collection() -> None:
    found = parse_hash_list("birds_0001.jpg\nMüller 3\na/b.c\n0001\n.hidden\n", "here")
    assert found.to_pylist() == ["birds_0001", "Müller 3", "b.c", "0001", ".hidden"]
    # A short number is no hash, and has no zeros to lose.
    assert with_spellings(pa.array(["0001"])) == {"0001"}
    decomposed = unicodedata.normalize("NFD", "Müller 3")
    assert unmatched(found, pa.array([decomposed, "0001"])) == ["birds_0001", "b.c", ".hidden"]
    assert odd_names(pa.array([ONE, TWO.upper(), "0001", ONE[:15]])).to_pylist() == [
        "0001",
        ONE[:15],
    ]


def test_spellings() -> None:
    # A sum as it is printed elsewhere: of each byte the leading zero goes.
    assert "f1a0" + "1b" * 13 in spellings("0f1a00" + "1b" * 13)
    assert spellings(ONE) == [ONE]
    assert spellings("0" * 32) == ["0" * 32, "0" * 16]


@pytest.mark.parametrize("name", ["#1", "x.jpg", "a ", "\\b", ONE, "ü"])
def test_what_is_written_is_read(name: str) -> None:
    assert parse_hash_list(line_of(name), "here").to_pylist() == [name]


def test_torch_tells_which_lines_name_nothing(
    collection: Collection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torch = pytest.importorskip("pass_dataset.torch")
    path = tmp_path / "kept.txt"
    path.write_text(f"{SUM}  {collection.hashes[3].upper()}.jpg\nnone\n")
    found = torch.PASS(collection.folder, release=collection.tsv, keep=path)
    assert len(found) == 1
    assert "1 line names no image among the 15" in caplog.text
    assert "'none'" in caplog.text
