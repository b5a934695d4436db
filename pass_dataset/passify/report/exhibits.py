"""The images that the report shows: which, in which order, with which boxes and scores."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pass_dataset.pages.picture import Picture
from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.report.gallery import Gallery, ShownImage
from pass_dataset.passify.report.selection import Lowest, RowId
from pass_dataset.passify.report.survey import Survey
from pass_dataset.passify.report.thumbnails import Area, pixel_area
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds
from pass_dataset.passify.runs.schema import Box, ImageResult

__all__ = [
    "Example",
    "Exhibit",
    "NearThreshold",
    "Outline",
    "examples",
    "nearest",
    "other_examples",
    "sample",
]

#: Rows of each reason that has no pictures.
_OTHER_ROWS = 4


@dataclass(frozen=True)
class Outline:
    """A box over a picture.

    Attributes:
      target: what it is around.
      area: in pixels of the image.
      is_flagged: its score is enough for the verdict.
    """

    target: Target
    area: Area
    is_flagged: bool


@dataclass(frozen=True)
class Exhibit:
    """An image as it is shown.

    Attributes:
      path: of the image, as text.
      picture: the thumbnail; None if it cannot be shown.
      problem: why it cannot be shown; empty if it is, or was not wanted.
      size_px: width and height of the image, in which outlines are given.
      outlines: boxes over it.
      scores: as text, by what they are of.
    """

    path: str
    picture: Picture | None
    problem: str
    size_px: tuple[int, int]
    outlines: Sequence[Outline]
    scores: Mapping[Target, str]


@dataclass(frozen=True)
class Example:
    """Images of a reason, drawn from the number `of` that have it."""

    reason: Target
    images: Sequence[Exhibit]
    of: int


@dataclass(frozen=True)
class NearThreshold:
    """Images on one side of a detector's threshold."""

    target: Target
    threshold: float
    is_over: bool
    images: Sequence[Exhibit]


def examples(survey: Survey, gallery: Gallery, thresholds: Thresholds) -> list[Example]:
    """Images that a detector dropped."""
    return [
        Example(
            target,
            _exhibits(survey.examples[target], gallery, thresholds),
            survey.reasons[target],
        )
        for target in TARGETS
        if target in survey.examples and survey.examples[target].rows
    ]


def other_examples(survey: Survey, gallery: Gallery) -> list[tuple[str, ImageResult]]:
    """Images that were dropped for other reasons, or failed, with the reason."""
    return [
        (reason, gallery.shown[row].row)
        for reason, chosen in survey.examples.items()
        if reason not in TARGETS
        for row in chosen.rows[:_OTHER_ROWS]
    ]


def nearest(survey: Survey, gallery: Gallery, thresholds: Thresholds) -> list[NearThreshold]:
    """Images near each threshold, on both sides."""
    return [
        NearThreshold(
            target,
            getattr(thresholds, target),
            is_over,
            _exhibits(chosen, gallery, thresholds),
        )
        for target, found in survey.nearest.items()
        for is_over, chosen in ((True, found.over), (False, found.under))
        if chosen.rows
    ]


def sample(rows: Collection[RowId], gallery: Gallery, thresholds: Thresholds) -> list[Exhibit]:
    """Kept images for a person to look at."""
    return [_exhibit(gallery.sample[row], thresholds) for row in rows]


def _exhibits(chosen: Lowest, gallery: Gallery, thresholds: Thresholds) -> list[Exhibit]:
    return [_exhibit(gallery.shown[row], thresholds) for row in chosen.rows]


def _exhibit(shown: ShownImage, thresholds: Thresholds) -> Exhibit:
    row = shown.row
    scores: tuple[tuple[Target, float | None, float], ...] = (
        ("face", row.face_max_score, thresholds.face),
        ("person", row.person_max_score, thresholds.person),
    )
    size_px = (row.width or 0, row.height or 0)
    return Exhibit(
        path=row.path,
        picture=shown.picture,
        problem=shown.problem,
        size_px=size_px,
        outlines=list(_outlines(shown, size_px)),
        scores={
            target: _score(score, threshold)
            for target, score, threshold in scores
            if score is not None
        },
    )


def _score(score: float, threshold: float) -> str:
    """With so many digits that it does not look like the threshold when it is not."""
    for digits in (3, 5):
        text = f"{score:.{digits}f}"
        if float(text) != threshold:
            return text
    return f"{score:.7f}"


def _outlines(shown: ShownImage, size_px: tuple[int, int]) -> Iterator[Outline]:
    for outline in shown.outlines:
        area = pixel_area(_corners(outline.box), *size_px, margin=0.0)
        if area is not None:
            yield Outline(outline.target, area, outline.is_flagged)


def _corners(box: Box) -> tuple[float, float, float, float]:
    return box["x1"], box["y1"], box["x2"], box["y2"]
