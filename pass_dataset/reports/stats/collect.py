"""All figures of an archive, from its index and the headers of some of its images."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pass_dataset.archives.metadata import known_columns
from pass_dataset.archives.order import shuffled_order
from pass_dataset.archives.records import PassArchive
from pass_dataset.files.arrow import give_back
from pass_dataset.folders.review_receipt import ReviewReceipt, review_of
from pass_dataset.progress import Progress
from pass_dataset.reports.samples import DEFAULT_SAMPLE
from pass_dataset.reports.stats.classes import ClassFrequencies
from pass_dataset.reports.stats.dates import Dates, count_dates
from pass_dataset.reports.stats.headers import read_headers
from pass_dataset.reports.stats.numbers import Histogram, Spread, histogram_of, spread_of
from pass_dataset.reports.stats.photographers import Photographers, count_photographers
from pass_dataset.reports.stats.places import Places, count_places
from pass_dataset.reports.stats.shapes import Shapes, count_shapes

__all__ = ["ColumnFields", "Stats", "collect_stats"]

#: Columns of the CSV, by name, and those of the index that hold them as they stand there.
_COLUMNS = {
    "unickname": "creator",
    "licensename": "license",
    "datetaken": "date_taken_text",
    "latitude": "latitude",
    "longitude": "longitude",
}


@dataclass(frozen=True)
class ColumnFields:
    """Fields of a column of the metadata CSV.

    Attributes:
      name: of the column.
      is_there: the CSV has it; release 1 has neither dates nor positions.
      missing: images whose field is empty, or that have no row; None if there is no such column.
    """

    name: str
    is_there: bool
    missing: int | None


@dataclass(frozen=True)
class Stats:
    """The figures of a collection. What is None is not known, which is not the same as none.

    Attributes:
      release: what it is, ``PASS 3.0.0``.
      name, version: of the release.
      is_official: the files are those of a published PASS release.
      is_whole: all tars of the release are there, and all their images are counted.
      tars: names of the tars that are counted.
      missing_tars: names of the release's tars that are not there.
      images: number of images.
      expected_images: that all tars together have, or None where the release does not say.
      images_without_row: images of all tars that are there without a row in the CSV.
      image_bytes: bytes an image, in short.
      image_bytes_histogram: the same, counted.
      columns: fields that are missing, by column.
      licenses: licences as the CSV names them, with their images, most frequent first; None: not
        stated.
      photographers: images of each.
      dates: when they were taken; None: the release has no dates.
      places: where; None: the release has no positions.
      shapes: sizes and cameras; None: no header was asked for.
      review: what is known of people that are left; None: nobody has looked.
      classes: what a classifier saw in it, and in others beside it, where it was asked.
    """

    release: str
    name: str
    version: str
    is_official: bool
    is_whole: bool
    tars: tuple[str, ...]
    missing_tars: tuple[str, ...]
    images: int
    expected_images: int | None
    images_without_row: int
    image_bytes: Spread | None
    image_bytes_histogram: Histogram | None
    columns: tuple[ColumnFields, ...]
    licenses: tuple[tuple[str | None, int], ...]
    photographers: Photographers
    dates: Dates | None
    places: Places | None
    shapes: Shapes | None
    review: ReviewReceipt | None = None
    classes: tuple[ClassFrequencies, ...] = ()


def collect_stats(
    archive: PassArchive,
    *,
    sample: int | None = DEFAULT_SAMPLE,
    seed: int = 0,
    today: datetime.date | None = None,
    progress: Progress | None = None,
) -> Stats:
    """The figures of the images of an archive, or of a view of one.

    Args:
      archive: whose images are counted.
      sample: images whose header is read, drawn at random; None: all; 0: none. A sample that would
        be larger than half the images is all of them.
      seed: of the sample.
      today: images of a release without a date were taken by then; None: this day.
      progress: shows how far it is.

    Raises:
      ValueError: `sample` is less than 0.
      ArchiveError: a tar cannot be read, or was cut.
      MetadataError: the CSV cannot be read.
    """
    if sample is not None and sample < 0:
        raise ValueError(f"sample: expected 0 or more, found {sample}")
    release, summary = archive.release, archive.summary
    present = set(known_columns(archive.archives.metadata))
    sizes = _column(archive, "size_bytes").to_numpy()
    missing = [file.filename for file in release.tars if file.filename not in summary.tars]
    stats = Stats(
        release=release.label,
        name=release.name,
        version=release.version,
        is_official=release.is_official,
        is_whole=archive.is_whole and not missing,
        tars=_counted_tars(archive),
        missing_tars=tuple(missing),
        images=len(archive),
        expected_images=release.num_examples,
        images_without_row=summary.without_metadata,
        image_bytes=spread_of(sizes),
        image_bytes_histogram=histogram_of(sizes),
        columns=tuple(_fields(archive, name, name in present) for name in _COLUMNS),
        licenses=_licenses(_column(archive, "license")),
        photographers=count_photographers(_column(archive, "creator")),
        dates=_dates(archive, today) if "datetaken" in present else None,
        places=(
            count_places(_column(archive, "latitude"), _column(archive, "longitude"))
            if {"latitude", "longitude"} <= present
            else None
        ),
        shapes=None if sample == 0 else _shapes(archive, sample, seed, progress),
        review=review_of(archive.folder, is_pass=release.is_official),
    )
    give_back()
    return stats


def _counted_tars(archive: PassArchive) -> tuple[str, ...]:
    names = archive.summary.tars
    if archive.is_whole:
        return names
    numbers = sorted(_column(archive, "tar").unique().to_pylist())
    return tuple(names[number] for number in numbers)


def _column(archive: PassArchive, name: str) -> pa.Array:
    return archive.columns([name])[name]


def _fields(archive: PassArchive, name: str, is_there: bool) -> ColumnFields:
    missing = _column(archive, _COLUMNS[name]).null_count if is_there else None
    return ColumnFields(name, is_there, missing)


def _licenses(names: pa.Array) -> tuple[tuple[str | None, int], ...]:
    counted = names.value_counts().to_pylist()
    counted.sort(key=lambda each: (-each["counts"], each["values"] or ""))
    return tuple((each["values"], each["counts"]) for each in counted)


def _dates(archive: PassArchive, today: datetime.date | None) -> Dates:
    released = archive.release.released
    until = datetime.date.fromisoformat(released) if released else today or datetime.date.today()
    return count_dates(_column(archive, "date_taken"), _column(archive, "date_taken_text"), until)


def _shapes(
    archive: PassArchive, sample: int | None, seed: int, progress: Progress | None
) -> Shapes:
    positions = np.arange(len(archive))
    is_sample = sample is not None and 2 * sample < len(archive)
    if is_sample:
        positions = np.sort(shuffled_order(len(archive), seed)[:sample])
    headers = read_headers(archive, positions, progress=progress)
    return count_shapes(headers, archive, seed if is_sample else None)
