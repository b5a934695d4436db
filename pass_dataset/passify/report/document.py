"""From a run to its report."""

from __future__ import annotations

import os
import time
from pathlib import Path

from pass_dataset.errors import RunError
from pass_dataset.files.whole import write_whole
from pass_dataset.passify.report.facts import describe_settings, measure_work, software
from pass_dataset.passify.report.gallery import make_gallery
from pass_dataset.passify.report.page import ReportContent, render_report
from pass_dataset.passify.report.survey import Choices, make_survey
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.passify.runs.results import Results
from pass_dataset.progress import Progress

__all__ = ["write_report"]


def write_report(
    results: Results,
    *,
    thresholds: Thresholds | None = None,
    exclusions: Exclusions | None = None,
    choices: Choices | None = None,
    blur: bool = True,
    sample_pictures: bool = False,
    out: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Writes the report of a run, finished or not.

    Args:
      results: of the run.
      thresholds: of the verdicts; None: those of the run.
      exclusions: images that are dropped, and not shown, beside those that the run left out.
      choices: which images are shown.
      blur: blur what the detectors found in them.
      sample_pictures: pictures, with nothing blurred, of the kept images that a person is to look
        at; without, they are listed.
      out: file to write; None: ``report.html`` in the run folder.
      progress: shows how far it is.

    Returns:
      The file written.

    Raises:
      RunError: there are no results yet, or they cannot be read.
      MissingExtraError: Pillow is not installed.
      OSError: the file cannot be written.
    """
    folder = results.folder
    if not results.shards:
        raise RunError(f"{folder.path}: no shard is done yet; passify run goes on")
    thresholds = thresholds or results.settings.thresholds
    choices = choices or Choices()
    survey = make_survey(results, thresholds, choices, exclusions=exclusions, progress=progress)
    gallery = make_gallery(
        results, survey, thresholds, blur=blur, sample_pictures=sample_pictures, progress=progress
    )
    source = results.settings.source.path
    page = render_report(
        ReportContent(
            title=source.rstrip("/").rpartition("/")[2] or source,
            source=source,
            thresholds=thresholds,
            detectors=results.settings.detectors,
            missing_shards=results.missing_shards,
            shards=results.plan.num_shards,
            survey=survey,
            gallery=gallery,
            choices=choices,
            is_blurred=blur,
            settings=describe_settings(results.settings),
            software=software(),
            work=measure_work(folder),
            written_at=time.time(),
        )
    )
    path = folder.report_path if out is None else Path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, page.encode())
    return path
