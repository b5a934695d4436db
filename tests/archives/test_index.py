from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset.archives import index as archives
from pass_dataset.archives import saved_index
from pass_dataset.archives.index import build_index, open_index
from pass_dataset.archives.index_view import IndexView
from pass_dataset.errors import ArchiveError, FolderError, MetadataError
from pass_dataset.folders.state import INDEX_NAME, state_path
from tests.support.collection import HEADER, Collection, image_hash, jpeg, row, write_tar


def test_index_joins_tars_and_metadata(collection: Collection) -> None:
    index = open_index(collection.archives(collection.describe()))
    assert index._table["hash"].to_pylist() == collection.hashes
    assert index._table["tar"].to_pylist() == [0] * 5 + [1] * 5 + [2] * 5
    assert index._table["creator"].to_pylist() == [f"user{n % 5}%3C3" for n in range(15)]
    assert index.summary.images == 15
    assert (index.summary.without_metadata, index.summary.without_image) == (0, 0)
    assert index.summary.folders == 6
    ordered = index._table["hash"].take(index._table["by_hash"]).to_pylist()
    assert ordered == sorted(collection.hashes)


def test_rows_are_found_by_hash(collection: Collection) -> None:
    index = open_index(collection.archives(collection.describe()))
    images = IndexView(index)
    assert [images.position_of(image) for image in collection.hashes] == list(range(15))
    assert [images.position_of(image) for image in ("", "0", "zzz", "ffff")] == [None] * 4


