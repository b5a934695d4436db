from __future__ import annotations

import datetime
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
from PIL import Image

import pass_dataset  # noqa: F401  (registers the datasets)
from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.mini.traps import TRAPS
from pass_dataset.errors import DiskSpaceError, FolderError, PassDatasetError
from pass_dataset.huggingface import archive_builder
from pass_dataset.huggingface.archive_builder import row_ranges
from pass_dataset.huggingface.features import FEATURES, OLD_COLUMNS
from tests.support.bad_server import BadServer
from tests.support.collection import Collection, jpeg

NAMES = ["image", "creator_uname", "hash", "gps_lat", "gps_lon", "date_taken"]


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> datasets.Dataset:
    cache = str(tmp_path_factory.mktemp("cache"))
    return datasets.load_dataset("pass_mini", split="train", cache_dir=cache)


@pytest.fixture
def loaded(collection: Collection, tmp_path: Path) -> Callable[..., Any]:
    """Loads the small collection, which stands for a release of 180 GB."""
    collection.describe("3.0.0")

    def load(**others: Any) -> Any:
        arguments = {
            "release": str(collection.tsv),
            "split": "train",
            "data_dir": str(collection.folder),
            "cache_dir": str(tmp_path / "cache"),
            **others,
        }
        return datasets.load_dataset("pass", **arguments)

    return load


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


def test_old_columns(mini: datasets.Dataset) -> None:
    """The names of the Hub's old script, which is why its users' code goes on."""
    renamed = mini.rename_columns(OLD_COLUMNS)
    assert set(renamed.column_names) == {
        "image",
        "creator_username",
        "hash",
        "gps_latitude",
        "gps_longitude",
        "date_taken",
    }
    assert renamed[0]["creator_username"] == mini[0]["creator_uname"]


def test_parquet_is_the_same(mini: datasets.Dataset, tmp_path: Path) -> None:
    builder = datasets.load_dataset_builder("pass_mini", cache_dir=str(tmp_path / "cache"))
    builder.download_and_prepare(str(tmp_path / "out"), file_format="parquet", num_proc=2)
    files = sorted(map(str, (tmp_path / "out").glob("*.parquet")))
    assert len(files) == 2
    made = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "again"))
    assert made["train"].features == FEATURES
    stored = made["train"].cast_column("image", datasets.Image(decode=False))
    assert list(stored) == list(mini.cast_column("image", datasets.Image(decode=False)))


