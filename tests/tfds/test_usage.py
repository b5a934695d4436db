"""TFDS as its users use it: registration, loading, slices, decoders, views."""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pass_dataset
from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.mini.traps import TRAPS
from pass_dataset.archives.records import ImageRecord
from pass_dataset.tfds import pass_dataset_builder
from tests.support.official import COUNTS, OfficialReleases, make_official

tfds = pytest.importorskip("tensorflow_datasets")

FEATURES = {
    "image": ((None, None, 3), np.uint8),
    "image/creator_uname": ((), np.object_),
    "image/date_taken": ((), np.object_),
    "image/gps_lat": ((), np.float32),
    "image/gps_lon": ((), np.float32),
    "image/hash": ((), np.object_),
}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`pass_mini` as TFRecord."""
    folder = tmp_path_factory.mktemp("tfds")
    tfds.builder("pass_mini", data_dir=str(folder)).download_and_prepare()
    return folder


@pytest.fixture(scope="module")
def array_record_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`pass_mini` as ArrayRecord."""
    folder = tmp_path_factory.mktemp("tfds")
    builder = tfds.builder("pass_mini", data_dir=str(folder), file_format="array_record")
    builder.download_and_prepare()
    return folder


@pytest.fixture(scope="module")
def mini() -> dict[str, ImageRecord]:
    return {record.hash: record for record in open_mini()}


@pytest.fixture
def official(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OfficialReleases]:
    """Synthetic releases in place of the published ones."""
    made = make_official(tmp_path / "archives")
    made.publish(monkeypatch)
    yield made
    monkeypatch.undo()
    pass_dataset.releases.release.official_release.cache_clear()


def load(data_dir: Path, split: Any = "train", **options: Any) -> list[dict[str, Any]]:
    loaded = tfds.load("pass_mini", split=split, data_dir=str(data_dir), **options)
    return list(tfds.as_numpy(loaded))


def hashes(rows: list[dict[str, Any]]) -> list[str]:
    return [row["image/hash"].decode() for row in rows]


