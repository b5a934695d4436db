"""Images on a removal list are gone from what `datasets` reads, whenever it was cached."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest

import pass_dataset  # noqa: F401  (registers the datasets)
from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.removals import RemovalList, add_removals, removals_for
from pass_dataset.builds.purging.archives import PurgeableArchives
from pass_dataset.builds.purging.purging import purge
from tests.huggingface.conftest import Published
from tests.support.collection import Collection


@pytest.fixture
def gone() -> list[str]:
    return [record.hash for record in open_mini()[[0, 7, 63]]]


@pytest.fixture
def listed(tmp_path: Path, gone: list[str]) -> Path:
    path = tmp_path / "list.txt"
    path.write_text("\n".join([*gone, "f" * 32]))
    return path


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Any]:
    def load(**options: Any) -> Any:
        given = {"split": "train", "cache_dir": str(tmp_path / "cache"), **options}
        return datasets.load_dataset("pass_mini", **given)

    return load


def kept(gone: list[str]) -> list[str]:
    return [record.hash for record in open_mini() if record.hash not in gone]


def hashes(stream: Any) -> list[str]:
    return [row["hash"] for row in stream.cast_column("image", datasets.Image(decode=False))]


def folder_of(dataset: Any) -> Path:
    return Path(dataset.cache_files[0]["filename"]).parent


@pytest.mark.parametrize("how", ["environment", "folder"])
def test_data_of_before(
    load: Callable[..., Any],
    listed: Path,
    gone: list[str],
    how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = load()
    computed = before.map(lambda row: {"length": len(row["hash"])})
    if how == "environment":
        monkeypatch.setenv("PASS_REMOVALS", str(listed))
    else:
        add_removals(folder_of(before), gone)
    after = load()
    assert after["hash"][:] == kept(gone)
    assert len(after) == 61
    # Nothing that was computed with them is taken from the library's cache.
    again = after.map(lambda row: {"length": len(row["hash"])})
    assert (len(computed), len(again)) == (64, 61)
    assert after._fingerprint != before._fingerprint
    assert len(load(split=None)["train"]) == 61
    assert [len(part) for part in load(split=["train[:50%]", "train[50%:]"])] == [30, 31]
    assert len(list(load(streaming=True))) == 61


def test_data_made_under_a_list_says_so(
    load: Callable[..., Any], listed: Path, gone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASS_REMOVALS", str(listed))
    made = load()
    assert made["hash"][:] == kept(gone)
    assert removals_for(folder_of(made)).hashes >= set(gone)
    monkeypatch.delenv("PASS_REMOVALS")
    assert load()["hash"][:] == kept(gone)
    # Built anew without the list, it lacks what its folder's list says.
    again = load(download_mode="force_redownload")
    assert again["hash"][:] == kept(gone)
    assert removals_for(folder_of(again)).hashes >= set(gone)


def test_of_an_archive_folder(collection: Collection, tmp_path: Path) -> None:
    def load(**options: Any) -> Any:
        return datasets.load_dataset(
            "pass",
            split="train",
            release=str(collection.tsv),
            data_dir=str(collection.folder),
            cache_dir=str(tmp_path / "cache"),
            **options,
        )

    gone = collection.hashes[4:7]
    whole = load()
    own = tmp_path / "own.txt"
    own.write_text(f"{collection.hashes[0]}\n")
    assert load(removals=str(own))["hash"][:] == collection.hashes[1:]
    add_removals(collection.folder, gone)
    kept = [one for one in collection.hashes if one not in gone]
    assert load()["hash"][:] == kept
    assert hashes(load(streaming=True)) == kept
    streamed = load(streaming=True, removals=str(own))
    assert hashes(streamed) == kept[1:]
    # The data that is cached is the same.
    assert load(removals=str(own)).cache_files == whole.cache_files


def test_over_http(published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = [published.hashes[0], *published.hashes[300:310], published.hashes[-1]]
    path = tmp_path / "list.txt"
    path.write_text("\n".join(gone))
    monkeypatch.setenv("PASS_REMOVALS", str(path))
    assert hashes(published.stream()) == [one for one in published.hashes if one not in gone]


def test_purged_archives(collection: Collection, tmp_path: Path) -> None:
    def load(cache: str, **options: Any) -> Any:
        return datasets.load_dataset(
            "pass",
            split="train",
            release=str(collection.tsv),
            data_dir=str(collection.folder),
            cache_dir=str(tmp_path / cache),
            **options,
        )

    before = load("before")
    assert len(before) == 15
    gone = collection.hashes[4:7]
    purge(PurgeableArchives(collection.archives()), RemovalList(frozenset(gone)))
    kept = [one for one in collection.hashes if one not in gone]
    assert load("before")["hash"][:] == kept
    assert load("after")["hash"][:] == kept
    assert hashes(load("after", streaming=True)) == kept
