"""Parts, limits and releases of the user's own are stored apart from the whole."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.errors import ReleaseError
from pass_dataset.releases.release import OFFICIAL_VERSIONS, official_release, read_release
from pass_dataset.releases.selection import Selection, select
from tests.support.collection import Collection

pytest.importorskip("tensorflow_datasets")

from pass_dataset.tfds.configs import config_of
from pass_dataset.tfds.pass_dataset_builder import Builder


def stored(tmp_path: Path, **arguments: Any) -> str:
    return str(Path(Builder(data_dir=tmp_path, **arguments).data_dir).relative_to(tmp_path))


@pytest.mark.parametrize("version", OFFICIAL_VERSIONS)
def test_whole_releases_lie_where_those_of_tfds_do(tmp_path: Path, version: str) -> None:
    assert stored(tmp_path, version=version) == f"pass/{version}"
    assert stored(tmp_path, release=version) == f"pass/{version}"
    assert stored(tmp_path, release=official_release(version)) == f"pass/{version}"


def test_parts_lie_elsewhere(tmp_path: Path) -> None:
    assert stored(tmp_path) == "pass/3.0.0"
    assert stored(tmp_path, parts=[4, 3, 0]) == "pass/parts_0_3-4/3.0.0"
    assert stored(tmp_path, parts="0,3-4", version="2.0.0") == "pass/parts_0_3-4/2.0.0"


def test_other_releases_lie_elsewhere_though_they_claim_to_be_3_0_0(
    tmp_path: Path, collection: Collection
) -> None:
    collection.describe("3.0.0")
    path = stored(tmp_path, release=collection.tsv)
    assert path.startswith("pass/pass_")
    assert path.endswith("/3.0.0")
    assert stored(tmp_path, release=collection.tsv, parts="1") == path.replace("/3", "-parts_1/3")
    collection.write_csv(["hash,unickname"])
    collection.describe("3.0.0")
    assert stored(tmp_path, release=collection.tsv) != path


def test_contradictions(tmp_path: Path, collection: Collection) -> None:
    with pytest.raises(ReleaseError, match="give one of the two"):
        Builder(data_dir=tmp_path, release=collection.tsv, version="3.0.0")
    with pytest.raises(ReleaseError, match="not both"):
        Builder(data_dir=tmp_path, parts="0", config=config_of(Selection(official_release(), (0,))))
    with pytest.raises(ReleaseError, match="parts 0 to 9"):
        Builder(data_dir=tmp_path, parts="10")
    with pytest.raises(ReleaseError, match="unknown release"):
        Builder(data_dir=tmp_path, release="4.0.0")
    with pytest.raises(ReleaseError, match="exact version"):
        Builder(data_dir=tmp_path, parts="0", version="3.*.*")
    with pytest.raises(ValueError, match="workers"):
        Builder(data_dir=tmp_path, workers=0)
    with pytest.raises(ValueError, match="limit"):
        Selection(official_release(), limit=0)


def test_no_arguments_are_left_to_tfds() -> None:
    assert select(None, None, "2.*.*") is None


def test_builders_pickle(tmp_path: Path, collection: Collection) -> None:
    for arguments in ({"release": collection.tsv, "parts": "0-1"}, {"version": "2.0.0"}):
        made = Builder(data_dir=tmp_path, **arguments)
        again = pickle.loads(pickle.dumps(made))
        assert again.data_dir == made.data_dir
        assert again.selection == made.selection


@pytest.fixture
def manual(quiet_tfds: Any, collection: Collection) -> Any:
    return lambda **others: quiet_tfds.download.DownloadConfig(
        manual_dir=collection.folder, **others
    )


def hashes_of(made: Any) -> list[str]:
    return [row["image/hash"] for row in made.as_data_source(split="train", decoders=_skip())]


def _skip() -> Any:
    import tensorflow_datasets as tfds

    return {"image": tfds.decode.SkipDecoding()}


def test_parts_are_built(tmp_path: Path, collection: Collection, manual: Any) -> None:
    made = Builder(
        data_dir=tmp_path, release=collection.tsv, parts=[0, 2], file_format="array_record"
    )
    made.download_and_prepare(download_config=manual())
    assert {text.decode() for text in hashes_of(made)} == {
        *collection.hashes[:5],
        *collection.hashes[10:],
    }
    release = read_release(collection.tsv)
    assert made.info.download_size == sum(file.size_bytes for file in release.select([0, 2]))


def test_limited_builds_are_apart(
    quiet_tfds: Any, tmp_path: Path, collection: Collection, manual: Any
) -> None:
    arguments = {"data_dir": tmp_path, "release": collection.tsv, "file_format": "array_record"}
    made = Builder(**arguments)
    whole = made.data_dir
    made.download_and_prepare(download_config=manual(max_examples_per_split=7))
    assert "-first_7/" in made.data_dir
    assert not Path(whole).exists()
    assert {text.decode() for text in hashes_of(made)} == set(collection.hashes[:7])
    assert made.info.splits["train"].num_examples == 7

    again = Builder(**arguments)
    again.download_and_prepare(download_config=manual())
    assert again.data_dir == whole
    assert len(hashes_of(again)) == 15


def test_fetching_only(tmp_path: Path, collection: Collection, manual: Any) -> None:
    made = Builder(data_dir=tmp_path, release=collection.tsv)
    made.download_and_prepare(download_config=manual(max_examples_per_split=0))
    assert not Path(made.data_dir).exists()


def test_load_with_arguments(
    quiet_tfds: Any, tmp_path: Path, collection: Collection, manual: Any
) -> None:
    loaded, info = quiet_tfds.load(
        "pass",
        split="train",
        data_dir=tmp_path,
        decoders=_skip(),
        with_info=True,
        builder_kwargs={"release": collection.tsv},
        download_and_prepare_kwargs={"download_config": manual()},
    )
    assert info.splits["train"].num_examples == len(list(loaded)) == 15
    version = read_release(collection.tsv).version
    assert str(info.version) == version
