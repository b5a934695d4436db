"""Folders cleared of images: nothing of them is left, or it is named and the command fails."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pass_dataset import PassArchive
from pass_dataset.archives.removals import RemovalList
from pass_dataset.builds.clearing import Clearing, clear
from pass_dataset.builds.purging.mentions import Mentions
from pass_dataset.commands.main import main
from pass_dataset.errors import FolderError
from pass_dataset.files.cache import user_cache
from pass_dataset.folders.lock import hold
from pass_dataset.folders.state import INDEX_NAME
from pass_dataset.parquet.build import ParquetBuild
from tests.support.collection import Collection, jpeg


@pytest.fixture
def one(collection: Collection) -> str:
    return collection.hashes[1]


def cleared(folder: Path, one: str, **options: bool) -> Clearing:
    return clear(folder, RemovalList(frozenset([one])), **options)


def holding(folder: Path, one: str) -> list[str]:
    """Files with the image's bytes or its name."""
    jpegs = jpeg(1)[:100]
    return sorted(
        path.name
        for path in folder.rglob("*")
        if path.is_file()
        and (jpegs in (data := path.read_bytes()) or one.encode() in data or one in path.name)
        and path.name not in ("pass_removals.txt", "pass_purge_receipt.json")
    )


@pytest.fixture
def folder(collection: Collection) -> Path:
    shutil.copy(collection.tsv, collection.folder / "mine.tsv")
    return collection.folder


# --- what is deleted ------------------------------------------------------------------------------


def test_what_a_cut_download_left(folder: Path, collection: Collection, one: str) -> None:
    data = collection.tar(0).read_bytes()
    (folder / "PASS.0.tar.part").write_bytes(data[:-2000])
    (folder / "PASS.2.tar.part").write_bytes(collection.tar(2).read_bytes()[:-2000])
    # Of a process that is gone.
    (folder / f".PASS.0.tar.{os.uname().nodename}.4999999.0123abcd.part").write_bytes(data)
    done = cleared(folder, one)
    assert done.is_clear
    assert [found.leftover.path.name for found in done.leftovers] == ["PASS.0.tar.part"]
    assert holding(folder, one) == []
    # It has none of the images, and the download goes on with it.
    assert (folder / "PASS.2.tar.part").exists()


@pytest.mark.parametrize("name", [".building", "incomplete.x", "x.incomplete", "x.incompleteA0"])
def test_a_build_that_was_cut(name: str, tmp_path: Path, collection: Collection, one: str) -> None:
    data = tmp_path / "out" / name / "data"
    data.mkdir(parents=True)
    shutil.copy(collection.tar(0), data / "train-0.tar")
    other = tmp_path / "out" / "deeper" / name
    other.mkdir(parents=True)
    shutil.copy(collection.tar(1), other / "train-0.tar")
    assert cleared(tmp_path / "out", one, dry_run=True).leftovers[0].images == 1
    assert data.exists()
    assert cleared(tmp_path / "out", one).is_clear
    assert not data.parent.exists()
    assert other.exists()


def test_a_build_at_work_is_left_and_told(tmp_path: Path, collection: Collection, one: str) -> None:
    data = tmp_path / "out" / "incomplete.x" / "data"
    data.mkdir(parents=True)
    shutil.copy(collection.tar(0), data / "train-0.tar")
    with hold(tmp_path / "out"), ThreadPoolExecutor(1) as somebody_else:
        done = somebody_else.submit(cleared, tmp_path / "out", one).result()
    assert not done.is_clear
    assert "in use" in (done.leftovers[0].kept or "")
    assert data.exists()


def test_metadata_that_streaming_keeps(tmp_path: Path, collection: Collection, one: str) -> None:
    kept = tmp_path / "cache" / "streaming"
    kept.mkdir(parents=True)
    shutil.copy(collection.csv, kept)
    table = pa.table({"hash": sorted(collection.hashes)})
    with pa.ipc.new_file(str(kept / "pass_metadata.arrow"), table.schema) as file:
        file.write_table(table)
    assert cleared(tmp_path / "cache", one).is_clear
    assert not list(kept.glob("pass_metadata*"))


def test_this_users_cache(folder: Path, one: str) -> None:
    """An index of a time when the folder was read-only, and metadata fetched for credits."""
    copy = user_cache("folders") / "0123456789abcdef"
    metadata = user_cache("metadata") / "1.0.0"
    for place in (copy, metadata):
        place.mkdir(parents=True)
    PassArchive(folder)
    shutil.copy(folder / INDEX_NAME, copy)
    shutil.copy(folder / "pass_metadata.csv", metadata)
    assert cleared(folder, one).is_clear
    assert not (copy / INDEX_NAME).exists()
    assert list(metadata.iterdir()) == []


# --- what is named --------------------------------------------------------------------------------