def test_rows_are_written_where_tables_cannot_be(
    mini: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version of the library that takes tables in another way gets the same, more slowly."""
    monkeypatch.setattr(archive_builder, "_TABLE_ARGUMENTS", ("gen_kwargs", "something_new"))
    made = datasets.load_dataset("pass_mini", split="train", cache_dir=str(tmp_path))
    plain = datasets.Image(decode=False)
    assert made.features == mini.features
    assert list(made.cast_column("image", plain)) == list(mini.cast_column("image", plain))


def test_this_version_takes_tables() -> None:
    assert archive_builder._takes_tables()


def test_workers_are_sent_little(collection: Collection, tmp_path: Path) -> None:
    """A builder and a share of the work go to each worker; metadata does not."""
    import dill

    collection.describe()
    builder = datasets.load_dataset_builder(
        "pass",
        release=str(collection.tsv),
        data_dir=str(collection.folder),
        cache_dir=str(tmp_path),
    )
    (split,) = builder._split_generators(datasets.DownloadManager())
    assert len(split.gen_kwargs["ranges"]) == 15
    assert len(dill.dumps(split.gen_kwargs["source"])) < 4000
    assert len(dill.dumps(builder)) < 20_000


def test_far_more_workers_than_tars(loaded: Callable[..., Any], collection: Collection) -> None:
    made = loaded(num_proc=13)
    assert list(made["hash"]) == collection.hashes
    assert len(made.cache_files) == 13


def test_pass_from_a_folder(loaded: Callable[..., Any], collection: Collection) -> None:
    made = loaded()
    assert list(made["hash"]) == collection.hashes
    stored = made.cast_column("image", datasets.Image(decode=False))
    assert stored[3]["date_taken"] == datetime.datetime(2007, 5, 4, 6, 11, 48)
    assert stored[7]["image"]["bytes"] == jpeg(7)


def test_parts_of_it(loaded: Callable[..., Any], collection: Collection) -> None:
    assert list(loaded(parts="0,2")["hash"]) == collection.hashes[:5] + collection.hashes[10:]
    assert list(loaded(parts=[1], num_proc=2)["hash"]) == collection.hashes[5:10]
    assert list(loaded()["hash"]) == collection.hashes
    stream = loaded(parts=[1], streaming=True)
    assert [row["hash"] for row in stream.select_columns("hash")] == collection.hashes[5:10]


def test_pass_streamed_from_a_folder(loaded: Callable[..., Any], collection: Collection) -> None:
    stream = loaded(streaming=True).cast_column("image", datasets.Image(decode=False))
    assert [row["hash"] for row in stream.skip(3)] == collection.hashes[3:]
    assert next(iter(stream))["image"]["bytes"] == jpeg(0)


def test_pass_from_the_environment(
    loaded: Callable[..., Any], collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASS_ARCHIVES", str(collection.folder))
    assert len(loaded(data_dir=None)) == 15


def test_pass_fetches_what_is_missing(
    loaded: Callable[..., Any], collection: Collection, tmp_path: Path
) -> None:
    """Also where the folder is half downloaded."""
    half = tmp_path / "half"
    half.mkdir()
    (half / "PASS.0.tar").write_bytes(collection.tar(0).read_bytes())
    (half / "PASS.1.tar.part").write_bytes(collection.tar(1).read_bytes()[:700])
    with BadServer(collection.folder) as server:
        made = loaded(data_dir=str(half), mirrors=server.url)
        assert len(made) == 15
        assert {(answer.path, answer.start) for answer in server.answers} == {
            ("PASS.1.tar", 700),
            ("PASS.2.tar", None),
            ("pass_metadata.csv", None),
        }
    assert (half / "PASS.2.tar").read_bytes() == collection.tar(2).read_bytes()


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing says that there is no network."""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.delenv(name)


def test_what_cannot_be_fetched_is_told(
    loaded: Callable[..., Any], tmp_path: Path, online: None
) -> None:
    """The collection is published nowhere."""
    with pytest.raises(PassDatasetError, match=r"PASS\.0\.tar: is published nowhere.*mirrors="):
        loaded(data_dir=str(tmp_path / "half"))


def test_a_folder_of_another_release(loaded: Callable[..., Any], tmp_path: Path) -> None:
    other = Collection(tmp_path / "other", per_tar=30)
    with pytest.raises(FolderError, match=r"another size, and pass 3\.0\.0 is asked for"):
        loaded(data_dir=str(other.folder))
    with pytest.raises(FolderError, match=r"PASS\.0\.tar.* are missing or of another size"):
        loaded(data_dir=str(other.folder), streaming=True)


def test_a_file_in_place_of_the_folder(
    loaded: Callable[..., Any], collection: Collection, online: None
) -> None:
    with pytest.raises(FolderError, match=r"archives\.tsv: cannot be used"):
        loaded(data_dir=str(collection.tsv))


def test_corrupt_archives_are_refused(loaded: Callable[..., Any], collection: Collection) -> None:
    data = bytearray(collection.tar(1).read_bytes())
    data[2000] ^= 1
    collection.tar(1).write_bytes(bytes(data))
    with pytest.raises(PassDatasetError, match=r"PASS\.1\.tar has other bytes"):
        loaded()


def test_a_tar_that_is_cut_while_it_is_read(
    loaded: Callable[..., Any], collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = archive_builder.Basis.of

    def cut(*arguments: Any, **named: Any) -> Any:
        basis = begin(*arguments, **named)
        collection.tar(1).write_bytes(collection.tar(1).read_bytes()[:3000])
        return basis

    monkeypatch.setattr(archive_builder.Basis, "of", cut)
    with pytest.raises(datasets.exceptions.DatasetGenerationError) as caught:
        loaded()
    assert "is not the file that was indexed" in str(caught.value.__cause__)


def test_too_little_room(
    loaded: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=5999)
    monkeypatch.setattr(archive_builder.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(DiskSpaceError, match=r"6,000 bytes of images .* 5,999 bytes free.*stream"):
        loaded()


def test_cache_that_cannot_be_written(loaded: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FolderError, match=r"cache of datasets cannot be used.*HF_DATASETS_CACHE"):
        loaded(cache_dir=str(tmp_path / "file" / "cache"))


@pytest.mark.parametrize(("length", "count"), [(0, 0), (1, 1), (255, 255), (100_000, 2688)])
def test_row_ranges(length: int, count: int) -> None:
    ranges = row_ranges(length)
    assert len(ranges) == count
    assert [n for first, last in ranges for n in range(first, last)] == list(range(length))


#: As the first example of docs/recipes/streaming.md, with streams that nobody closes.
LEFT_OPEN = """
import sys
import pass_dataset
import datasets
folder, release, cache = sys.argv[1:]
streams = []
for tables in (False, True):
    stream = datasets.load_dataset(
        "pass", split="train", streaming=True, tables=tables, data_dir=folder, release=release,
        cache_dir=cache,
    )
    streams.append(iter(stream.cast_column("image", datasets.Image(decode=False))))
    next(streams[-1])
"""


def test_a_script_that_leaves_streams_open(collection: Collection, tmp_path: Path) -> None:
    """It ends without a word."""
    given = (str(collection.folder), str(collection.tsv), str(tmp_path / "cache"))
    command = [sys.executable, "-c", LEFT_OPEN, *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