def test_saved_index_is_used(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    release = collection.describe()
    first = open_index(collection.archives(release))
    assert (collection.folder / INDEX_NAME).is_file()
    monkeypatch.setattr(archives, "build_index", None)  # would fail if it were called
    again = open_index(collection.archives(release))
    assert again._table.equals(first._table)
    assert again.summary == first.summary


def test_changed_tar_makes_it_anew(collection: Collection) -> None:
    open_index(collection.archives(collection.describe()))
    write_tar(collection.tar(0), {collection.name(n): jpeg(n, 500) for n in range(5)})
    index = open_index(collection.archives(collection.describe()))
    assert index._table["size_bytes"].to_pylist() == [500] * 5 + [400] * 10


def test_touched_csv_makes_it_anew(collection: Collection) -> None:
    release = collection.describe()
    open_index(collection.archives(release))
    collection.write_csv([HEADER, *(row(n).replace("user", "abcd") for n in range(15))])
    os.utime(collection.csv, ns=(1, 1))
    assert open_index(collection.archives(release))._table["creator"][0].as_py() == "abcd0%3C3"


@pytest.mark.parametrize("content", [b"", b"ARROW1 but not really", None])
def test_broken_index_is_made_anew(
    collection: Collection, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    release = collection.describe()
    open_index(collection.archives(release))
    path = collection.folder / INDEX_NAME
    path.write_bytes(path.read_bytes()[:-500] if content is None else content)
    with caplog.at_level(logging.WARNING):
        assert len(open_index(collection.archives(release))) == 15
    assert "cannot be used" in caplog.text


def test_index_of_another_schema_is_made_anew(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = collection.describe()
    monkeypatch.setattr(saved_index, "_SCHEMA", 0)
    open_index(collection.archives(release))
    before = (collection.folder / INDEX_NAME).stat().st_ino
    monkeypatch.undo()
    open_index(collection.archives(release))
    assert (collection.folder / INDEX_NAME).stat().st_ino != before


def test_parts_that_come_later(collection: Collection) -> None:
    release = collection.describe()
    away = collection.tar(1).rename(collection.folder / "away")
    index = open_index(collection.archives(release))
    assert (index.summary.parts, len(index)) == ((0, 2), 10)
    away.rename(collection.tar(1))
    assert len(open_index(collection.archives(release))) == 15


def test_read_only_folder_keeps_its_index_in_the_cache(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As shared data on a cluster is; root may write anywhere, so the answer is given for it."""
    release = collection.describe()
    may = os.access

    def access(path: Path, mode: int) -> bool:
        return not (mode & os.W_OK and Path(path) == collection.folder) and may(path, mode)

    monkeypatch.setattr(os, "access", access)
    collection.folder.chmod(0o555)
    try:
        open_index(collection.archives(release))
        assert not (collection.folder / INDEX_NAME).exists()
        cached = state_path(collection.folder, INDEX_NAME)
        assert cached.is_file()
        assert collection.folder not in cached.parents
        monkeypatch.setattr(archives, "build_index", None)
        open_index(collection.archives(release))
    finally:
        collection.folder.chmod(0o755)


def test_same_hash_twice(collection: Collection) -> None:
    write_tar(collection.tar(2), {collection.name(3): jpeg(99)})
    with pytest.raises(ArchiveError, match=r"stands twice: in PASS\.0\.tar at byte .*PASS\.2\.tar"):
        open_index(collection.archives(collection.describe()))


def test_image_without_metadata(collection: Collection, caplog: pytest.LogCaptureFixture) -> None:
    collection.write_csv([HEADER, *(row(n) for n in range(14))])
    release = collection.describe()
    with caplog.at_level(logging.WARNING):
        index = build_index(collection.archives(release))
    assert index._table["creator"][14].as_py() is None
    assert index.summary.without_metadata == 1
    assert f"1 images have no row in pass_metadata.csv, the first of them {image_hash(14)}" in (
        caplog.text
    )
    with pytest.raises(ArchiveError, match=rf"1 images .* have no row .*{image_hash(14)}"):
        build_index(collection.archives(release), strict=True)


def test_strict_is_the_rule_for_official_releases(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.write_csv([HEADER, *(row(n) for n in range(14))])
    release = collection.describe()
    monkeypatch.setattr(type(release), "is_official", True)
    with pytest.raises(ArchiveError, match=r"have no row"):
        build_index(collection.archives(release))


def test_number_of_images(collection: Collection) -> None:
    import dataclasses

    release = dataclasses.replace(collection.describe(), num_examples=16)
    with pytest.raises(ArchiveError, match=r"expected the 16 images of pass 1.0.0, found 15"):
        build_index(collection.archives(release), strict=True)


def test_rows_without_an_image_are_counted(collection: Collection) -> None:
    collection.write_csv([HEADER, *(row(n) for n in range(18))])
    assert build_index(collection.archives(collection.describe())).summary.without_image == 3


def test_other_members_are_reported(
    collection: Collection, caplog: pytest.LogCaptureFixture
) -> None:
    members = {f"PASS_dataset/0/{n}.txt": b"x" for n in range(7)}
    write_tar(collection.tar(2), {**members, collection.name(14): jpeg(14)})
    with caplog.at_level(logging.WARNING):
        index = build_index(collection.archives(collection.describe()))
    assert index.summary.others == 7
    assert (
        "PASS.2.tar: 7 members are no .jpg files and are left out: PASS_dataset/0/0.txt"
        in caplog.text
    )


def test_tar_of_another_size(collection: Collection) -> None:
    release = collection.describe()
    with collection.tar(1).open("ab") as file:
        file.write(b"\0" * 512)
    with pytest.raises(ArchiveError, match=r"PASS\.1\.tar: expected 10,240 bytes .* found 10,752"):
        open_index(collection.archives(release))


def test_missing_files(collection: Collection) -> None:
    release = collection.describe()
    for number in range(3):
        collection.tar(number).unlink()
    with pytest.raises(FolderError, match=r"has no tar of pass 1.0.0"):
        open_index(collection.archives(release))
    collection.csv.unlink()
    with pytest.raises(FolderError, match=r"pass_metadata\.csv of pass 1\.0\.0 is missing"):
        open_index(collection.archives(release))


def test_bad_metadata_is_named(collection: Collection) -> None:
    collection.write_csv(["hash,creator", "ab,x"])
    with pytest.raises(MetadataError, match=r"required column 'unickname' is missing"):
        open_index(collection.archives(collection.describe()))


def test_no_images_at_all(collection: Collection) -> None:
    for number in range(3):
        write_tar(collection.tar(number), {})
    index = open_index(collection.archives(collection.describe()))
    assert len(index) == len(open_index(collection.archives(collection.describe()))) == 0
    assert IndexView(index).position_of("ab") is None


def test_two_processes_make_one_index(collection: Collection) -> None:
    collection.describe()
    code = (
        "import sys; from pass_dataset import PassArchive; "
        "print(len(PassArchive(sys.argv[1], sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, str(collection.folder), str(collection.tsv)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate()[0] for process in processes] == [b"15\n"] * 4
    left = {path.name for path in collection.folder.iterdir()}
    assert not [name for name in left if name.endswith(".part")]


def test_fingerprint_is_plain_json(collection: Collection) -> None:
    fingerprint = open_index(collection.archives(collection.describe())).fingerprint
    assert json.loads(json.dumps(fingerprint)) == fingerprint
    assert set(fingerprint["files"]) == {
        "PASS.0.tar",
        "PASS.1.tar",
        "PASS.2.tar",
        "pass_metadata.csv",
    }
