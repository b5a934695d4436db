"""What reads an export: every reader of Parquet, none of which needs this package."""

from __future__ import annotations

import datetime
import hashlib
import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from pass_dataset.archives.ensure import open_mini
from tests.support.environments import Environment, prepare, run_without_network

datasets = pytest.importorskip("datasets")

#: A record in terms common to all: hash to SHA-256 of the image, creator, date, position.
Facts = dict[str, list[Any]]

#: Run where this package is not installed: the records by each reader.
READERS = """
import hashlib, importlib.util, json, sys
assert importlib.util.find_spec("pass_dataset") is None
import datasets, duckdb, pandas, polars
out = sys.argv[1]
datasets.disable_progress_bars()

def facts(jpeg, row):
    known = [None if value is None or value != value else value for value in row[1:]]
    creator, taken, lat, lon = known
    taken = None if taken is None else str(taken)[:19]
    return row[0], [hashlib.sha256(jpeg).hexdigest(), creator, taken, lat, lon]

def from_dicts(rows):
    names = "hash", "creator_uname", "date_taken", "gps_lat", "gps_lon"
    return dict(facts(row["image"]["bytes"], [row[name] for name in names]) for row in rows)

loaded = datasets.load_dataset(out, split="train")
assert loaded[0]["image"].size, "not decoded"
stored = loaded.cast_column("image", datasets.Image(decode=False))
streamed = datasets.load_dataset(out, split="train", streaming=True)
assert next(iter(streamed))["image"].size
streamed = streamed.cast_column("image", datasets.Image(decode=False))
files = out + "/data/*.parquet"
columns = "hash, image.bytes, creator_uname, date_taken, gps_lat, gps_lon"
query = duckdb.sql(f"select {columns} from '{files}'")
frame = pandas.read_parquet(out + "/data")
frame["date_taken"] = frame["date_taken"].astype(object).where(frame["date_taken"].notna(), None)
print(json.dumps({
    "features": repr(loaded.features),
    "datasets": from_dicts(stored),
    "streaming": from_dicts(streamed),
    "duckdb": dict(facts(row[1], [row[0], *row[2:]]) for row in query.fetchall()),
    "polars": from_dicts(polars.scan_parquet(files).collect().to_dicts()),
    "pandas": from_dicts(frame.to_dict("records")),
}))
"""


def float32(degrees: float | None) -> float | None:
    return None if degrees is None or math.isnan(degrees) else float(np.float32(degrees))


@pytest.fixture(scope="module")
def facts() -> Facts:
    """The records of the archives."""
    return {
        record.hash: [
            hashlib.sha256(record.jpeg).hexdigest(),
            record.creator,
            None if record.date_taken is None else str(record.date_taken)[:19],
            float32(record.latitude),
            float32(record.longitude),
        ]
        for record in open_mini()
    }


