from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pass_dataset.passify.sources.parquet_files import ParquetFiles
from pass_dataset.passify.sources.source import ListingReport


def listed(folder: Path, column: str | None = None) -> tuple[list[str], ListingReport]:
    report = ListingReport()
    source = ParquetFiles(os.fsencode(folder), name_column=column)
    return [item.path for item in source.items(report)], report


def write(path: Path, **columns: object) -> None:
    pq.write_table(pa.table({"image": [b"x"] * 3, **columns}), path)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "b.jpg", "line\nend"], ["t.parquet/a", "t.parquet/b.jpg", "\\t.parquet/line\\nend"]),
        (["a", "a", "b"], None),  # twice
        (["a", None, "b"], None),
        (["a", "", "b"], None),
        (["a", "b/c", "d"], None),
    ],
)
def test_names(tmp_path: Path, names: list[str | None], expected: list[str] | None) -> None:
    write(tmp_path / "t.parquet", hash=names, key=names)
    numbered = [f"t.parquet/{row}" for row in range(3)]
    assert listed(tmp_path)[0] == (expected or numbered)
    found, report = listed(tmp_path, "key")
    assert found == (expected or [])
    assert bool(report.unreadable) == (expected is None)


def test_columns(tmp_path: Path) -> None:
    write(tmp_path / "t.parquet", hash=[1, 2, 3])
    assert listed(tmp_path)[0] == [f"t.parquet/{row}" for row in range(3)]
    assert "columns: image, hash" in listed(tmp_path, "key")[1].unreadable[0]
    assert "found no such text" in listed(tmp_path, "hash")[1].unreadable[0]
