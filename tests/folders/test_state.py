from __future__ import annotations

import os
from pathlib import Path

import pytest

from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import add_removals
from pass_dataset.errors import FolderError
from pass_dataset.folders.state import RECEIPT_NAME, state_path, state_paths
from tests.support.collection import Collection


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are read-only, whoever this is run by."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK and access(path, mode))


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No home folder, as in a container whose user is in no list; this is the working folder."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    place = tmp_path / "working folder"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.mark.usefixtures("read_only")
def test_of_a_read_only_folder_in_the_cache(tmp_path: Path) -> None:
    path = state_path(tmp_path, RECEIPT_NAME, for_writing=True)
    assert path.parent != tmp_path
    path.touch()
    assert state_path(tmp_path, RECEIPT_NAME) == path
    assert state_paths(tmp_path, RECEIPT_NAME) == [path]
    (tmp_path / RECEIPT_NAME).touch()
    assert state_path(tmp_path, RECEIPT_NAME) == tmp_path / RECEIPT_NAME
    assert state_paths(tmp_path, RECEIPT_NAME) == [tmp_path / RECEIPT_NAME, path]


@pytest.mark.usefixtures("read_only")
def test_without_a_home_folder_nothing_is_promised(collection: Collection, homeless: Path) -> None:
    collection.describe()
    with pytest.raises(FolderError, match="Set XDG_CACHE_HOME to a folder that lasts"):
        add_removals(collection.folder, ["0" * 16])
    assert state_paths(collection.folder, RECEIPT_NAME) == []
    # Reading needs no place of its own.
    assert len(PassArchive(collection.folder, collection.tsv, save_index=False)) == 15
    assert list(homeless.iterdir()) == []


@pytest.mark.usefixtures("read_only")
def test_reading_without_an_index_and_without_a_home(
    collection: Collection, homeless: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The index is made each time, and it is said."""
    collection.describe()
    before = {path.name for path in collection.folder.iterdir()}
    assert len(PassArchive(collection.folder, collection.tsv)) == 15
    assert f"{collection.folder}: the index cannot be saved and is made each time" in caplog.text
    assert {path.name for path in collection.folder.iterdir()} == before
    assert list(homeless.iterdir()) == []


def test_reading_where_the_cache_may_not_be_written(
    collection: Collection, read_only: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    collection.describe()
    assert len(PassArchive(collection.folder, collection.tsv)) == 15
