"""Releases, parts and collections are cached apart; the same ones from elsewhere are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pytest

import pass_dataset  # noqa: F401  (registers the datasets)
from pass_dataset.errors import DownloadError, ReleaseError
from pass_dataset.releases.release import OFFICIAL_VERSIONS, official_release, read_release
from tests.support.collection import Collection


def cached(tmp_path: Path, *name: str, **arguments: Any) -> str:
    """The folder of the data, without the last level, which is the library's."""
    made = datasets.load_dataset_builder("pass", *name, cache_dir=str(tmp_path), **arguments)
    return str(Path(made.cache_dir).relative_to(tmp_path).parent)


@pytest.mark.parametrize("version", OFFICIAL_VERSIONS)
def test_releases(tmp_path: Path, version: str) -> None:
    assert cached(tmp_path, version) == f"pass/{version}/{version}"
    assert cached(tmp_path, release=version) == f"pass/{version}/{version}"
    assert cached(tmp_path, release=official_release(version)) == f"pass/{version}/{version}"


def test_the_newest_is_the_default(tmp_path: Path) -> None:
    assert cached(tmp_path) == "pass/3.0.0/3.0.0"


def test_parts(tmp_path: Path) -> None:
    assert cached(tmp_path, parts="0,3-5") == "pass/parts_0_3-5/3.0.0"
    assert cached(tmp_path, parts=[5, 4, 3, 0, 0]) == "pass/parts_0_3-5/3.0.0"
    assert cached(tmp_path, "2.0.0", parts=[1]) == "pass/parts_1/2.0.0"
    assert cached(tmp_path, "2.0.0", release="2.0.0", parts=[1]) == "pass/parts_1/2.0.0"


def test_one_after_the_other(tmp_path: Path, collection: Collection) -> None:
    """The library hands one call's config on to the next."""
    collection.describe("3.0.0")
    whole = cached(tmp_path)
    assert cached(tmp_path, parts="0") == "pass/parts_0/3.0.0"
    own = cached(tmp_path, release=str(collection.tsv))
    assert own not in (whole, cached(tmp_path, parts="1"))
    assert cached(tmp_path, "2.0.0") == "pass/2.0.0/2.0.0"
    assert cached(tmp_path, "2.0.0", parts="0") == "pass/parts_0/2.0.0"
    assert cached(tmp_path) == whole


def test_collections_by_what_they_hold(tmp_path: Path, collection: Collection) -> None:
    collection.describe("3.0.0")
    first = cached(tmp_path, release=str(collection.tsv))
    assert first.startswith("pass/pass_")
    assert first.endswith("/3.0.0")
    assert cached(tmp_path, release=read_release(collection.tsv)) == first
    assert cached(tmp_path, release=collection.tsv, parts="1") == first.replace("/3", "-parts_1/3")
    other = collection.tsv.rename(tmp_path / "other.tsv")
    assert cached(tmp_path, release=str(other)) == first
    collection.write_csv(["hash,unickname"])
    collection.describe("3.0.0")
    assert cached(tmp_path, release=str(collection.tsv)) != first


