from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from pass_dataset import PassArchive
from pass_dataset.errors import ArchiveError
from pass_dataset.huggingface import tables
from pass_dataset.huggingface.features import FEATURES, example
from tests.support.collection import Collection


def test_ranges_are_joined() -> None:
    assert tables.joined([]) == []
    assert tables.joined([(0, 3), (3, 5), (6, 7), (7, 9)]) == [(0, 5), (6, 9)]
    assert tables.joined([(5, 9), (0, 5)]) == [(5, 9), (0, 5)]


@pytest.mark.parametrize("table_bytes", [1, 900, 1300, 1 << 20])
@pytest.mark.parametrize("table_rows", [1, 4, 100])
def test_rows_are_those_of_the_records(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, table_bytes: int, table_rows: int
) -> None:
    monkeypatch.setattr(tables, "_TABLE_BYTES", table_bytes)
    monkeypatch.setattr(tables, "_TABLE_ROWS", table_rows)
    archive = PassArchive(collection.folder, collection.tsv)[[3, 1, 14, 2, 7, 8]]
    made = list(tables.read_tables(archive, [(0, 2), (2, 6)]))
    assert all(len(table) <= max(1, min(table_rows, table_bytes // 400)) for table in made)
    rows = pa.concat_tables(made)
    assert rows.schema.names == list(FEATURES)
    expected = [FEATURES.encode_example(example(record)) for record in archive]
    assert rows.cast(FEATURES.arrow_schema).to_pylist() == (
        pa.Table.from_pylist(expected, schema=FEATURES.arrow_schema).to_pylist()
    )


def test_a_cut_tar(collection: Collection, tmp_path: Path) -> None:
    archive = PassArchive(collection.folder, collection.tsv)
    collection.tar(2).write_bytes(collection.tar(2).read_bytes()[:2000])
    with pytest.raises(ArchiveError, match=r"PASS\.2\.tar: is not the file that was indexed"):
        list(tables.read_tables(archive, [(0, 15)]))
