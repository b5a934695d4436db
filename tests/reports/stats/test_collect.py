"""All figures of collections whose answers are known."""

from __future__ import annotations

import datetime
import io
from pathlib import Path

import pytest

from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.records import PassArchive
from pass_dataset.reports.stats.collect import ColumnFields, Stats, collect_stats
from pass_dataset.reports.stats.places import Cell
from tests.reports.stats.conftest import HOSTILE, body, make_collection
from tests.support.collection import Collection
from tests.support.official import COUNTS, OfficialReleases


def test_everything(stats: Stats, everything: Collection) -> None:
    assert (stats.images, stats.expected_images) == (8, 8)
    assert (stats.tars, stats.missing_tars) == (("PASS.0.tar", "PASS.1.tar"), ())
    assert stats.is_whole and not stats.is_official
    assert stats.image_bytes is not None
    assert stats.image_bytes.total == sum(len(body(number)) for number in range(8))
    assert stats.columns == (
        ColumnFields("unickname", True, 1),
        ColumnFields("licensename", True, 1),
        ColumnFields("datetaken", True, 1),
        ColumnFields("latitude", True, 2),
        ColumnFields("longitude", True, 3),
    )
    assert stats.licenses == (("Attribution License", 6), (None, 1), (HOSTILE, 1))


def test_places_dates_photographers(stats: Stats) -> None:
    assert stats.places is not None and stats.dates is not None
    assert (stats.places.known, stats.places.half_known, stats.places.missing) == (5, 1, 2)
    assert stats.places.cells == (Cell(51, -1, 2), Cell(-34, 151, 1), Cell(0, 0, 1))
    assert (stats.dates.known, stats.dates.missing, stats.dates.unreadable) == (6, 1, 1)
    assert stats.dates.years == ((1900, 1), (2007, 2), (2009, 1), (2010, 1), (2037, 1))
    assert (stats.dates.early, stats.dates.late) == (1, 1)
    assert stats.photographers.numbers == ((1, 2), (2, 1), (3, 1))
    assert stats.photographers.unknown == 1


def test_shapes(stats: Stats, everything: Collection) -> None:
    shapes = stats.shapes
    assert shapes is not None
    assert (shapes.read, shapes.known, shapes.is_sample, shapes.margin) == (8, 7, False, 0)
    assert (shapes.landscape, shapes.portrait, shapes.square, shapes.grey) == (5, 1, 1, 1)
    assert shapes.sizes[0] == (500, 375, 2)
    assert shapes.distinct_sizes == 6
    ratios = {"1:1": 1, "5:4": 0, "4:3": 4, "7:5": 0, "3:2": 1, "16:9": 0, "other": 1}
    assert dict(shapes.ratios) == ratios
    assert sum(shapes.shape_histogram.counts) == 7
    assert shapes.shape_histogram.counts[-1] == 1  # 500×120 is beyond four to one
    assert shapes.longer_side is not None and shapes.pixels is not None
    assert (shapes.longer_side.minimum, shapes.longer_side.maximum) == (240, 500)
    assert shapes.pixels.maximum == 250_000
    assert shapes.cameras.known == 3
    assert shapes.cameras.makes == (("Canon", 2), ("NIKON", 1))
    assert shapes.cameras.models == (("Canon 1", 2), ("NIKON 1", 1))
    (bad,) = shapes.unreadable_images
    assert (bad.hash, bad.tar) == (everything.hashes[5], "PASS.1.tar")
    assert bad.problem == "begins with b'<html>40', as no JPEG does"
    data = everything.tar(1).read_bytes()
    assert data[bad.offset :].startswith(b"<html>404")


def test_mini_agrees_with_its_records_one_by_one() -> None:
    archive = open_mini()
    found = collect_stats(archive)
    records = list(archive)
    assert found.places is not None and found.dates is not None and found.shapes is not None
    assert found.images == 64
    assert found.places.known == sum(record.latitude is not None for record in records)
    assert sum(cell.images for cell in found.places.cells) == found.places.known
    years = [record.date_taken.year for record in records if record.date_taken]
    assert dict(found.dates.years) == {year: years.count(year) for year in years}
    names = [record.creator for record in records]
    numbers = [names.count(name) for name in set(names)]
    assert dict(found.photographers.numbers) == {n: numbers.count(n) for n in numbers}
    pillow = pytest.importorskip("PIL.Image")
    sizes = [pillow.open(io.BytesIO(record.jpeg)).size for record in records]
    assert {(w, h): n for w, h, n in found.shapes.sizes} == {s: sizes.count(s) for s in sizes}