def test_folders_of_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each its own, by its absolute path."""
    whole = cached(tmp_path)
    one, two = (cached(tmp_path, data_dir=str(tmp_path / name)) for name in ("a", "b"))
    assert len({whole, one, two}) == 3
    monkeypatch.chdir(tmp_path)
    assert cached(tmp_path, data_dir="a") == one
    assert cached(tmp_path, data_dir="a", parts="0") != one


def test_mirrors_and_an_index_change_nothing(tmp_path: Path) -> None:
    assert cached(tmp_path, mirrors="https://mirror.example.org/") == cached(tmp_path)
    assert cached(tmp_path, mirrors=["file:///a/"], index="/some/index") == cached(tmp_path)


def test_info(tmp_path: Path, collection: Collection) -> None:
    made = datasets.load_dataset_builder("pass", "1.0.0", parts="0-1", cache_dir=str(tmp_path))
    assert str(made.info.version) == "1.0.0"
    assert made.info.config_name == "parts_0-1"
    assert made.info.description.startswith("PASS 1.0.0, parts 0-1.")


@pytest.mark.parametrize("version", OFFICIAL_VERSIONS)
def test_what_is_known_without_the_data(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder, no network: neither is asked for."""
    monkeypatch.delenv("PASS_ARCHIVES", raising=False)
    assert datasets.get_dataset_split_names("pass", version) == ["train"]
    info = datasets.get_dataset_config_info("pass", version)
    assert info.splits["train"].num_examples == official_release(version).num_examples
    assert set(info.features) >= {"image", "hash"}
    assert datasets.get_dataset_config_names("pass") == list(OFFICIAL_VERSIONS)
    assert datasets.get_dataset_default_config_name("pass") == "3.0.0"
    part = datasets.get_dataset_config_info("pass", version, parts="0")
    assert part.splits["train"].num_examples == 0  # the library's word for: not known
    assert datasets.get_dataset_split_names("pass_mini") == ["train"]


def test_nothing_is_waited_for_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    for streaming in (True, False):
        with pytest.raises(DownloadError, match="HF_DATASETS_OFFLINE says"):
            datasets.load_dataset(
                "pass", split="train", streaming=streaming, cache_dir=str(tmp_path)
            )


def test_info_of_ones_own(tmp_path: Path, collection: Collection) -> None:
    """What is true of PASS alone is not said of another collection, nor of the mini release."""
    collection.describe()
    text = collection.tsv.read_text()
    collection.tsv.write_text(f"# name\tbirds\n# changes\tMore owls.\n{text}")
    own = datasets.load_dataset(
        "pass",
        split="train",
        release=str(collection.tsv),
        data_dir=str(collection.folder),
        cache_dir=str(tmp_path),
    )
    assert own.info.description.endswith("15 images in the layout of PASS: birds 1.0.0. More owls.")
    mini = datasets.load_dataset_builder("pass_mini", cache_dir=str(tmp_path))
    for info in (own.info, mini.info):
        assert (info.citation, info.homepage, info.license) == ("", "", "")
        assert "CC-BY" not in info.description
    assert "asano" in datasets.load_dataset_builder("pass", cache_dir=str(tmp_path)).info.citation


def test_info_of_ones_own_that_an_earlier_version_cached(
    tmp_path: Path, collection: Collection
) -> None:
    collection.describe()
    arguments = {
        "release": str(collection.tsv),
        "data_dir": str(collection.folder),
        "cache_dir": str(tmp_path),
        "split": "train",
    }
    datasets.load_dataset("pass", **arguments)
    (stored,) = tmp_path.rglob("dataset_info.json")
    stored.write_text(json.dumps({**json.loads(stored.read_text()), "citation": "asano21pass"}))
    assert datasets.load_dataset("pass", **arguments).info.citation == ""


def test_what_there_is_not(tmp_path: Path, collection: Collection) -> None:
    collection.describe("3.0.0")
    with pytest.raises(ValueError, match=r"'4\.0\.0' not found.*'1\.0\.0', '2\.0\.0', '3\.0\.0'"):
        cached(tmp_path, "4.0.0")
    with pytest.raises(ReleaseError, match=r"unknown release '4\.0\.0'"):
        cached(tmp_path, release="4.0.0")
    with pytest.raises(ReleaseError, match=r"nowhere\.tsv: cannot be read as a checksum file"):
        cached(tmp_path, release=str(tmp_path / "nowhere.tsv"))
    with pytest.raises(ReleaseError, match="parts 0 to 9; asked for: 10"):
        cached(tmp_path, parts="10")
    with pytest.raises(ReleaseError, match="expected numbers and ranges"):
        cached(tmp_path, parts="one")
    with pytest.raises(ReleaseError, match="give one of the two"):
        cached(tmp_path, "2.0.0", release=str(collection.tsv))
    with pytest.raises(ValueError, match="doesn't have a 'part' key"):
        cached(tmp_path, part="0")
