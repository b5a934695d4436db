from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from pass_dataset.archives.streaming import metadata
from pass_dataset.archives.streaming.metadata import MetadataTable, fetch_metadata
from pass_dataset.errors import FolderError
from pass_dataset.progress import Silent
from tests.support.collection import HEADER, Collection


def fetched(collection: Collection, folder: Path) -> MetadataTable:
    release = collection.describe()
    mirrors = [collection.folder.as_uri()]
    return MetadataTable.open(fetch_metadata(folder, release, mirrors=mirrors, progress=Silent()))


def test_rows(collection: Collection, tmp_path: Path) -> None:
    table = fetched(collection, tmp_path / "kept")
    for number, name in enumerate(collection.hashes):
        assert name in table
        assert table.row(name)["creator"] == f"user{number % 5}%3C3"
    assert "0" not in table
    assert "f" * 40 not in table
    assert 7 not in table
    assert set(table.row("0").values()) == {"0", None}


def test_rows_of_many() -> None:
    """Hashes of any length, those that begin alike too."""
    names = sorted({"", "ab", "zz", *(f"{number * 977 % 4096:03x}same" for number in range(700))})
    names = sorted([*names, *(f"0123456789{number:02x}" for number in range(90)), "é"])
    table = MetadataTable(pa.RecordBatch.from_pydict({"hash": names[3:]}))
    unknown = ["", "a", "0123456789", "0123456789ff", "zzz", "\udcff"]
    expected = [*range(len(names) - 3), *(-1 for _ in unknown)]
    assert table.rows([*names[3:], *unknown]).tolist() == expected
    assert table.columns(table.rows(["zz", "zzz"]), ["hash"])["hash"].to_pylist() == ["zz", None]


def test_no_rows(collection: Collection, tmp_path: Path) -> None:
    collection.write_csv([HEADER])
    table = fetched(collection, tmp_path / "kept")
    assert "a" not in table
    assert table.rows(["a"]).tolist() == [-1]


def test_another_csv_is_another_table(collection: Collection, tmp_path: Path) -> None:
    fetched(collection, tmp_path / "kept")
    collection.csv.write_text(collection.csv.read_text().replace("user", "name"))
    release = collection.describe()
    with pytest.raises(FolderError, match=r"holds files that are not those of"):
        fetch_metadata(
            tmp_path / "kept", release, mirrors=[collection.folder.as_uri()], progress=Silent()
        )


def test_half_written_files_are_made_anew(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched(collection, tmp_path / "kept")
    made = tmp_path / "kept" / "pass_metadata.arrow"
    made.write_bytes(made.read_bytes()[:100])
    assert collection.hashes[0] in fetched(collection, tmp_path / "kept")
    monkeypatch.setattr(metadata, "_SCHEMA", b"2")
    before = made.stat().st_mtime_ns
    assert collection.hashes[0] in fetched(collection, tmp_path / "kept")
    assert made.stat().st_mtime_ns > before


def test_memory_is_the_file_s(collection: Collection, tmp_path: Path) -> None:
    """The table is a map of the file, which all processes share."""
    import pyarrow as pa

    table = fetched(collection, tmp_path / "kept")
    start = pa.total_allocated_bytes()
    again = MetadataTable.open(tmp_path / "kept" / "pass_metadata.arrow")
    assert again.table.equals(table.table)
    assert pa.total_allocated_bytes() == start
