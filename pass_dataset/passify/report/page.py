"""The report as HTML: one file, pictures and plots inside, no script."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pass_dataset.pages.intervals import upper_bound
from pass_dataset.pages.plots import draw_bar
from pass_dataset.pages.template import render
from pass_dataset.passify.report import exhibits
from pass_dataset.passify.report.facts import Work
from pass_dataset.passify.report.figures import draw_histogram
from pass_dataset.passify.report.folder_shares import FolderCounts, FolderShares, Group
from pass_dataset.passify.report.gallery import Gallery
from pass_dataset.passify.report.histograms import ScoreHistogram
from pass_dataset.passify.report.reasons import Stage, funnel, in_text, title_of
from pass_dataset.passify.report.survey import Choices, Survey
from pass_dataset.passify.runs.outcomes import EXCLUDED, Thresholds, outcome_of
from pass_dataset.passify.runs.settings import DetectorChoice

__all__ = ["ReportContent", "render_report"]

_FOLDER_ROWS = 12
_SAMPLE_SIZES = (100, 300, 1000, 3000, 10_000)
_FOUND = (0, 1, 3, 10)
_NAMES: dict[Group, str] = {
    "kept": "kept",
    "face": "with faces",
    "person": "with people",
    "other": "other",
}


@dataclass(frozen=True)
class ReportContent:
    """All that a report says.

    Attributes:
      title: of the page.
      source: path of the source, as text.
      thresholds: of the verdicts.
      detectors: that were run.
      missing_shards, shards: how much of the run is not done.
      survey: what was found.
      gallery: the images to show.
      choices: how they were chosen.
      is_blurred: whether what was found in them is blurred.
      settings, software: names and values.
      work: what the run took; None: not known.
      written_at: seconds since 1970.
    """

    title: str
    source: str
    thresholds: Thresholds
    detectors: tuple[DetectorChoice, ...]
    missing_shards: int
    shards: int
    survey: Survey
    gallery: Gallery
    choices: Choices
    is_blurred: bool
    settings: Sequence[tuple[str, str]]
    software: Sequence[tuple[str, str]]
    work: Work | None
    written_at: float


def render_report(content: ReportContent) -> str:
    """The page as HTML text that needs no other file."""
    survey, gallery, thresholds = content.survey, content.gallery, content.thresholds
    sample = exhibits.sample(survey.sample.rows, gallery, thresholds)
    return render(
        __package__,
        "page.html",
        {
            "report": content,
            "survey": survey,
            "gallery": gallery,
            "targets": {choice.target for choice in content.detectors},
            "undecided": _undecided(survey),
            "group_names": _NAMES,
            "verdicts": _verdicts(survey),
            "title_of": title_of,
            "in_text": in_text,
            "stages": _stages(survey),
            "reasons": _reasons(survey),
            "histograms": [(each, _plot(each)) for each in survey.histograms.values()],
            "folders": _folders(survey.folders),
            "examples": exhibits.examples(survey, gallery, thresholds),
            "other_examples": exhibits.other_examples(survey, gallery),
            "excluded": survey.reasons[EXCLUDED],
            "nearest": exhibits.nearest(survey, gallery, thresholds),
            "check": _check(survey),
            "sample": sample,
            "is_sample_pictured": any(each.picture or each.problem for each in sample),
            "written": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(content.written_at)),
        },
    )


# --- counts ---------------------------------------------------------------------------------------


def _undecided(survey: Survey) -> int:
    return sum(
        number for reason, number in survey.reasons.items() if outcome_of(reason) == "undecided"
    )


@dataclass(frozen=True)
class _Verdicts:
    """Images by group, and the same as a bar."""

    counts: Mapping[Group, int]
    bar: Markup


def _verdicts(survey: Survey) -> _Verdicts:
    counts: dict[Group, int] = {"kept": survey.kept}
    for target in survey.histograms:
        counts[target] = survey.reasons[target]
    counts["other"] = survey.images - sum(counts.values())
    return _Verdicts(counts, _bar(counts, survey.images))


def _bar(counts: Mapping[Group, int], images: int) -> Markup:
    label = ", ".join(f"{number:,} {_NAMES[group]}" for group, number in counts.items())
    return draw_bar({str(group): number for group, number in counts.items()}, images, label)


def _stages(survey: Survey) -> list[tuple[Stage, Markup]]:
    """Stages of the filter, each with a bar of what is left."""
    return [
        (stage, draw_bar({"kept": stage.left}, survey.images, f"{stage.left:,} images"))
        for stage in funnel(survey.reasons, survey.histograms)
    ]


def _reasons(survey: Survey) -> list[tuple[str, int]]:
    """Images that are not kept, by reason, the most frequent first."""
    reasons = [(reason, number) for reason, number in survey.reasons.items() if reason]
    return sorted(reasons, key=lambda pair: -pair[1])


def _plot(histogram: ScoreHistogram) -> Markup | None:
    """The plot of scores; None where there is none."""
    if not histogram.scored:
        return None
    return draw_histogram(histogram, "Faces" if histogram.target == "face" else "People")


# --- folders --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Folders:
    """Folders, each with a bar of its verdicts.

    Attributes:
      number: of all.
      depth: as of `FolderShares`.
      is_whole: all of them are shown.
      largest: those with most images.
      most_flagged: those in which faces and people are most frequent, where not all are shown.
    """

    number: int
    depth: int | None
    is_whole: bool
    largest: Sequence[tuple[FolderCounts, Markup]]
    most_flagged: Sequence[tuple[FolderCounts, Markup]]


def _folders(folders: FolderShares) -> _Folders:
    is_whole = len(folders) <= _FOLDER_ROWS
    return _Folders(
        number=len(folders),
        depth=folders.depth,
        is_whole=is_whole,
        largest=_with_bars(folders.largest(_FOLDER_ROWS)),
        most_flagged=[] if is_whole else _with_bars(folders.most_flagged(_FOLDER_ROWS)),
    )


def _with_bars(rows: Iterable[FolderCounts]) -> list[tuple[FolderCounts, Markup]]:
    return [(row, _bar(row.counts, row.images)) for row in rows]


# --- the check by a person ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Check:
    """What looking at a sample of the kept images tells.

    Attributes:
      bound: share of images with people that there may be if none is in the sample.
      most: the same as a number of images.
      found_in_words: numbers of images with people that the table is for.
      bounds: by size of a sample, the share for each of these; None: not that many images.
    """

    bound: float
    most: int
    found_in_words: Sequence[str]
    bounds: Sequence[tuple[int, Sequence[float | None]]]


def _check(survey: Survey) -> _Check:
    kept, drawn = survey.kept, len(survey.sample.rows)
    sizes = sorted({size for size in (*_SAMPLE_SIZES, drawn) if 0 < size <= kept})
    bound = upper_bound(0, drawn) if drawn else 1.0
    return _Check(
        bound=bound,
        most=min(kept, int(bound * kept)),
        found_in_words=[f"people in {_FOUND[0]}", *(f"in {found}" for found in _FOUND[1:])],
        bounds=[
            (size, [upper_bound(found, size) if found <= size else None for found in _FOUND])
            for size in sizes
        ],
    )
