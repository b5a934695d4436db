"""The files: JSON that has every figure, a page that says them, and nobody's name in either."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import fields, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pass_dataset.archives.records import PassArchive
from pass_dataset.errors import MetadataError
from pass_dataset.reports.stats.classes import read_classes
from pass_dataset.reports.stats.collect import Stats, collect_stats
from pass_dataset.reports.stats.document import JSON_SCHEMA, as_json, write_json, write_page
from pass_dataset.reports.stats.page import render_page
from pass_dataset.reports.stats.places import Cell
from tests.reports.stats.conftest import HOSTILE, ROWS
from tests.support.collection import Collection
from tests.support.markup import ParsedPage
from tests.support.official import OfficialReleases

SECTIONS = [
    "Places",
    "Dates",
    "Sizes",
    "Cameras",
    "Photographers",
    "Licences and missing values",
    "How it was counted",
]


def page_of(stats: Stats) -> ParsedPage:
    return ParsedPage(render_page(stats, written_at=0.0))


def text_of(stats: Stats) -> str:
    return page_of(stats).text("body").replace("\xa0", " ")


# --- JSON -----------------------------------------------------------------------------------------


def test_json_has_every_figure(stats: Stats) -> None:
    content = json.loads(as_json(stats))
    assert content["schema"] == JSON_SCHEMA == 1
    assert set(content) == {"schema", *(field.name for field in fields(Stats))}
    assert content["places"]["cells"] == [[51, -1, 2], [-34, 151, 1], [0, 0, 1]]
    assert content["dates"]["years"][0] == [1900, 1]
    assert content["shapes"]["sizes"][0] == [500, 375, 2]
    assert content["licenses"][1] == [None, 1]
    assert content["columns"][0] == {"name": "unickname", "is_there": True, "missing": 1}


def test_json_says_what_is_not_known(stats: Stats) -> None:
    content = json.loads(as_json(replace(stats, dates=None, places=None, shapes=None)))
    assert content["dates"] is content["places"] is content["shapes"] is None


def test_nobody_is_named_and_no_place_is_exact(stats: Stats) -> None:
    text = as_json(stats) + render_page(stats, written_at=0.0)
    for name in {row[0] for row in ROWS} - {"", "NA"}:
        assert name not in text
    assert "151.2" not in text and "51.5" not in text


def test_files_are_whole_or_not_there(stats: Stats, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    written = [write_page(stats, out / "a.html"), write_json(stats, out / "a.json")]
    assert sorted(out.iterdir()) == written
    with pytest.raises(OSError):
        write_page(stats, out / "a.json" / "b.html")


# --- the page -------------------------------------------------------------------------------------


def test_has_every_section(stats: Stats) -> None:
    page = page_of(stats)
    assert page.texts["h2"] == SECTIONS
    assert page.texts["title"][0] == "pass 1.0.0 · statistics"  # plots have titles too
    text = page.text("body").replace("\xa0", " ")
    for said in (
        "8 images in 2 tars",
        "5 of 8 images have latitude and longitude (62.5 %).",
        "51° N to 52° N, 1° W to 0°",
        "34° S to 33° S, 151° E to 152° E",
        "after 20",
        "such as 0000…",
        "Headers that cannot be read: 1 image",
        "begins with b'<html>40', as no JPEG does",
        "3 of 7 images read name a camera (42.9 %)",
        "4 photographers have 7 images, 3 at most. PASS took at most 80 of each.",
        "None has more than 80.",
        "1 image without a photographer.",
        "Attribution License (CC-BY 2.0)",
        HOSTILE,
    ):
        assert re.sub(r"after 20\d\d-", "after 20", said) in re.sub(
            r"after 20\d\d-", "after 20", text
        ), said


def test_needs_no_other_file_and_no_script(stats: Stats) -> None:
    text = render_page(stats, written_at=0.0)
    page = ParsedPage(text)
    assert "script" not in {tag for tag, _ in page.tags}
    links = [value for _, attributes in page.tags for value in attributes.values() if value]
    assert not [link for link in links if re.match(r"https?:|//", link)]
    # An address that is not in the page would be asked for.
    assert "url(" not in text and "@import" not in text


def test_every_plot_has_a_word(stats: Stats) -> None:
    plots = re.findall(r'<svg class="plot.*?</svg>', render_page(stats, written_at=0.0), re.S)
    labels = [ET.fromstring(plot).attrib["aria-label"] for plot in plots]
    assert len(labels) == 8
    assert all(ET.fromstring(plot).attrib["role"] == "img" for plot in plots)
    assert (
        labels[0].replace("\xa0", " ")
        == "World map of 4 images in 3 cells; most, 2, at 51° N, 1° W"
    )
    assert labels[1].startswith("Images by year, ")


def test_odd_years_are_said_where_the_plot_ends(stats: Stats) -> None:
    assert "6 images with a date; 2 of other years are among the numbers below" in text_of(stats)


def test_years_without_any_that_is_frequent(stats: Stats) -> None:
    assert stats.dates is not None
    dates = replace(stats.dates, years=tuple((year, 1) for year in range(1, 3001)), known=3000)
    assert "Images by year, 1500 to 1500" in render_page(replace(stats, dates=dates), written_at=0)


def test_map(stats: Stats) -> None:
    """Cells lie where they should, neighbours of one level as one piece."""
    places = stats.places
    assert places is not None
    cells = (Cell(10, 20, 5000), *(Cell(-90, west, 1) for west in (-180, -179, -177)))
    text = render_page(
        replace(stats, places=replace(places, cells=cells, known=5003, outside=0)), written_at=0.0
    )
    paths = dict(re.findall(r'<path class="(level\d)" d="([^"]*)"/>', text))
    assert paths == {
        "level0": "M0 179h2v1h-2zM3 179h1v1h-1z",
        "level7": "M200 79h1v1h-1z",
    }
    assert "3,000 or more" in text


@pytest.mark.parametrize("over", [1, 2])
def test_photographers_over_the_bound(stats: Stats, over: int) -> None:
    found = replace(stats.photographers, over_bound=over, over_bound_images=81 * over)
    said = {
        1: "1 photographer has more than 80, 81 images together.",
        2: "2 photographers have more than 80, 162 images together.",
    }
    assert said[over] in text_of(replace(stats, photographers=found))


def test_photographers_of_very_many_images(stats: Stats) -> None:
    numbers = ((1, 5), (1_000_000, 1))
    text = render_page(
        replace(stats, photographers=replace(stats.photographers, numbers=numbers)), written_at=0.0
    )
    assert "1 to 10,000 images: 5 photographers" in text
    assert "990,001 to 1,000,000 images: 1 photographer" in text


def test_part_of_a_release(everything: Collection) -> None:
    release = everything.describe()
    everything.tar(0).unlink()
    text = text_of(collect_stats(PassArchive(everything.folder, release), sample=0))
    assert "4 images in 1 tar" in text and ": a part of the release" in text
    assert "Not there, and not counted: PASS.0.tar." in text
    assert "Sizes in pixels: no header was read." in text


def test_other_number_than_the_release_says(stats: Stats) -> None:
    assert "8 images; 7 were found" in text_of(replace(stats, images=7))


def test_sample_says_how_far_to_trust_it(many: Collection) -> None:
    stats = collect_stats(PassArchive(many.folder, many.tsv), sample=50, seed=3)
    text = text_of(stats)
    assert "50 images drawn at random (seed 3): with 95 % confidence" in text
    assert "within 14 percentage points" in text
    assert "No header could be read." in text  # these are no JPEGs
    assert "the first 20 of 50 images" in text


def test_empty_collection(tmp_path: Path) -> None:
    made = Collection(tmp_path / "archives", tars=1, per_tar=0)
    text = text_of(collect_stats(PassArchive(made.folder, made.describe())))
    assert "There is no image here, so there is nothing to count." in text


def test_official_release_beside_the_paper(official: OfficialReleases) -> None:
    third = collect_stats(PassArchive(official.root / "3.0.0"))
    assert "33.3 %; the paper: 552 K" in text_of(third)
    assert "after 2022-04-07" in text_of(third)
    first = text_of(collect_stats(PassArchive(official.root / "1.0.0")))
    assert "Latitude and longitude: not in this release." in first
    assert "Dates: not in this release." in first
    assert first.count("not in this release") == 2 + 2 + 3  # sections, cards, columns
    assert "552 K" not in first


def test_the_paper_is_not_quoted_for_other_collections(stats: Stats) -> None:
    assert "552" not in text_of(stats)


# --- classes --------------------------------------------------------------------------------------


def test_classes_are_shown_where_they_are_known(stats: Stats, tmp_path: Path) -> None:
    path = tmp_path / "seen <b>.parquet"
    told = [*[5] * 30, *[2] * 10, *[7] * 10, -1]
    pq.write_table(pa.table({"path": list(map(str, told)), "class": pa.array(told)}), path)
    found = read_classes(path)
    assert found.frequencies == (30, 10, 10) and found.unreadable == 1
    assert found.effective_number == pytest.approx(2.586, abs=1e-3)
    assert "Classes" not in text_of(stats)
    text = text_of(replace(stats, classes=(found, found)))
    assert "seen <b>.parquet" in text and "50 images, 3 classes (2.6)" in text
    content = json.loads(as_json(replace(stats, classes=(found,))))
    assert content["classes"][0]["frequencies"] == [30, 10, 10]


def test_file_that_has_no_classes(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"path": ["a"]}), path)
    for _ in range(2):
        with pytest.raises(MetadataError, match="as pass-evaluate classes writes it"):
            read_classes(path)
        path.write_text("nothing")
