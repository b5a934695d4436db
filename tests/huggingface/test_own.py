"""A folder of a collection of one's own is known by what it tells, whichever loader opens it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pass_dataset
from pass_dataset.errors import FolderError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.releases.release import read_release
from tests.support.collection import Collection

Loaded = Callable[[], set[str]]


@pytest.fixture(params=["receipt", "checksum file"])
def own(request: pytest.FixtureRequest, collection: Collection, tmp_path: Path) -> Collection:
    """A folder that tells what it is."""
    if request.param == "receipt":
        pass_dataset.verify(collection.folder, collection.tsv)
    else:
        collection.tsv.rename(collection.folder / "mine.tsv")
    return collection


def datasets_rows(own: Collection, tmp_path: Path, **others: Any) -> set[str]:
    datasets = pytest.importorskip("datasets")
    rows = datasets.load_dataset(
        "pass",
        split="train",
        data_dir=str(own.folder),
        cache_dir=str(tmp_path / "cache"),
        **others,
    )
    return {row["hash"] for row in rows.select_columns(["hash"])}


def test_datasets(own: Collection, tmp_path: Path) -> None:
    assert datasets_rows(own, tmp_path) == set(own.hashes)
    assert datasets_rows(own, tmp_path, streaming=True) == set(own.hashes)
    assert datasets_rows(own, tmp_path, parts="1") == set(own.hashes[5:10])


def test_tfds(own: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tfds = pytest.importorskip("tensorflow_datasets")
    monkeypatch.setenv("PASS_ARCHIVES", str(own.folder))
    made = tfds.builder("pass", data_dir=str(tmp_path / "tfds"))
    assert made.info.config_name.startswith("pass_")
    made.download_and_prepare()
    assert made.info.splits["train"].num_examples == 15
    # Who asks for a published release by its version means that.
    assert (
        tfds.builder("pass:3.0.0", data_dir=str(tmp_path / "tfds")).info.full_name == "pass/3.0.0"
    )


def test_torch(own: Collection) -> None:
    torch = pytest.importorskip("pass_dataset.torch")
    for download in (True, False):
        images = torch.PASS(own.folder, decode="bytes", target="hash", download=download)
        assert {images[number][1] for number in range(len(images))} == set(own.hashes)


def test_another_release_is_asked_for(own: Collection, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"holds pass 1\.0\.0, and PASS 2\.0\.0 is asked for"):
        datasets_rows(own, tmp_path, name="2.0.0")
    torch = pytest.importorskip("pass_dataset.torch")
    with pytest.raises(FolderError, match=r"and PASS 3\.0\.0 is asked for.*release="):
        torch.PASS(own.folder, "3.0.0", download=True)


def test_what_tells_nothing(collection: Collection, tmp_path: Path) -> None:
    assert ArchiveFolder.own_release(tmp_path / "nowhere") is None
    assert ArchiveFolder.own_release() is None
    assert ArchiveFolder.own_release(collection.folder) is None
    read_release(collection.tsv)
    with pytest.raises(FolderError, match=r"PASS\.0\.tar, .* has another size, and PASS 3\.0\.0"):
        datasets_rows(collection, tmp_path)
