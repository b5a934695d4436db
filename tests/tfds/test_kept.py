"""Images on a removal list are gone from what TFDS reads, whenever it was built."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.removals import add_removals, read_removals, removals_for
from pass_dataset.builds.reading.comparison import verify_build

tfds = pytest.importorskip("tensorflow_datasets")

from pass_dataset.tfds.kept import KeptRecords, removed_positions  # noqa: E402
from pass_dataset.tfds.wire import HASH  # noqa: E402  (needs TFDS)

FORMATS = ["tfrecord", "array_record", "parquet"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`pass_mini` in every format, of before there was a list."""
    root = tmp_path_factory.mktemp("built")
    for file_format in FORMATS:
        builder(root / file_format, file_format).download_and_prepare()
    return root


@pytest.fixture
def gone() -> list[str]:
    return [record.hash for record in open_mini()[[0, 7, 63]]]


@pytest.fixture
def listed(tmp_path: Path, gone: list[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "list.txt"
    path.write_text("\n".join([*gone, "f" * 32]))
    monkeypatch.setenv("PASS_REMOVALS", str(path))
    return path


def builder(data_dir: Path, file_format: str = "tfrecord", **options: Any) -> Any:
    return tfds.builder("pass_mini", data_dir=data_dir, file_format=file_format, **options)


def hashes(rows: Any) -> list[str]:
    return [tfds.as_numpy(row)[HASH].decode() for row in rows]


def kept(gone: list[str]) -> list[str]:
    return sorted({record.hash for record in open_mini()} - set(gone))


@pytest.mark.parametrize("file_format", ["tfrecord", "parquet"])
def test_a_build_of_before(
    built: Path, file_format: str, gone: list[str], listed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = builder(built / file_format, file_format).as_dataset(split="train")
    assert sorted(hashes(found)) == kept(gone)
    assert "leaving out the images of removal list" in caplog.text
    (batch,) = found.ragged_batch(64)
    assert batch[HASH].shape[0] == 61


def test_ways_to_decode(built: Path, gone: list[str], listed: Path) -> None:
    reader = builder(built / "tfrecord")
    partly = tfds.decode.PartialDecoding({"image/creator_uname": True})
    for decoders in (partly, {"image": tfds.decode.SkipDecoding()}):
        found = reader.as_dataset(split="train", decoders=decoders)
        assert len(list(found)) == 61
    assert list(reader.as_dataset(split="train", decoders=partly).element_spec) == [
        "image/creator_uname"
    ]
    by_split = reader.as_dataset()
    assert sorted(hashes(by_split["train"])) == kept(gone)
    first, second = (
        hashes(reader.as_dataset(split=part)) for part in ("train[:50%]", "train[50%:]")
    )
    assert sorted(first + second) == kept(gone)


def test_many_hashes(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.txt"
    rest = [record.hash for record in open_mini()][10:]
    path.write_text("\n".join([*rest, *(f"{number:032x}" for number in range(1, 20_000))]))
    monkeypatch.setenv("PASS_REMOVALS", str(path))
    assert len(hashes(builder(built / "tfrecord").as_dataset(split="train"))) == 10


@pytest.mark.parametrize("file_format", ["array_record", "parquet"])
def test_data_sources(built: Path, file_format: str, gone: list[str], listed: Path) -> None:
    reader = builder(built / file_format, file_format)
    source = reader.as_data_source("train")
    assert len(source) == 61
    assert sorted(row[HASH].decode() for row in source) == kept(gone)
    assert [row[HASH] for row in source.__getitems__([60, 0])] == [
        source[60][HASH],
        source[0][HASH],
    ]
    with pytest.raises(IndexError):
        source[61]
    assert len(pickle.loads(pickle.dumps(source.data_source))) == 61
    assert len(reader.as_data_source()["train"]) == 61


def test_data_sources_of_slices(built: Path, gone: list[str], listed: Path) -> None:
    reader = builder(built / "array_record", "array_record")
    for parts in (["train[:50%]", "train[50%:]"], ["train[50%:]+train[:50%]"]):
        rows = [row[HASH].decode() for part in parts for row in reader.as_data_source(part)]
        assert sorted(rows) == kept(gone)


def test_without_our_builder(
    built: Path, gone: list[str], listed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read by its folder alone."""
    records = tfds.builder_from_directory(built / "tfrecord" / "pass_mini" / "1.0.0")
    assert type(records).__name__ == "ReadOnlyBuilder"
    assert sorted(hashes(records.as_dataset(split="train"))) == kept(gone)
    arrays = tfds.builder_from_directory(built / "array_record" / "pass_mini" / "1.0.0")
    assert len(arrays.as_data_source("train")) == 61
    monkeypatch.delenv("PASS_REMOVALS")
    assert len(hashes(records.as_dataset(split="train"))) == 64
    assert len(arrays.as_data_source("train")) == 64


def test_a_build_under_a_list_says_so(
    tmp_path: Path, gone: list[str], listed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = builder(tmp_path / "data")
    made.download_and_prepare()
    assert made.info.splits["train"].num_examples == 61
    folder = Path(made.data_dir)
    assert removals_for(folder).hashes >= set(gone)
    monkeypatch.delenv("PASS_REMOVALS")
    # Whoever reads it without the list is told; and it is not taken for damaged.
    assert sorted(hashes(builder(tmp_path / "data").as_dataset(split="train"))) == kept(gone)
    found = verify_build(folder)
    assert found.is_right
    assert (found.num_expected, found.num_read, found.num_still_there) == (61, 61, 0)


@pytest.mark.slow
def test_building_anew_keeps_the_folders_list(tmp_path: Path, gone: list[str]) -> None:
    made = builder(tmp_path)
    made.download_and_prepare()
    add_removals(Path(made.data_dir), gone)
    config = tfds.download.DownloadConfig(download_mode=tfds.GenerateMode.REUSE_CACHE_IF_EXISTS)
    builder(tmp_path).download_and_prepare(download_config=config)
    assert sorted(hashes(builder(tmp_path).as_dataset(split="train"))) == kept(gone)


def test_verify_build_of_before(built: Path, gone: list[str], listed: Path) -> None:
    found = verify_build(built / "tfrecord" / "pass_mini" / "1.0.0")
    assert found.is_right
    assert (found.num_expected, found.num_read, found.num_still_there) == (61, 64, 3)


@pytest.mark.parametrize("when", ["before", "after"])
def test_first_images(
    tmp_path: Path, gone: list[str], listed: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first ten of those that there were when it was built; both are right."""
    if when == "before":
        monkeypatch.delenv("PASS_REMOVALS")
    config = tfds.download.DownloadConfig(max_examples_per_split=10)
    made = builder(tmp_path / "data")
    made.download_and_prepare(download_config=config)
    monkeypatch.setenv("PASS_REMOVALS", str(listed))
    found = verify_build(made.data_dir)
    assert found.is_right, found.findings
    assert len(hashes(made.as_dataset(split="train"))) == (8 if when == "before" else 10)
    assert found.num_still_there == (2 if when == "before" else 0)


# --- positions ------------------------------------------------------------------------------------


def test_positions_where_the_order_is_another(built: Path, gone: list[str], listed: Path) -> None:
    reader = builder(built / "array_record", "array_record")
    raw = _Shuffled(reader.as_data_source("train").data_source._records)
    found = removed_positions(raw, read_removals(listed), "train")
    assert len(found) == 3
    left = KeptRecords(raw, found)
    assert len(left) == 61
    assert len({bytes(record) for record in left}) == 61


class _Shuffled:
    def __init__(self, records: Any) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, key: int) -> Any:
        return self._records[(key * 27 + 5) % 64]


@pytest.mark.parametrize("removed", [[], [0], [9], [0, 1, 2], [3, 5, 6, 9], list(range(10))])
def test_kept_records(removed: list[int]) -> None:
    import numpy as np

    left = KeptRecords(list("abcdefghij"), np.array(removed, np.int64))
    assert list(left) == [letter for n, letter in enumerate("abcdefghij") if n not in removed]
