"""A collection with one of everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pass_dataset.archives.records import PassArchive
from pass_dataset.releases.release import official_release
from pass_dataset.reports.stats.collect import Stats, collect_stats
from tests.reports.stats.headers import exif, jpeg
from tests.support.collection import HEADER, Collection, image_hash
from tests.support.official import OfficialReleases, make_official

#: Text that must not become HTML; a licence, as the names of photographers are not shown at all.
HOSTILE = "<script>alert(1)</script>&amp;"

#: Photographer, date, licence, latitude and longitude of the images, in the order of the tars.
ROWS = [
    ("anna", "2007-05-06 06:11:48.0", "Attribution License", "51.5,-0.1"),
    ("anna", "2007-05-07 06:11:48.0", "Attribution License", "51.6,-0.2"),
    ("anna", "2009-01-01 00:00:00.0", "Attribution License", "-33.9,151.2"),
    ("bert", "1900-01-01 12:00:00.0", "Attribution License", "0.0,0.0"),
    ("bert", "2037-06-01 12:00:00.0", "Attribution License", "95.0,1.0"),
    ("NA", "0000-00-00 00:00:00.0", HOSTILE, "12.5,"),
    ("clara", "", "", ","),
    ("", "2010-11-12 13:14:15.0", "Attribution License", ","),
]
#: Width, height and camera of the images; None: no JPEG.
SHAPES = [
    (500, 375, "Canon"),
    (500, 375, "Canon"),
    (375, 500, "NIKON"),
    (500, 333, None),
    (500, 500, None),
    None,
    (500, 120, None),
    (240, 180, None),
]


def body(number: int) -> bytes:
    shape = SHAPES[number]
    if shape is None:
        return b"<html>404</html>"
    width, height, make = shape
    tiff = None if make is None else exif(make, f"{make} 1")
    return jpeg(width, height, tiff=tiff, components=1 if number == 3 else 3, end=bytes([number]))


def make_collection(folder: Path) -> Collection:
    made = Collection(folder, tars=2, per_tar=4, body=body)
    lines = [
        f"{number},{creator},{date},{licence},{image_hash(number)},{place}"
        for number, (creator, date, licence, place) in enumerate(ROWS)
    ]
    made.write_csv([HEADER, *lines])
    return made


@pytest.fixture
def everything(tmp_path: Path) -> Collection:
    """Eight images in two tars."""
    return make_collection(tmp_path / "archives")


@pytest.fixture
def stats(everything: Collection) -> Stats:
    return collect_stats(PassArchive(everything.folder, everything.describe()))


@pytest.fixture
def official(tmp_path: Path) -> Iterator[OfficialReleases]:
    """Small releases 1.0.0 to 3.0.0, taken for the published ones."""
    made = make_official(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        made.publish(patch)
        yield made
    official_release.cache_clear()
