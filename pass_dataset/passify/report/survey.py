"""One pass over a run's results: counts, and which images the report shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.order import random_keys
from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.outputs.lists import judged_rows
from pass_dataset.passify.report.folder_shares import GROUPS, FolderShares, group_of
from pass_dataset.passify.report.histograms import ScoreHistogram, flagged
from pass_dataset.passify.report.selection import Lowest, RowRange
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.runs.outcomes import EXCLUDED, Thresholds
from pass_dataset.passify.runs.results import Results
from pass_dataset.progress import Progress, Silent

__all__ = ["Choices", "Nearest", "Survey", "make_survey"]


@dataclass(frozen=True)
class Choices:
    """How many images a report shows.

    Attributes:
      examples: of each reason, and on each side of each threshold.
      sample: kept images for a person to look at.
      seed: of all that is drawn at random.
    """

    examples: int = 8
    sample: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("examples", "sample"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected 0 or more, found {getattr(self, name)}")


@dataclass
class Nearest:
    """Images nearest to a threshold: `under` it, which the detector lets pass, and `over` it."""

    under: Lowest
    over: Lowest


@dataclass
class Survey:
    """What a run found.

    Attributes:
      reasons: images by reason; None: kept.
      histograms: of scores, by target; of the detectors that were run.
      folders: verdicts by folder.
      examples: of each reason but the opt-out list, whose images are shown to nobody.
      nearest: images nearest to the threshold, by target.
      sample: kept images, drawn at random.
    """

    reasons: Counter[str | None]
    histograms: dict[Target, ScoreHistogram]
    folders: FolderShares
    examples: dict[str, Lowest] = field(default_factory=dict)
    nearest: dict[Target, Nearest] = field(default_factory=dict)
    sample: Lowest = field(default_factory=lambda: Lowest(0))

    @property
    def images(self) -> int:
        """Number of all."""
        return self.reasons.total()

    @property
    def kept(self) -> int:
        """Number of images that are kept."""
        return self.reasons[None]


def make_survey(
    results: Results,
    thresholds: Thresholds,
    choices: Choices = Choices(),
    *,
    exclusions: Exclusions | None = None,
    progress: Progress | None = None,
) -> Survey:
    """Reads all rows once; memory does not grow with their number.

    Args:
      results: of the run.
      thresholds: of the verdicts.
      choices: how many images are chosen.
      exclusions: images that are dropped beside those that the run itself left out.
      progress: shows how far it is.

    Raises:
      RunError: the results cannot be read.
    """
    targets = results.settings.targets
    survey = Survey(
        Counter(),
        {target: ScoreHistogram(target, getattr(thresholds, target)) for target in targets},
        FolderShares(),
        nearest={
            target: Nearest(Lowest(choices.examples), Lowest(choices.examples))
            for target in targets
        },
        sample=Lowest(choices.sample),
    )
    task = (progress or Silent()).task("Reading results", results.plan.images, "images")
    judged = judged_rows(results, thresholds, ("path",), exclusions)
    for shard, (rows, reasons) in zip(results.shards, judged, strict=True):
        _add(
            survey, shard, results.plan.bounds(shard)[0], rows, reasons.dictionary_encode(), choices
        )
        task.advance(rows.num_rows)
    task.finish()
    return survey


def _add(
    survey: Survey,
    shard: int,
    start: int,
    rows: pa.Table,
    reasons: pa.DictionaryArray,
    choices: Choices,
) -> None:
    names: list[str | None] = [*reasons.dictionary.to_pylist(), None]
    codes = np.asarray(pc.fill_null(reasons.indices, len(names) - 1)).astype(np.int64)
    found = np.bincount(codes, minlength=len(names)).tolist()
    survey.reasons.update({name: n for name, n in zip(names, found, strict=True) if n})
    groups = np.array([GROUPS.index(group_of(name)) for name in names])[codes]
    survey.folders.add(rows["path"].combine_chunks(), groups)

    place = RowRange(shard)
    keys = random_keys(start, rows.num_rows, choices.seed) / 2.0**64
    for code, (name, number) in enumerate(zip(names, found, strict=True)):
        if number and name is not None and name != EXCLUDED:
            chosen = survey.examples.setdefault(name, Lowest(choices.examples))
            chosen.add(np.where(codes == code, keys, np.nan), place)
    survey.sample.add(np.where(codes == len(names) - 1, keys, np.nan), place)

    excluded = codes == names.index(EXCLUDED) if EXCLUDED in names else np.zeros(len(codes), bool)
    for target, histogram in survey.histograms.items():
        column = rows[f"{target}_max_score"].cast(pa.float64())
        scores = column.to_numpy(zero_copy_only=False)
        histogram.add(scores)
        _add_nearest(survey.nearest[target], histogram, scores, excluded, place)


def _add_nearest(
    nearest: Nearest,
    histogram: ScoreHistogram,
    scores: np.ndarray[Any, Any],
    excluded: np.ndarray[Any, Any],
    place: RowRange,
) -> None:
    distance = np.where(excluded, np.nan, np.abs(scores - histogram.threshold))
    over = flagged(histogram.target, scores, histogram.threshold)
    nearest.under.add(np.where(over, np.nan, distance), place)
    nearest.over.add(np.where(over, distance, np.nan), place)
