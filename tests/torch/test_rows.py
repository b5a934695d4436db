"""Rows of `datasets` as batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import datasets
import pyarrow as pa
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset

from pass_dataset.torch import JpegBatch, collate_rows

JPEGS = [bytes([number]) * (number * 7 + 1) for number in range(20)]


def rows() -> list[dict[str, Any]]:
    return [
        {"image": {"bytes": jpeg, "path": f"{number}.jpg"}, "hash": f"{number:032x}", "gps": None}
        for number, jpeg in enumerate(JPEGS)
    ]


def table(some: list[dict[str, Any]]) -> pa.Table:
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    schema = pa.schema({"image": kind, "hash": pa.string(), "gps": pa.float32()})
    return pa.Table.from_pylist(some, schema=schema)


def jpegs_of(batch: JpegBatch) -> list[bytes]:
    return [jpeg.numpy().tobytes() for jpeg in batch]


@pytest.mark.parametrize("kind", ["rows", "tables of a row", "slices", "table", "batch"])
def test_the_same_however_they_come(kind: str) -> None:
    whole = table(rows())
    given: Any = {
        "rows": rows()[5:17],
        "tables of a row": [table([row]) for row in rows()[5:17]],
        "slices": [whole.slice(5, 3), whole.slice(8, 0), whole.slice(8, 9)],
        "table": whole.slice(5, 12),
        "batch": datasets.IterableDataset.from_generator(rows)
        .cast(datasets.Features.from_arrow_schema(whole.schema))
        .with_format("arrow")
        .skip(5)
        .take(12)
        .batch(12),
    }[kind]
    made = collate_rows(next(iter(given)) if kind == "batch" else given)
    assert list(made) == ["image", "hash", "gps"]
    assert jpegs_of(made["image"]) == JPEGS[5:17]
    assert made["hash"] == [row["hash"] for row in rows()[5:17]]
    assert made["gps"] == [None] * 12


class Rows(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        info = torch.utils.data.get_worker_info()
        yield from rows() if info is None else rows()[info.id :: info.num_workers]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_hands_them_over(workers: int) -> None:
    loader = DataLoader(Rows(), batch_size=4, num_workers=workers, collate_fn=collate_rows)
    batches = list(loader)
    found = [jpeg for batch in batches for jpeg in jpegs_of(batch["image"])]
    assert sorted(found) == sorted(JPEGS)
    assert [jpeg[0] for jpeg in found] == [
        int(name, 16) for batch in batches for name in batch["hash"]
    ]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([{"image": object()}], "object"),
        ([{"image": {"bytes": None, "path": "/a.jpg"}}], "no bytes"),
        (pa.table({"image": pa.array(["a.jpg"])}), "string"),
        (table([{"image": {"bytes": None, "path": "a"}, "hash": "", "gps": None}]), "null"),
    ],
)
def test_what_is_no_stored_image(given: Any, found: str) -> None:
    with pytest.raises(ValueError, match=rf"expected stored bytes, found {found}.*decode=False"):
        collate_rows(given)


def test_no_rows() -> None:
    with pytest.raises(ValueError, match="one or more, found none"):
        collate_rows([])
    none = table([{"image": {"bytes": b"a", "path": "a"}, "hash": "", "gps": None}]).slice(0, 0)
    batch = collate_rows(none)
    assert len(batch["image"]) == 0 and batch["hash"] == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([b"a"], "expected dicts or Arrow tables.*found bytes"),
        ([{"hash": "a"}], "expected a column 'image', found hash"),
        ([pa.table({"hash": ["a"]})], "expected a column 'image', found hash"),
        (
            [{"image": {"bytes": b"a"}, "hash": "a"}, {"image": {"bytes": b"b"}}],
            "rows: expected image, hash in each, found image",
        ),
        ([{"image": {"bytes": b"a"}}, b"b"], "rows: expected image in each, found bytes"),
    ],
)
def test_what_are_no_rows(rows: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        collate_rows(rows)
