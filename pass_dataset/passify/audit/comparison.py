"""What the images scored that a later release no longer has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.records import PassArchive
from pass_dataset.passify.runs.results import Results

__all__ = ["THRESHOLDS", "Comparison", "ScoreCounts", "compare_scores", "removed_hashes"]

#: From the storing threshold of the face detector up; 0.5 is that of the verdicts.
THRESHOLDS = (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)


def removed_hashes(before: PassArchive, after: PassArchive) -> list[str]:
    """Images that the one release has and the other has not, in the order of the first.

    Those on removal lists are not among them, as they are not to be read.
    """
    hashes = before.index.table["hash"]
    stayed = pc.is_in(hashes, value_set=after.index.table["hash"])
    names: list[str] = hashes.filter(pc.invert(stayed)).to_pylist()
    unread = set(before.removed)
    return [name for name in names if name not in unread]


@dataclass(frozen=True)
class ScoreCounts:
    """Images whose scores reach a threshold.

    Attributes:
      threshold: the score.
      face: images with a face scoring over it.
      person: images with a person scoring at least it.
      either: images with one or the other.
    """

    threshold: float
    face: int
    person: int
    either: int


@dataclass(frozen=True)
class Comparison:
    """Scores of images that were removed, and of images that stayed.

    Attributes:
      removed, stayed: number of images with a score.
      removed_counts, stayed_counts: by threshold, see `THRESHOLDS`.
    """

    removed: int
    stayed: int
    removed_counts: tuple[ScoreCounts, ...]
    stayed_counts: tuple[ScoreCounts, ...]


def compare_scores(removed: Results, stayed: Results) -> Comparison:
    """Counts the scores of two runs, at the same thresholds.

    Args:
      removed: of a run over the images that are gone.
      stayed: of a run over the later release, or over a sample of it.

    Raises:
      RunError: results cannot be read.
    """
    num_removed, removed_counts = _count(removed)
    num_stayed, stayed_counts = _count(stayed)
    return Comparison(num_removed, num_stayed, removed_counts, stayed_counts)


def _count(results: Results) -> tuple[int, tuple[ScoreCounts, ...]]:
    scored = 0
    found = np.zeros((len(THRESHOLDS), 3), np.int64)
    for table in results.tables(["face_max_score", "person_max_score"]):
        face, person = (_scores(table[name]) for name in table.column_names)
        scored += int((~np.isnan(face) | ~np.isnan(person)).sum())
        for row, threshold in enumerate(THRESHOLDS):
            has_face, has_person = face > threshold, person >= threshold
            found[row] += [has_face.sum(), has_person.sum(), (has_face | has_person).sum()]
    counts = tuple(
        ScoreCounts(threshold, *numbers)
        for threshold, numbers in zip(THRESHOLDS, found.tolist(), strict=True)
    )
    return scored, counts


def _scores(column: Any) -> Any:
    """Float64, as a threshold of 0.3 is; NaN where there is none."""
    return column.cast(pa.float64()).to_numpy()