def _packed(path: Path, data: bytes, one: str) -> None:
    """The data in a file as its ending says."""
    kind = path.suffix
    if kind == ".gz":
        path.write_bytes(gzip.compress(data))
    elif kind == ".bz2":
        path.write_bytes(bz2.compress(data))
    elif kind == ".xz":
        path.write_bytes(lzma.compress(data))
    elif kind == ".zst":
        path.write_bytes(pa.compress(data, "zstd", asbytes=True))
    elif kind == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.tar", data)
    elif kind == ".parquet":
        pq.write_table(pa.table({"image": [{"path": f"a/{one}.jpg"}]}), path)
    elif kind == ".arrow":
        table = pa.table({"key": ["x", f" {one.upper()} "]})
        with pa.ipc.new_stream(str(path), table.schema) as file:
            file.write_table(table)
    else:
        path.write_bytes(data)


@pytest.mark.parametrize(
    "kind", ["bak", "gz", "bz2", "xz", "zst", "zip", "parquet", "arrow", "by name"]
)
def test_files_of_ones_own(kind: str, folder: Path, collection: Collection, one: str) -> None:
    (folder / "old").mkdir()
    path = folder / "old" / (f"{one}.jpg" if kind == "by name" else f"copy.{kind}")
    _packed(path, b"no image" if kind == "by name" else collection.tar(0).read_bytes(), one)
    (folder / "old" / "kept.txt").write_text(f"{one}\n")
    done = cleared(folder, one)
    assert not done.is_clear
    assert list(done.remains.found) == [path]
    path.unlink()
    assert cleared(folder, one).is_clear


def test_what_cannot_be_looked_into(folder: Path, one: str) -> None:
    (folder / "cut.gz").write_bytes(gzip.compress(os.urandom(5000))[:900])
    done = cleared(folder, one)
    assert list(done.remains.closed) == [folder / "cut.gz"]
    assert not done.is_clear


def test_the_command(
    folder: Path, collection: Collection, one: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    listed = tmp_path / "gone.txt"
    listed.write_text(f"{one}\n")
    shutil.copy(collection.tar(0), folder / "PASS.0.tar.bak")
    assert main(["purge", "--list", str(listed), "--dry-run", str(folder)]) == 0
    assert "would be deleted" in capsys.readouterr().out
    assert main(["purge", "--list", str(listed), str(folder)]) == 1
    said = capsys.readouterr()
    assert f"STILL THERE: {folder / 'PASS.0.tar.bak'}" in said.out
    assert "not all of it is gone" in said.err
    (folder / "PASS.0.tar.bak").unlink()
    # Again: what could not be said before can be said now.
    assert main(["purge", "--list", str(listed), str(folder)]) == 0
    assert holding(folder, one) == []
    with pytest.raises(FolderError, match="expected archives"):
        cleared(_empty(tmp_path), one)
    with pytest.raises(FolderError, match="no list"):
        clear(_empty(tmp_path, "PASS.0.tar.part"), RemovalList())


def _empty(tmp_path: Path, *names: str) -> Path:
    folder = tmp_path / f"with {len(names)}"
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    return folder


def test_a_build_of_a_removed_image_that_was_cut_is_not_in_the_way(
    collection: Collection, one: str, tmp_path: Path
) -> None:
    """What is left of it goes, and the same build begins anew."""
    out = tmp_path / "export"
    ParquetBuild(out, collection.archives(), workers=1).run()
    (out / "export.json").unlink()
    (out / ".building").mkdir()
    shutil.move(out / "data", out / ".building" / "data")
    assert cleared(out, one).leftovers[0].kept is None
    for left in out.iterdir():
        left.unlink()
    built, is_new = ParquetBuild(
        out, collection.archives(), workers=1, removals=RemovalList(frozenset([one]))
    ).run()
    assert is_new
    assert built.num_examples == 14


# --- how it is looked for -------------------------------------------------------------------------


def test_mentions() -> None:
    long, short = "4e2f7a26a1dfbf165a7e30bdabf7e72a", "12e4503918276645"
    listed = Mentions([long, short, "a_cat-1", "cat"])

    def found(*pieces: bytes) -> set[str]:
        return listed.in_pieces(pieces, lambda amount: None)

    assert found(b"x" * 70 + long[:9].encode(), long[9:].upper().encode()) == {long}
    assert found(f"{short}{long}{short}".encode()) == {long, short}
    assert found((short * 2000).encode()) == {short}
    assert found(b"\xff" + short[:-1].encode() + b"\xff") == set()
    assert found(b'"a_cat-1", cat') == {"a_cat-1"}
    assert found(b"a_cat-12 aa_cat-1") == set()
    assert listed.in_name(f"{long.upper()}.meta.json") == {long}
    assert listed.in_name("cat.jpg") == {"cat"}
    assert listed.in_name("cats.jpg") == set()
