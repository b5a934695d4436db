"""An index that is not of the files that are there, or not what was saved, is not believed."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pass_dataset import PassArchive
from pass_dataset.archives import index as archives
from pass_dataset.archives.saved_index import read_index
from pass_dataset.errors import FolderError
from pass_dataset.files.arrow import map_file, save_batch
from pass_dataset.folders.state import INDEX_NAME
from tests.support.collection import Collection, jpeg, write_tar


def right(folder: Path, collection: Collection) -> bool:
    archive = PassArchive(folder, collection.tsv)
    return [record.jpeg for record in archive] == [jpeg(n) for n in range(15)] and [
        record.hash for record in archive
    ] == collection.hashes


@pytest.fixture
def saved(collection: Collection) -> Path:
    collection.describe()
    assert right(collection.folder, collection)
    return collection.folder / INDEX_NAME


def forged(path: Path, change: Callable[[dict[str, list[Any]], dict[str, Any]], None]) -> None:
    """An index that says something else, with a right checksum."""
    batch = map_file(path).get_batch(0)
    columns = batch.to_pydict()
    meta = json.loads(batch.schema.metadata[b"pass_dataset"])
    change(columns, meta)
    schema = batch.schema.with_metadata({b"pass_dataset": json.dumps(meta).encode()})
    path.unlink()
    save_batch(path, pa.RecordBatch.from_pydict(columns, schema=schema))


def test_one_flipped_bit(saved: Path, collection: Collection) -> None:
    content = saved.read_bytes()
    chance = random.Random(5)
    for _ in range(25):
        flipped = bytearray(content)
        flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        saved.unlink()
        saved.write_bytes(flipped)
        assert right(collection.folder, collection)


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("size_bytes", 1 << 60, "behind the end"),
        ("size_bytes", -5, "less than no bytes"),
        ("offset", 0, "before the beginning"),
        ("offset", 1 << 62, "behind the end"),
        ("tar", 9, "there are none of"),
        ("by_hash", 15, "there are none of"),
        ("by_hash", -1, "there are none of"),
    ],
)
def test_places_that_are_none(
    saved: Path,
    collection: Collection,
    caplog: pytest.LogCaptureFixture,
    column: str,
    value: int,
    why: str,
) -> None:
    def change(columns: dict[str, list[Any]], meta: dict[str, Any]) -> None:
        columns[column][3] = value

    forged(saved, change)
    with caplog.at_level(logging.WARNING):
        assert right(collection.folder, collection)
    assert why in caplog.text


def test_tars_outside_of_the_folder(saved: Path, collection: Collection, tmp_path: Path) -> None:
    """What lies there would be handed out as an image, and get into exports."""
    (tmp_path / "secret").write_bytes(b"TOP SECRET" * 2000)

    def change(columns: dict[str, list[Any]], meta: dict[str, Any]) -> None:
        meta["summary"]["tars"][0] = "../secret"
        files = meta["fingerprint"]["files"]
        files["../secret"] = files["PASS.0.tar"]

    forged(saved, change)
    with pytest.raises(FolderError, match=r"'\.\./secret' is no tar of"):
        read_index(saved, collection.archives(collection.describe()).release)
    assert right(collection.folder, collection)


def test_a_copy_with_its_times_keeps_its_index(
    saved: Path, collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As rsync -a makes it, and as other rights leave it."""
    monkeypatch.setattr(archives, "build_index", None)
    copy = tmp_path / "copy"
    shutil.copytree(collection.folder, copy)
    assert (copy / saved.name).stat().st_ino != saved.stat().st_ino
    assert right(copy, collection)
    collection.tar(0).chmod(0o600)
    assert right(collection.folder, collection)


def test_other_images_under_the_same_size_and_time(saved: Path, collection: Collection) -> None:
    tar = collection.tar(1)
    before = tar.stat()
    names = {collection.name(n): jpeg(n) for n in (5, 7, 6, 8, 9)}
    write_tar(tar, names)
    os.utime(tar, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert tar.stat().st_size == before.st_size
    archive = PassArchive(collection.folder, collection.tsv)
    assert {record.hash: record.jpeg for record in archive} == {
        one: jpeg(n) for n, one in enumerate(collection.hashes)
    }


def test_files_that_change_while_they_are_indexed(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.describe()
    build, times = archives.build_index, []

    def beside(*given: Any, **named: Any) -> Any:
        index = build(*given, **named)
        times.append(len(times) + 5)
        if len(times) < limit:
            os.utime(collection.tar(0), ns=(times[-1], times[-1]))
        return index

    monkeypatch.setattr(archives, "build_index", beside)
    limit = 2
    assert right(collection.folder, collection)
    assert len(times) == 2
    (collection.folder / INDEX_NAME).unlink()
    limit = 99
    with pytest.raises(archives.ArchiveReplacedError, match="are being changed while"):
        PassArchive(collection.folder, collection.tsv)


def test_beside_read_only_archives_and_in_the_cache(
    saved: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one beside is of the time before; that in the user's cache is taken then."""
    may = os.access
    monkeypatch.setattr(
        os,
        "access",
        lambda path, mode: (
            not (mode & os.W_OK and Path(path) == collection.folder) and may(path, mode)
        ),
    )
    os.utime(collection.tar(0), ns=(7, 7))
    content = saved.read_bytes()
    assert right(collection.folder, collection)
    monkeypatch.setattr(archives, "build_index", None)
    assert right(collection.folder, collection)
    assert saved.read_bytes() == content
