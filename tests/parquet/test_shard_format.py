"""A Parquet file: row groups, encodings, and what is taken for whole."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.open_tars import OpenTars
from pass_dataset.builds.writing.layout import lay_out, shuffled_records
from pass_dataset.builds.writing.shard_files import write_shard
from pass_dataset.errors import BuildError
from pass_dataset.parquet import shard_format as shards
from pass_dataset.parquet.shard_format import ImageParquet, row_group_rows, row_group_stops


def written(path: Path, shard_format: ImageParquet) -> tuple[list[int], int]:
    """Writes the mini release as one shard; the sizes reported, and bytes of the examples."""
    archive = open_mini()
    layout = lay_out(shuffled_records(archive, "train", shard_format), 1)
    reported: list[int] = []
    tars = OpenTars(archive.folder, archive.summary.tars)
    write_shard(layout.records, tars, path, shard_format, reported.append)
    tars.close()
    return reported, layout.shard_bytes[0]


@pytest.mark.parametrize(
    ("sizes", "stops"),
    [
        ([], []),
        ([1], [1]),
        ([1, 1, 1, 1], [3, 4]),
        ([1, 1, 1, 1, 1, 1], [3, 6]),
        ([10, 1, 1, 1, 12, 9], [1, 4, 5, 6]),
        ([4, 4, 4, 4], [3, 4]),
    ],
)
def test_row_groups_end_by_rows_or_bytes(sizes: list[int], stops: list[int]) -> None:
    assert list(row_group_stops(sizes, max_rows=3, max_bytes=10)) == stops


@pytest.mark.parametrize(
    ("sizes", "rows"),
    [
        ([124_000] * 50, 32),  # PASS
        ([121_000, 130_000] * 50, 32),
        ([600] * 50, 1024),
        ([3_000_000], 1),
        ([80_000_000] * 3, 1),
        ([0], 1024),
        ([], 1024),
    ],
)
def test_rows_of_a_row_group(sizes: list[int], rows: int) -> None:
    assert row_group_rows(sizes, ImageParquet().row_group_bytes) == rows


def test_what_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "shard"
    reported, example_bytes = written(path, ImageParquet(row_group_bytes=160_000))
    assert sum(reported) == example_bytes
    file = pq.ParquetFile(path)
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    assert [group.num_rows for group in groups] == [8] * 8
    for group in groups:
        columns = {c.path_in_schema: c for c in map(group.column, range(group.num_columns))}
        assert {column.compression for column in columns.values()} == {"UNCOMPRESSED"}
        assert not any("DICT" in code for column in columns.values() for code in column.encodings)
        assert all(column.has_offset_index for column in columns.values())
        assert columns["hash"].statistics.has_min_max
        # Statistics of images would be images.
        assert not columns["image.bytes"].is_stats_set
    assert path.stat().st_size < example_bytes * 1.05


def test_num_bytes_is_about_what_arrow_takes(tmp_path: Path) -> None:
    _, example_bytes = written(tmp_path / "shard", ImageParquet())
    assert pq.read_table(tmp_path / "shard").nbytes == pytest.approx(example_bytes, rel=1e-3)


def test_a_cut_file_is_not_whole(tmp_path: Path) -> None:
    path, shard_format = tmp_path / "shard", ImageParquet()
    _, example_bytes = written(path, shard_format)
    size_bytes = path.stat().st_size
    assert shard_format.fits(path, size_bytes, 64, example_bytes)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert not shard_format.fits(path, size_bytes, 64, example_bytes)
    path.write_bytes(b"PAR1")
    assert not shard_format.fits(path, 4, 64, example_bytes)


def test_an_image_too_large_for_a_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "_MAX_IMAGE_BYTES", 1000)
    with pytest.raises(BuildError, match=r"image \w+ has [\d,]+ bytes; .* of up to 1,000"):
        written(tmp_path / "shard", ImageParquet())
    assert not list(tmp_path.iterdir())
