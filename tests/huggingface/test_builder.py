from __future__ import annotations

import datetime
from pathlib import Path

import datasets
import pytest
from PIL import Image

import pass_dataset  # noqa: F401  (registers the datasets)
from pass_dataset import huggingface
from pass_dataset.errors import FolderError, PassDatasetError
from pass_dataset.huggingface import FEATURES, row_ranges
from pass_dataset.mini.traps import TRAPS
from pass_dataset.provision import open_mini
from pass_dataset.releases import Release
from tests.support.bad_server import BadServer
from tests.support.collection import Collection, jpeg

NAMES = ["image", "creator_uname", "hash", "gps_lat", "gps_lon", "date_taken"]


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> datasets.Dataset:
    cache = str(tmp_path_factory.mktemp("cache"))
    return datasets.load_dataset("pass_mini", split="train", cache_dir=cache)


@pytest.fixture
def as_release_3(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> Release:
    """A small collection in the place of release 3.0.0, whose 180 GB a test cannot have."""
    release = collection.describe("3.0.0")
    monkeypatch.setattr(huggingface, "official_release", lambda version: release)
    return release


def by_hash(dataset: datasets.Dataset, trap: str) -> dict[str, object]:
    return dataset[dataset["hash"].index(TRAPS[trap])]


def test_features(mini: datasets.Dataset) -> None:
    assert mini.features == FEATURES
    assert sorted(mini.features) == sorted(NAMES)
    assert mini.features["image"] == datasets.Image()
    assert mini.features["date_taken"].dtype == "timestamp[us]"
    assert mini.features["gps_lat"].dtype == mini.features["gps_lon"].dtype == "float32"


def test_all_records_with_their_bytes(mini: datasets.Dataset) -> None:
    stored = mini.cast_column("image", datasets.Image(decode=False))
    rows = {row["hash"]: row for row in stored}
    assert len(rows) == len(stored) == 64
    for record in open_mini():
        row = rows[record.hash]
        assert row["image"] == {"bytes": record.jpeg, "path": f"{record.hash}.jpg"}
        assert row["creator_uname"] == record.creator
        assert row["date_taken"] == record.date_taken
        assert (row["gps_lat"] is None) == (record.latitude is None)
        if record.latitude is not None:
            assert row["gps_lat"] == pytest.approx(record.latitude, abs=1e-5)
            assert row["gps_lon"] == pytest.approx(record.longitude, abs=1e-4)


def test_images_are_decoded(mini: datasets.Dataset) -> None:
    assert isinstance(mini[0]["image"], Image.Image)
    assert by_hash(mini, "grayscale")["image"].mode == "L"
    assert by_hash(mini, "cmyk")["image"].mode == "CMYK"


def test_traps(mini: datasets.Dataset) -> None:
    assert by_hash(mini, "creator_na")["creator_uname"] == "NA"
    assert by_hash(mini, "no_date")["date_taken"] is None
    assert by_hash(mini, "no_gps")["gps_lat"] is None
    assert by_hash(mini, "gps_zero")["gps_lat"] == 0.0


def test_slices_and_second_load(mini: datasets.Dataset, tmp_path: Path) -> None:
    part = datasets.load_dataset("pass_mini", split="train[10:20]", cache_dir=str(tmp_path))
    assert part["hash"][:] == mini[10:20]["hash"]


def test_streaming(mini: datasets.Dataset) -> None:
    stream = datasets.load_dataset("pass_mini", split="train", streaming=True)
    assert [row["hash"] for row in stream] == list(mini["hash"])


def test_workers_give_the_same(mini: datasets.Dataset, tmp_path: Path) -> None:
    made = datasets.load_dataset("pass_mini", split="train", num_proc=2, cache_dir=str(tmp_path))
    assert list(made["hash"]) == list(mini["hash"])


def test_pass_from_a_folder(collection: Collection, as_release_3: Release, tmp_path: Path) -> None:
    made = datasets.load_dataset(
        "pass", split="train", data_dir=str(collection.folder), cache_dir=str(tmp_path / "cache")
    )
    assert list(made["hash"]) == collection.hashes
    stored = made.cast_column("image", datasets.Image(decode=False))
    assert stored[3]["date_taken"] == datetime.datetime(2007, 5, 4, 6, 11, 48)
    assert stored[7]["image"]["bytes"] == jpeg(7)


def test_pass_streamed_from_a_folder(collection: Collection, as_release_3: Release) -> None:
    stream = datasets.load_dataset(
        "pass", split="train", data_dir=str(collection.folder), streaming=True
    )
    stream = stream.cast_column("image", datasets.Image(decode=False))
    assert [row["hash"] for row in stream.skip(3)] == collection.hashes[3:]
    assert next(iter(stream))["image"]["bytes"] == jpeg(0)


def test_pass_from_the_environment(
    collection: Collection, as_release_3: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASS_ARCHIVES", str(collection.folder))
    made = datasets.load_dataset("pass", split="train", cache_dir=str(tmp_path / "cache"))
    assert len(made) == 15


def test_pass_fetches_what_is_missing(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BadServer(collection.folder) as server:
        from pass_dataset.collection import describe_collection

        release = describe_collection(collection.folder, version="3.0.0", base_url=server.url)
        monkeypatch.setattr(huggingface, "official_release", lambda version: release)
        made = datasets.load_dataset(
            "pass", split="train", data_dir=str(tmp_path / "new"), cache_dir=str(tmp_path / "cache")
        )
        assert len(made) == 15
        assert len(server.answers) == 4
    assert (tmp_path / "new" / "PASS.2.tar").read_bytes() == collection.tar(2).read_bytes()


def test_corrupt_archives_are_refused(
    collection: Collection, as_release_3: Release, tmp_path: Path
) -> None:
    data = bytearray(collection.tar(1).read_bytes())
    data[2000] ^= 1
    collection.tar(1).write_bytes(bytes(data))
    with pytest.raises(PassDatasetError, match=r"PASS\.1\.tar has other bytes"):
        datasets.load_dataset(
            "pass", data_dir=str(collection.folder), cache_dir=str(tmp_path / "cache")
        )


def test_streaming_without_archives_says_what_to_do(as_release_3: Release, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"pass-dataset download .* --release 3.0.0"):
        datasets.load_dataset("pass", streaming=True, data_dir=str(tmp_path / "none"))


@pytest.mark.parametrize(("length", "count"), [(0, 0), (1, 1), (255, 255), (100_000, 256)])
def test_row_ranges(length: int, count: int) -> None:
    ranges = row_ranges(length)
    assert len(ranges) == count
    assert [n for first, last in ranges for n in range(first, last)] == list(range(length))