def run_python(code: str) -> Any:
    """Runs code in a fresh interpreter; what it prints on its last line, as JSON."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


# --- features and names ---------------------------------------------------------------------------


def test_features_are_those_of_tfds_own_pass(tmp_path: Path) -> None:
    ours = tfds.builder("pass", data_dir=str(tmp_path)).info.features
    own = run_python(
        """
        import importlib, json, tempfile
        import tensorflow_datasets as tfds
        module = "tensorflow_datasets.datasets.pass.pass_dataset_builder"
        with tempfile.TemporaryDirectory() as folder:
            builder = importlib.import_module(module).Builder(data_dir=folder)
        print(json.dumps({
            name: [str(feature.shape), str(feature.np_dtype)]
            for name, feature in builder.info.features.items()
        }))
        """
    )
    assert own == {
        name: [str(feature.shape), str(feature.np_dtype)] for name, feature in ours.items()
    }
    assert {name: (f.shape, f.np_dtype) for name, f in ours.items()} == FEATURES


def test_builds_are_found_by_name(quiet_tfds: Any, tmp_path: Path) -> None:
    config = quiet_tfds.download.DownloadConfig(max_examples_per_split=10)
    limited = quiet_tfds.builder("pass_mini", data_dir=tmp_path)
    limited.download_and_prepare(download_config=config)
    quiet_tfds.builder("pass_mini", data_dir=tmp_path).download_and_prepare()

    whole = quiet_tfds.builder("pass_mini", version="1.0.0", data_dir=tmp_path)
    assert whole.info.splits["train"].num_examples == 64
    name = f"pass_mini/{limited.builder_config.name}" if limited.builder_config else ""
    name = name or f"pass_mini/{Path(limited.data_dir).parent.name}"
    again = quiet_tfds.builder(name, data_dir=tmp_path)
    assert again.info.splits["train"].num_examples == 10


# --- versions -------------------------------------------------------------------------------------


def test_versions(tmp_path: Path) -> None:
    where = {"data_dir": str(tmp_path)}
    assert str(tfds.builder("pass", **where).version) == "3.0.0"
    for version in COUNTS:
        assert str(tfds.builder(f"pass:{version}", **where).version) == version
        assert tfds.builder(f"pass:{version}", **where).info.release_notes[version]


def test_unknown_version(tmp_path: Path) -> None:
    with pytest.raises(
        AssertionError, match=r"Dataset pass cannot be loaded at version 9\.0\.0"
    ) as e:
        tfds.builder("pass:9.0.0", data_dir=str(tmp_path))
    assert "3.0.0" in str(e.value)


@pytest.mark.parametrize("version", COUNTS)
def test_release_from_manual_dir(official: OfficialReleases, tmp_path: Path, version: str) -> None:
    config = tfds.download.DownloadConfig(manual_dir=str(official.root))
    rows = list(
        tfds.as_numpy(
            tfds.load(
                f"pass:{version}",
                split="train",
                data_dir=str(tmp_path / "tfds"),
                decoders={"image": tfds.decode.SkipDecoding()},
                download_and_prepare_kwargs={"download_config": config},
            )
        )
    )
    stored = {row["image/hash"].decode(): row["image"] for row in rows}
    assert stored == {name: official.jpegs[name] for name in official.hashes(version)}
    assert len(rows) == COUNTS[version]
    for row in rows:
        assert row["image/creator_uname"].startswith(b"user")
        if version == "1.0.0":
            assert row["image/date_taken"] == b""
            assert np.isnan(row["image/gps_lat"])
            assert np.isnan(row["image/gps_lon"])
    if version != "1.0.0":
        assert any(row["image/date_taken"].startswith(b"2007-05-") for row in rows)
        located = [row for row in rows if not np.isnan(row["image/gps_lat"])]
        assert located[0]["image/gps_lat"] == np.float32(53.535233)
        assert located[0]["image/gps_lon"] == np.float32(-113.565075)


def test_release_from_the_environment(
    official: OfficialReleases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASS_ARCHIVES", str(official.root))
    builder = tfds.builder("pass", data_dir=str(tmp_path / "tfds"))
    builder.download_and_prepare()
    assert builder.info.splits["train"].num_examples == COUNTS["3.0.0"]


# --- loading --------------------------------------------------------------------------------------


def test_values(data_dir: Path, mini: dict[str, ImageRecord]) -> None:
    rows = load(data_dir)
    assert sorted(hashes(rows)) == sorted(mini)
    for row in rows:
        record = mini[row["image/hash"].decode()]
        assert set(row) == set(FEATURES)
        assert row["image"].dtype == np.uint8
        assert row["image"].shape[2] == 3
        assert row["image/creator_uname"].decode() == record.creator
        assert row["image/date_taken"].decode() == (record.date_taken_text or "")
        for key, degrees in (("lat", record.latitude), ("lon", record.longitude)):
            stored = row[f"image/gps_{key}"]
            assert stored.dtype == np.float32
            wanted = np.float32(math.nan if degrees is None else degrees)
            np.testing.assert_array_equal(stored, wanted)


def test_awkward_rows(data_dir: Path) -> None:
    rows = {row["image/hash"].decode(): row for row in load(data_dir)}
    assert rows[TRAPS["creator_na"]]["image/creator_uname"] == b"NA"
    assert rows[TRAPS["creator_null"]]["image/creator_uname"] == b"null"
    assert rows[TRAPS["no_date"]]["image/date_taken"] == b""
    assert np.isnan(rows[TRAPS["no_gps"]]["image/gps_lat"])
    assert rows[TRAPS["gps_zero"]]["image/gps_lat"] == 0.0


def test_slices(data_dir: Path) -> None:
    everything = hashes(load(data_dir))
    assert hashes(load(data_dir, "train[10:20]")) == everything[10:20]
    assert hashes(load(data_dir, "train[:1%]")) == everything[:1]
    assert hashes(load(data_dir, "train[-25%:]")) == everything[48:]


def test_even_splits(data_dir: Path) -> None:
    shares = tfds.even_splits("train", n=3)
    found = [hashes(load(data_dir, share)) for share in shares]
    assert sorted(map(len, found)) == [21, 21, 22]
    assert list(itertools.chain.from_iterable(found)) == hashes(load(data_dir))


def test_read_config(data_dir: Path) -> None:
    config = tfds.ReadConfig(interleave_cycle_length=4, interleave_block_length=2)
    rows = load(data_dir, read_config=config, shuffle_files=True)
    assert sorted(hashes(rows)) == sorted(hashes(load(data_dir)))


def test_as_supervised_is_refused(data_dir: Path) -> None:
    with pytest.raises(ValueError, match="supervised"):
        load(data_dir, as_supervised=True)


def test_skip_decoding_gives_the_bytes_of_the_tar(
    data_dir: Path, mini: dict[str, ImageRecord]
) -> None:
    rows = load(data_dir, decoders={"image": tfds.decode.SkipDecoding()})
    assert {row["image/hash"].decode(): row["image"] for row in rows} == {
        name: record.jpeg for name, record in mini.items()
    }


# --- views ----------------------------------------------------------------------------------------


def test_as_dataframe(data_dir: Path) -> None:
    loaded, info = tfds.load("pass_mini", split="train", data_dir=str(data_dir), with_info=True)
    frame = tfds.as_dataframe(loaded.take(4), info)
    assert list(frame.columns) == list(FEATURES)
    assert len(frame) == 4
    assert "<img" in frame._repr_html_()


def test_show_examples(data_dir: Path) -> None:
    from matplotlib import pyplot

    pyplot.switch_backend("Agg")
    loaded, info = tfds.load("pass_mini", split="train", data_dir=str(data_dir), with_info=True)
    with warnings.catch_warnings():
        # Where there is a display, Matplotlib says that this backend does not use it.
        warnings.filterwarnings("ignore", ".*is non-interactive", UserWarning)
        figure = tfds.visualization.show_examples(loaded, info, rows=2, cols=2)
    assert len(figure.axes) == 4
    pyplot.close(figure)


def test_data_source(array_record_dir: Path, mini: dict[str, ImageRecord]) -> None:
    source = tfds.data_source("pass_mini", split="train", data_dir=str(array_record_dir))
    assert len(source) == 64
    row = source[37]
    record = mini[row["image/hash"].decode()]
    assert row["image/creator_uname"].decode() == record.creator
    assert row["image"].shape[2] == 3
    assert row["image"].dtype == np.uint8
    assert len(source.__getitems__([5, 3, 5])) == 3


def test_data_source_without_decoding_needs_no_tensorflow(array_record_dir: Path) -> None:
    found = run_python(
        f"""
        import json, sys
        import pass_dataset
        import tensorflow_datasets as tfds
        source = tfds.data_source(
            "pass_mini", split="train", data_dir={str(array_record_dir)!r},
            decoders={{"image": tfds.decode.SkipDecoding()}},
        )
        start = source[5]["image"][:2].hex()
        stored = "tensorflow" in sys.modules
        decoded = tfds.data_source("pass_mini", split="train", data_dir={str(array_record_dir)!r})
        shape = decoded[5]["image"].shape
        print(json.dumps([start, stored, len(shape), "tensorflow" in sys.modules]))
        """
    )
    assert found == ["ffd8", False, 3, False]


# --- TFDS's own tests of builders -----------------------------------------------------------------


class TestPassAsTfdsTestsIt(tfds.testing.DatasetBuilderTestCase):
    """The whole default set of checks, on dummy tars where TFDS expects manual downloads."""

    DATASET_CLASS = pass_dataset_builder.Builder
    SPLITS = {"train": COUNTS["3.0.0"]}  # noqa: RUF012  (the library's interface)
    EXAMPLE_DIR = str(Path(__file__).parent)  # unused: archives are no extracted download

    def setUp(self) -> None:
        super().setUp()
        self._patch = pytest.MonkeyPatch()
        manual = Path(self.tmp_dir) / "downloads" / "manual"
        make_official(manual).publish(self._patch)

    def tearDown(self) -> None:
        self._patch.undo()
        pass_dataset.releases.release.official_release.cache_clear()
        super().tearDown()
