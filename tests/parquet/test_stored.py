"""An export compared with its archives: damage is found and named by file, record and hash."""

from __future__ import annotations

import functools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pass_dataset.archives.ensure import open_mini
from pass_dataset.builds.catalogue import open_stored
from pass_dataset.builds.reading.comparison import BuildVerification, FindingKind, verify_build
from pass_dataset.errors import UnreadableBuildError
from pass_dataset.files.checked_json import save_json
from pass_dataset.parquet.manifest import EXPORT_NAME
from pass_dataset.parquet.stored import ParquetFolder

Verify = Callable[[Path], BuildVerification]


@pytest.fixture
def export(mini_export: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(mini_export, tmp_path / "export"))


@pytest.fixture
def verified(mini_archives: Path) -> Verify:
    return functools.partial(verify_build, archives=mini_archives)


def shard_of(export: Path, number: int = 1) -> Path:
    return sorted((export / "data").iterdir())[number]


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 1]))


def rewrite(path: Path, edit: Callable[[pa.Table], pa.Table]) -> None:
    table = pq.read_table(path)
    # Nothing is left to find but what was edited.
    pq.write_table(edit(table), path, row_group_size=32)


def with_column(table: pa.Table, name: str, values: list[object]) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(
        place, table.schema.field(name), pa.array(values, table.schema.field(name).type)
    )


def test_right(export: Path, verified: Verify) -> None:
    found = verified(export)
    assert found.is_right
    assert (found.num_read, found.num_expected) == (64, 64)
    assert found.build.label == "pass_mini 1.0.0"


def test_a_flipped_bit_of_an_image(export: Path, verified: Verify) -> None:
    shard = shard_of(export)
    hashes = pq.read_table(shard)["hash"].to_pylist()
    jpeg = open_mini().by_hash(hashes[3]).jpeg
    flip(shard, shard.read_bytes().index(jpeg) + len(jpeg) // 2)
    (finding,) = verified(export).findings
    assert finding.kind is FindingKind.IMAGE
    assert (finding.shard, finding.record, finding.hash) == (shard.name, 3, hashes[3])


def test_every_flipped_bit_of_the_records_is_found(export: Path, verified: Verify) -> None:
    """Anywhere before the indexes and the footer, one byte in a hundred thousand."""
    shard = shard_of(export)
    before = shard.read_bytes()
    metadata = pq.ParquetFile(shard).metadata
    columns = [
        metadata.row_group(group).column(number)
        for group in range(metadata.num_row_groups)
        for number in range(metadata.num_columns)
    ]
    end = max(column.data_page_offset + column.total_compressed_size for column in columns)
    for position in (*range(4, end, end // 20), end - 1, end - 20):
        flip(shard, position)
        assert not verified(export).is_right, position
        shard.write_bytes(before)


@pytest.mark.parametrize(
    ("name", "value", "detail"),
    [
        ("creator_uname", "nobody", "found 'nobody'"),
        ("gps_lat", 1.25, "found 1.25"),
        ("date_taken", None, "found None"),
    ],
)
def test_changed_metadata(
    export: Path, verified: Verify, name: str, value: object, detail: str
) -> None:
    shard = shard_of(export)

    def edit(table: pa.Table) -> pa.Table:
        values = table[name].to_pylist()
        place = next(n for n, old in enumerate(values) if old is not None)
        return with_column(table, name, [*values[:place], value, *values[place + 1 :]])

    rewrite(shard, edit)
    (finding,) = verified(export).findings
    assert finding.kind is FindingKind.METADATA
    assert name in finding.detail
    assert detail in finding.detail


def test_missing_and_double_records(export: Path, verified: Verify) -> None:
    shard = shard_of(export)
    rewrite(shard, lambda table: pa.concat_tables([table.slice(1, 1), table.slice(1)]))
    kinds = verified(export).counts
    assert kinds == {FindingKind.DUPLICATE: 1, FindingKind.MISSING: 1}
    rewrite(shard, lambda table: table.slice(1))
    assert verified(export).counts == {FindingKind.MISSING: 1, FindingKind.COUNT: 1}


def test_a_damaged_footer(export: Path, verified: Verify) -> None:
    shard = shard_of(export)
    length = pq.ParquetFile(shard).metadata.num_rows
    flip(shard, shard.stat().st_size - 1)
    found = verified(export)
    assert found.counts[FindingKind.UNREADABLE] == 1
    assert found.counts[FindingKind.MISSING] == length
    finding = next(item for item in found.findings if item.kind is FindingKind.UNREADABLE)
    assert finding.shard == shard.name
    assert "cannot be opened: " in finding.detail


def test_a_cut_and_a_missing_file(export: Path, verified: Verify) -> None:
    os.truncate(shard_of(export, 0), 1000)
    shard_of(export, 1).unlink()
    found = verified(export)
    assert found.counts[FindingKind.UNREADABLE] == 1
    assert found.counts[FindingKind.NO_SHARD] == 1
    assert not found.is_right


def test_other_columns(export: Path, verified: Verify) -> None:
    rewrite(shard_of(export), lambda table: table.drop_columns(["hash"]))
    found = verified(export)
    finding = next(item for item in found.findings if item.kind is FindingKind.UNREADABLE)
    assert "has other columns: " in finding.detail


def test_other_archives(export: Path, tmp_path: Path) -> None:
    from tests.support.collection import Collection

    other = Collection(tmp_path / "other")
    other.describe()
    with pytest.raises(Exception, match="is missing; pass-dataset download"):
        verify_build(export, archives=tmp_path)
    with pytest.raises(Exception, match=r"PASS\.0\.tar: expected [\d,]+ bytes as in pass_mini"):
        verify_build(export, archives=other.folder)


def test_on_record_until_a_file_changes(export: Path, verified: Verify) -> None:
    stored = ParquetFolder.open(export)
    assert not stored.is_on_record()
    assert verified(export).is_right
    assert stored.is_on_record()
    os.utime(shard_of(export))
    assert not stored.is_on_record()


def test_wrong_is_not_put_on_record(export: Path, verified: Verify) -> None:
    shard_of(export).unlink()
    assert not verified(export).is_right
    assert not ParquetFolder.open(export).is_on_record()


def test_an_unfinished_folder(export: Path) -> None:
    (export / EXPORT_NAME).unlink()
    with pytest.raises(UnreadableBuildError, match="no finished Parquet export"):
        open_stored(export)


def test_a_description_of_another_time(export: Path) -> None:
    content = json.loads((export / EXPORT_NAME).read_text())
    (export / EXPORT_NAME).write_text(json.dumps({**content, "schema": 99}))
    with pytest.raises(UnreadableBuildError, match="does not fit its checksum"):
        open_stored(export)
    del content["checksum"]
    save_json(export / EXPORT_NAME, {**content, "schema": 99})
    with pytest.raises(UnreadableBuildError, match=r"export\.json: cannot be read \(schema 99"):
        open_stored(export)
