"""Images removed, and archives purged, while a build is at work: it does not end well with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.archives.removals import RemovalList, add_removals
from pass_dataset.builds.catalogue import Format, formats
from pass_dataset.builds.purging.archives import PurgeableArchives
from pass_dataset.builds.purging.purging import purge
from pass_dataset.builds.purging.receipt import PurgeReceipt
from pass_dataset.builds.writing import build as building
from pass_dataset.errors import BuildError, FolderError
from pass_dataset.parquet.build import ParquetBuild
from tests.support.collection import Collection, jpeg

FORMATS = pytest.mark.parametrize("entry", list(formats()), ids=lambda entry: entry.label)


def removed(collection: Collection, one: str) -> None:
    add_removals(collection.folder, [one])


def purged(collection: Collection, one: str) -> None:
    purge(PurgeableArchives(collection.archives()), RemovalList(frozenset([one])))


def touched(collection: Collection, one: str) -> None:
    collection.tar(0).touch()


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Has something done once, when all shards are written."""

    def set_up(action: Callable[[], Any]) -> None:
        todo = [action]
        from pass_dataset.huggingface import archive_builder

        write, tables = building.write_shards, archive_builder.read_tables

        def written(*arguments: Any) -> None:
            write(*arguments)
            if todo:
                todo.pop()()

        def read(*arguments: Any) -> Iterator[Any]:
            yield from tables(*arguments)
            if todo:
                todo.pop()()

        monkeypatch.setattr(building, "write_shards", written)
        monkeypatch.setattr(archive_builder, "read_tables", read)

    return set_up


def found(out: Path) -> list[Path]:
    """Files with the image's bytes."""
    wanted = jpeg(1)[:100]
    return [path for path in out.rglob("*") if path.is_file() and wanted in path.read_bytes()]


@FORMATS
@pytest.mark.parametrize("how", [removed, purged, touched], ids=lambda how: how.__name__)
def test_every_format(
    entry: Format,
    how: Callable[[Collection, str], None],
    meanwhile: Callable[[Callable[[], Any]], None],
    collection: Collection,
    tmp_path: Path,
) -> None:
    one, out = collection.hashes[1], tmp_path / "out" / "build"
    meanwhile(lambda: how(collection, one))
    expected = "put on removal lists" if how is not touched else "changed, while"
    with pytest.raises(BuildError, match=expected):
        entry.export(collection.archives(), out)
    assert found(tmp_path / "out") == []
    # Begun again it is right.
    entry.export(collection.archives(), out)
    assert bool(found(tmp_path / "out")) is (how is touched)


@FORMATS
def test_not_while_a_purge_is_under_way(
    entry: Format, collection: Collection, tmp_path: Path
) -> None:
    receipt = PurgeReceipt(collection.folder)
    receipt.begin(())
    receipt.save()
    with pytest.raises(FolderError, match="is being purged"):
        entry.export(collection.archives(), tmp_path / "out" / "build")


def test_what_was_on_a_list_before_is_no_change(collection: Collection, tmp_path: Path) -> None:
    add_removals(collection.folder, [collection.hashes[1]])
    given = RemovalList(frozenset([collection.hashes[2]]))
    export, _ = ParquetBuild(
        tmp_path / "out", collection.archives(), workers=1, removals=given
    ).run()
    assert export.num_examples == 13


def test_into_the_folder_of_the_archives(collection: Collection) -> None:
    """Which the build holds for writing, and holds again when it asks for changes."""
    out = collection.folder / "webdataset"
    next(entry for entry in formats() if entry.label == "WebDataset export").export(
        collection.archives(), out
    )
    assert found(out)