def test_sample(many: Collection) -> None:
    """Drawn by the seed alone; half and more of the images are all of them."""
    archive = PassArchive(many.folder, many.tsv)
    shapes = [collect_stats(archive, sample=50, seed=seed).shapes for seed in (0, 0, 1)]
    hashes = [[bad.hash for bad in each.unreadable_images] for each in shapes if each]
    assert hashes[0] == hashes[1] != hashes[2]
    first = shapes[0]
    assert first is not None
    assert (first.read, first.is_sample, first.seed) == (50, True, 0)
    assert first.margin == pytest.approx(0.144, abs=0.003)  # 1.96 * sqrt(0.25 / 50), and a little
    everything = collect_stats(archive, sample=120).shapes
    assert everything is not None
    assert (everything.read, everything.is_sample, everything.seed) == (240, False, None)
    assert collect_stats(archive, sample=None).shapes == everything
    assert collect_stats(archive, sample=0).shapes is None
    with pytest.raises(ValueError, match="sample: expected 0 or more, found -1"):
        collect_stats(archive, sample=-1)


def test_release_1_has_no_dates_and_places(official: OfficialReleases) -> None:
    first = collect_stats(PassArchive(official.root / "1.0.0"))
    assert first.is_official
    assert (first.images, first.dates, first.places) == (COUNTS["1.0.0"], None, None)
    there = {column.name: (column.is_there, column.missing) for column in first.columns}
    assert there["datetaken"] == there["latitude"] == (False, None)
    assert there["unickname"] == (True, 0)
    third = collect_stats(PassArchive(official.root / "3.0.0"))
    assert third.dates is not None and third.places is not None
    assert third.dates.until == "2022-04-07"
    assert third.places.known == 3


def test_parts_and_missing_tars(everything: Collection) -> None:
    release = everything.describe()
    part = collect_stats(PassArchive(everything.folder, release, parts=[1]))
    assert (part.images, part.tars, part.missing_tars) == (4, ("PASS.1.tar",), ())
    assert not part.is_whole
    assert part.photographers.unknown == 1
    everything.tar(0).unlink()
    rest = collect_stats(PassArchive(everything.folder, release))
    assert (rest.images, rest.tars, rest.missing_tars) == (4, ("PASS.1.tar",), ("PASS.0.tar",))
    assert not rest.is_whole
    assert rest.shapes is not None and rest.shapes.unreadable == 1
    assert (rest.places, rest.dates) == (part.places, part.dates)


def test_views(everything: Collection) -> None:
    archive = PassArchive(everything.folder, everything.describe())
    found = collect_stats(archive.leaving_out(everything.hashes[:3]))
    assert found.images == 5
    assert found.photographers.photographers == 3
    assert not found.is_whole


def test_images_without_a_row(everything: Collection) -> None:
    lines = everything.csv.read_text().splitlines()
    everything.csv.write_text("\n".join([*lines[:-1], ""]))
    found = collect_stats(PassArchive(everything.folder, everything.describe()))
    assert found.images_without_row == 1
    assert found.licenses[1] == (None, 2)


def test_empty_collection(tmp_path: Path) -> None:
    made = Collection(tmp_path / "archives", tars=2, per_tar=0)
    found = collect_stats(PassArchive(made.folder, made.describe()))
    assert (found.images, found.image_bytes, found.licenses) == (0, None, ())
    assert found.tars == ("PASS.0.tar", "PASS.1.tar")
    assert found.shapes is not None and found.shapes.longer_side is None
    assert found.places is not None and found.places.cells == ()


def test_today_bounds_the_dates_of_a_release_without_date(tmp_path: Path) -> None:
    made = make_collection(tmp_path / "archives")
    archive = PassArchive(made.folder, made.describe())
    found = collect_stats(archive, today=datetime.date(2008, 1, 1)).dates
    assert found is not None
    assert (found.until, found.late) == ("2008-01-01", 3)