@pytest.mark.environments
@pytest.mark.timeout(1800)
def test_readers_that_know_nothing_of_this_package(
    mini_export: Path, tmp_path: Path, facts: Facts
) -> None:
    environment = Environment(
        "readers", ("datasets", "duckdb", "pandas", "pillow", "polars", "pytz")
    )
    prepare([environment], wheel=None)
    script = tmp_path / "readers.py"
    script.write_text(READERS)
    done = run_without_network(environment, script, mini_export, home=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("features") == repr(_features())
    assert found.keys() == {"datasets", "streaming", "duckdb", "polars", "pandas"}
    for reader, records in found.items():
        assert records == facts, reader
    # As TFDS gives them.
    assert found["datasets"] == _tfds_facts(tmp_path)


def _features() -> Any:
    from pass_dataset.huggingface.features import FEATURES

    return FEATURES


def _tfds_facts(tmp_path: Path) -> Facts:
    tfds = pytest.importorskip("tensorflow_datasets")
    tfds.disable_progress_bar()
    skip = {"image": tfds.decode.SkipDecoding()}
    rows = tfds.as_numpy(
        tfds.load("pass_mini", split="train", data_dir=tmp_path / "tfds", decoders=skip)
    )
    return {
        row["image/hash"].decode(): [
            hashlib.sha256(row["image"]).hexdigest(),
            row["image/creator_uname"].decode(),
            row["image/date_taken"].decode().removesuffix(".0") or None,
            float32(float(row["image/gps_lat"])),
            float32(float(row["image/gps_lon"])),
        ]
        for row in rows
    }


def test_load_dataset(mini_export: Path, tmp_path: Path, facts: Facts) -> None:
    loaded = datasets.load_dataset(str(mini_export), cache_dir=str(tmp_path))
    assert list(loaded) == ["train"]
    train = loaded["train"]
    assert train.features == _features()
    assert train.info.download_size == sum(p.stat().st_size for p in mini_export.glob("data/*"))
    stored = train.cast_column("image", datasets.Image(decode=False))
    assert {row["hash"]: hashlib.sha256(row["image"]["bytes"]).hexdigest() for row in stored} == {
        name: values[0] for name, values in facts.items()
    }
    assert {row["image"]["path"] for row in stored} == {f"{name}.jpg" for name in facts}
    assert {type(row["date_taken"]) for row in stored} == {datetime.datetime, type(None)}


def test_order_is_that_of_the_hashes(mini_export: Path) -> None:
    """As in TFDS, so that shards hold a fair sample each."""
    files = sorted(mini_export.glob("data/*"))
    hashes = [name for path in files for name in pq.read_table(path)["hash"].to_pylist()]
    in_archives = [record.hash for record in open_mini()]
    assert sorted(hashes) == sorted(in_archives)
    assert hashes == sorted(hashes, key=lambda name: hashlib.md5(f"train{name}".encode()).digest())


# --- without a second copy ------------------------------------------------------------------------


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_streaming_keeps_nothing(mini_export: Path, tmp_path: Path) -> None:
    streamed = datasets.load_dataset(
        str(mini_export), split="train", streaming=True, cache_dir=str(tmp_path)
    )
    assert sum(1 for _ in streamed) == 64
    assert size_of(tmp_path) == 0
    # The other way writes all of it once more, as Arrow.
    datasets.load_dataset(str(mini_export), split="train", cache_dir=str(tmp_path))
    assert size_of(tmp_path) > 0.9 * size_of(mini_export / "data")


def test_streaming_is_split_and_resumed(mini_export: Path) -> None:
    from datasets.distributed import split_dataset_by_node

    def streamed() -> Any:
        return datasets.load_dataset(str(mini_export), split="train", streaming=True)

    shares = [split_dataset_by_node(streamed(), rank=rank, world_size=2) for rank in range(2)]
    hashes = [row["hash"] for share in shares for row in share]
    assert sorted(hashes) == sorted(record.hash for record in open_mini())
    first, second = streamed(), streamed()
    seen = [row["hash"] for _, row in zip(range(21), first, strict=False)]
    second.load_state_dict(first.state_dict())
    rest = [row["hash"] for row in second]
    assert seen + rest == [row["hash"] for row in streamed()]


def test_random_access_without_a_copy(mini_export: Path) -> None:
    """Any record from mapped files: no more is read than its row group."""
    files = sorted(mini_export.glob("data/*"))
    mapped = [pq.ParquetFile(path, memory_map=True) for path in files]
    places = [
        (file, group, row)
        for file in mapped
        for group in range(file.num_row_groups)
        for row in range(file.metadata.row_group(group).num_rows)
    ]
    assert len(places) == 64
    archive = open_mini()
    for file, group, row in (places[63], places[7], places[40]):
        record = file.read_row_group(group).slice(row, 1).to_pylist()[0]
        assert record["image"]["bytes"] == archive.by_hash(record["hash"]).jpeg


def test_scans_without_a_copy(mini_export: Path) -> None:
    scanned = pyarrow.dataset.dataset(mini_export / "data")
    assert scanned.count_rows() == 64
    with_gps = scanned.to_table(
        columns=["hash"], filter=pa.compute.is_valid(pa.compute.field("gps_lat"))
    )
    assert sorted(with_gps["hash"].to_pylist()) == sorted(
        record.hash for record in open_mini() if record.latitude is not None
    )


# --- damaged --------------------------------------------------------------------------------------


@pytest.mark.parametrize("streaming", [False, True])
def test_a_damaged_footer_is_an_error(mini_export: Path, tmp_path: Path, streaming: bool) -> None:
    export = Path(shutil.copytree(mini_export, tmp_path / "export"))
    shard = sorted((export / "data").iterdir())[2]
    os.truncate(shard, shard.stat().st_size - 3)
    with pytest.raises(Exception, match=r"(?i)parquet|generating") as caught:
        loaded = datasets.load_dataset(
            str(export), split="train", cache_dir=str(tmp_path / "cache"), streaming=streaming
        )
        sum(1 for _ in loaded)
    causes = [str(caught.value), str(caught.value.__cause__)]
    assert any("magic bytes" in text or "footer" in text for text in causes)


def test_an_unfinished_folder_has_no_data(tmp_path: Path) -> None:
    (tmp_path / "out" / ".building" / "data").mkdir(parents=True)
    (tmp_path / "out" / ".building" / "data" / "train-00000-of-00002.parquet").touch()
    with pytest.raises(Exception, match=r"(?i)no \(supported\) data files|doesn't contain any"):
        datasets.load_dataset(str(tmp_path / "out"))
