from __future__ import annotations

from pathlib import Path

import pytest

from pass_dataset import PassArchive
from pass_dataset.archives.hash_lists import is_hash, parse_hash_list, read_hash_list
from pass_dataset.errors import MetadataError
from tests.support.collection import Collection

ONE, TWO = "ffd3eb12a16cb83138f26e6f36dec967", "12345678901234567890123456789"


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "kept.txt"
    path.write_text(f"\ufeff# kept\n\n {ONE}\r\nPASS_dataset/0/{TWO}.jpg\n{ONE}.jpeg\n")
    assert read_hash_list(path).to_pylist() == [ONE, TWO, ONE]
    path.write_text("")
    assert read_hash_list(path).to_pylist() == []


@pytest.mark.parametrize("line", ["hello", ONE[:15], ONE + "0", ONE.upper(), f"{ONE},1"])
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
        parse_hash_list("hello", "here")
    assert all(map(is_hash, (ONE, TWO, ONE[:16], ONE[:24])))
    assert not any(map(is_hash, (ONE.upper(), ONE[:15], f"{ONE}0", f"{ONE}\n", "kept.txt")))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
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
