"""Dates in formats of tensors, of which `datasets` knows none."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

import pass_dataset  # noqa: F401  (registers the datasets)
from pass_dataset.archives.ensure import open_mini
from pass_dataset.huggingface.dates import UNKNOWN, is_date, microseconds

FIRST = datetime.datetime(1970, 1, 1)


def expected() -> list[int]:
    return [
        UNKNOWN
        if record.date_taken is None
        else (record.date_taken - FIRST) // datetime.timedelta(microseconds=1)
        for record in open_mini()
    ]


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Any:
    cache = str(tmp_path_factory.mktemp("cache"))
    return datasets.load_dataset("pass_mini", split="train", cache_dir=cache)


@pytest.mark.parametrize("kind", ["torch", "tensorflow"])
def test_rows_batches_and_columns(mini: Any, kind: str) -> None:
    pytest.importorskip(kind)
    wanted = expected()
    assert UNKNOWN in wanted
    formatted = mini.with_format(kind)
    assert [int(row["date_taken"]) for row in formatted] == wanted
    batch = formatted[:]["date_taken"]
    assert "int64" in str(batch.dtype)
    assert batch.numpy().tolist() == wanted
    assert formatted["date_taken"][:5].numpy().tolist() == wanted[:5]


def test_a_loader_of_torch(mini: Any) -> None:
    data = pytest.importorskip("torch.utils.data")
    rows = mini.with_format("torch").select_columns(["hash", "date_taken"])
    batches = list(data.DataLoader(rows, batch_size=16))
    assert [int(date) for batch in batches for date in batch["date_taken"]] == expected()


def test_streams(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    stream = datasets.load_dataset(
        "pass_mini", split="train", streaming=True, cache_dir=str(tmp_path)
    ).with_format("torch")
    found = [row["date_taken"] for row in stream]
    assert [UNKNOWN if date is None else int(date) for date in found] == expected()


def test_jax_keeps_what_numpy_has(mini: Any) -> None:
    pytest.importorskip("jax")
    dates = mini.with_format("jax")[:]["date_taken"]
    assert microseconds(np.stack(dates)).tolist() == expected()


def test_of_other_datasets_too() -> None:
    pytest.importorskip("torch")
    rows = datasets.Dataset.from_dict({"when": [[FIRST, FIRST.replace(microsecond=7)]]})
    assert rows.with_format("torch")[0]["when"].tolist() == [0, 7]


def test_what_is_no_date_fails_as_before() -> None:
    """`datasets` says itself what it cannot do."""
    pytest.importorskip("torch")
    rows = datasets.Dataset.from_dict({"span": [datetime.timedelta(seconds=1)]})
    with pytest.raises(TypeError, match="timedelta64"):
        rows.with_format("torch")[0]


def test_dates() -> None:
    assert is_date(FIRST)
    assert is_date(np.datetime64("2001-01-01"))
    assert not is_date("2001-01-01")
    assert not is_date(np.array([1]))
    assert microseconds(np.datetime64("1970-01-01T00:00:01")) == 1_000_000
    assert microseconds(np.array(["NaT"], "datetime64[s]")).tolist() == [UNKNOWN]


@pytest.mark.parametrize("name", ["pass", "pass_mini"])
@pytest.mark.parametrize("files", ["x.tar", ["x.tar"], {"train": "x.tar"}])
def test_data_files_are_refused_by_name(name: str, files: Any) -> None:
    with pytest.raises(ValueError, match=r"data_files= is not taken for .* data_dir=, .* parts="):
        datasets.load_dataset(name, data_files=files)
