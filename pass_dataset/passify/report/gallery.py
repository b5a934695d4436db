"""The images that a report shows: read again from the source, blurred, made small."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from pass_dataset.errors import PassDatasetError
from pass_dataset.images.decoding import MAX_PIXELS, decode
from pass_dataset.pages.picture import Picture
from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.report.selection import RowId
from pass_dataset.passify.report.survey import Survey
from pass_dataset.passify.report.thumbnails import make_thumbnail
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.schema import Box, ImageResult
from pass_dataset.passify.sources.opening import open_source
from pass_dataset.passify.sources.source import Reader, SourceItem
from pass_dataset.progress import Progress, Silent

__all__ = ["Gallery", "OutlinedBox", "ShownImage", "is_flagged", "make_gallery"]

#: Boxes that are drawn in a picture; those with higher scores first.
_MAX_OUTLINES = 40


@dataclass(frozen=True)
class OutlinedBox:
    """A box that is drawn.

    Attributes:
      target: what it is around.
      box: with its score.
      is_flagged: its score is enough for the verdict.
    """

    target: Target
    box: Box
    is_flagged: bool


@dataclass(frozen=True)
class ShownImage:
    """An image of the report.

    Attributes:
      row: what was found in it.
      picture: the thumbnail; None if it cannot be shown.
      outlines: boxes to draw over it.
      problem: why it cannot be shown; empty if it is.
    """

    row: ImageResult
    picture: Picture | None
    outlines: tuple[OutlinedBox, ...]
    problem: str = ""


@dataclass(frozen=True)
class Gallery:
    """Images of a report, by row.

    Attributes:
      shown: examples, and images near a threshold.
      sample: kept images for a person to look at.
      source_problem: why nothing can be read from the source; empty if it can.
    """

    shown: dict[RowId, ShownImage]
    sample: dict[RowId, ShownImage]
    source_problem: str = ""

    @property
    def not_shown(self) -> list[ShownImage]:
        """Images that a picture was wanted of and cannot be had."""
        images = {**self.sample, **self.shown}
        return [images[row] for row in sorted(images) if images[row].problem]


def make_gallery(
    results: Results,
    survey: Survey,
    thresholds: Thresholds,
    *,
    blur: bool = True,
    sample_pictures: bool = False,
    progress: Progress | None = None,
) -> Gallery:
    """Reads the rows and the images that were chosen.

    An image that cannot be read, or whose bytes are no longer those that the run saw, is not shown.

    Args:
      results: of the run.
      survey: with the chosen rows.
      thresholds: of the verdicts.
      blur: blur what detectors found, whatever its score.
      sample_pictures: pictures of the sample too. They hide nothing: people that the detectors
        missed are what one looks for in them.
      progress: shows how far it is.

    Raises:
      RunError: the results cannot be read.
      MissingExtraError: Pillow is not installed.
    """
    chosen = {row for lowest in survey.examples.values() for row in lowest.rows}
    for nearest in survey.nearest.values():
        chosen.update(nearest.under.rows, nearest.over.rows)
    sample = set(survey.sample.rows)
    every = sorted(chosen | sample)
    task = (progress or Silent()).task("Reading images", len(every), "images")
    camera = _Camera(results, thresholds)
    gallery = Gallery({}, {}, camera.source_problem)
    with closing(camera):
        for row_id, row, item in _rows(results, every):
            if row_id in chosen:
                gallery.shown[row_id] = camera.show(row, item, blur=blur)
            if row_id in sample:
                if sample_pictures:
                    # Without outlines, which would cover small faces and lead the eye.
                    shown = camera.show(row, item, blur=False)
                    gallery.sample[row_id] = replace(shown, outlines=())
                else:
                    gallery.sample[row_id] = ShownImage(row, None, ())
            task.advance(1)
    task.finish()
    return gallery


def _rows(
    results: Results, wanted: Sequence[RowId]
) -> Iterator[tuple[RowId, ImageResult, SourceItem]]:
    for shard, of_shard in itertools.groupby(wanted, key=lambda row: row.shard):
        ids = list(of_shard)
        rows = results.rows(shard, [row.position for row in ids])
        items = results.plan.items(results.folder, shard)
        for row_id, row in zip(ids, rows, strict=True):
            yield row_id, row, items[row_id.position]


class _Camera:
    """Makes pictures of a run's images, as far as they can be read."""

    def __init__(self, results: Results, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self._max_pixels = results.settings.max_pixels or MAX_PIXELS
        self._reader: Reader | None = None
        self.source_problem = ""
        try:
            source = open_source(results.settings.source)
            self._reader = source.reader(results.plan.files)
        except (OSError, PassDatasetError) as error:
            self.source_problem = str(error)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def show(self, row: ImageResult, item: SourceItem, *, blur: bool) -> ShownImage:
        found = _boxes(row)
        if not found:
            return ShownImage(row, None, ())  # it never came to a detector
        if self._reader is None:
            return ShownImage(row, None, (), "the source cannot be read")
        try:
            data = self._reader.read(item)
        except (OSError, PassDatasetError) as error:
            return ShownImage(row, None, (), getattr(error, "strerror", None) or str(error))
        if hashlib.sha256(data).hexdigest() != row.sha256:
            # Its boxes would hide what they are not around.
            return ShownImage(row, None, (), "the file has changed since the run")
        pixels = decode(data, max_pixels=self._max_pixels).pixels
        if pixels is None:
            return ShownImage(row, None, (), "the image cannot be decoded here")
        if not blur:
            return ShownImage(row, make_thumbnail(pixels), self._outlines(found))
        # A score without a box is one below the storing threshold: there is no telling where.
        hides_all = any(
            not boxes and is_flagged(target, 2 * _score(row, target), self._thresholds)
            for target, boxes in found.items()
        )
        areas = [
            (box["x1"], box["y1"], box["x2"], box["y2"]) for box in itertools.chain(*found.values())
        ]
        picture = make_thumbnail(pixels, areas, blur_all=hides_all)
        return ShownImage(row, picture, self._outlines(found))

    def _outlines(self, found: dict[Target, list[Box]]) -> tuple[OutlinedBox, ...]:
        outlines = [
            OutlinedBox(target, box, is_flagged(target, box["score"], self._thresholds))
            for target, boxes in found.items()
            for number, box in enumerate(boxes)
            if number == 0 or is_flagged(target, box["score"], self._thresholds)
        ]
        outlines.sort(key=lambda outline: -outline.box["score"])
        return tuple(outlines[:_MAX_OUTLINES])


def is_flagged(target: Target, score: float, thresholds: Thresholds) -> bool:
    """Whether a score drops an image: a face's over the threshold, a person's from it on."""
    return score > thresholds.face if target == "face" else score >= thresholds.person


def _boxes(row: ImageResult) -> dict[Target, list[Box]]:
    found = {target: getattr(row, f"{target}_boxes") for target in TARGETS}
    return {target: boxes for target, boxes in found.items() if boxes is not None}


def _score(row: ImageResult, target: Target) -> float:
    score: float | None = getattr(row, f"{target}_max_score")
    return math.nan if score is None else score
