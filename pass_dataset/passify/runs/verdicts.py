"""Verdicts: what becomes of an image, from the scores that are stored, for any thresholds.

An image is *dropped* for a named reason, or *failed* (it could not be examined; trying again may
help), or *undecided* (a detector whose score the thresholds ask for was not run on it), or *kept*.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.passify.detectors.detector import Target

__all__ = [
    "DECODER_FAILED",
    "DETECTOR_FAILED",
    "EXCLUDED",
    "FAILED_REASONS",
    "OUTCOMES",
    "PROCESS_DIED",
    "TARGETS",
    "UNREADABLE",
    "VERDICT_COLUMNS",
    "Outcome",
    "Thresholds",
    "judge",
    "outcome_of",
]

Outcome = Literal["kept", "dropped", "failed", "undecided"]
OUTCOMES: tuple[Outcome, ...] = ("kept", "dropped", "failed", "undecided")

#: What detectors look for, in the order in which they are run (paper, section 3).
TARGETS: tuple[Target, ...] = ("face", "person")

#: Reason of an image on the opt-out list.
EXCLUDED = "excluded"
#: Reasons of images that failed: the file could not be read, the decoder or a detector raised on
#: it (which no file should make them do), or the process that had it died.
UNREADABLE, DECODER_FAILED = "unreadable", "decoder-failed"
DETECTOR_FAILED, PROCESS_DIED = "detector-failed", "process-died"
FAILED_REASONS = frozenset({UNREADABLE, DECODER_FAILED, DETECTOR_FAILED, PROCESS_DIED})
#: Reasons that follow from scores and thresholds; all others stand whatever the thresholds.
_UNKNOWN: dict[Target, str] = {"face": "face-unknown", "person": "person-unknown"}
_FROM_SCORES = frozenset({*TARGETS, *_UNKNOWN.values()})

#: Columns that `judge` needs.
VERDICT_COLUMNS = ("reason", "face_max_score", "person_max_score")


@dataclass(frozen=True)
class Thresholds:
    """Scores from which on an image is dropped.

    Attributes:
      face: dropped with a face score over this. 0.5 as in the published PASSify scripts.
      person: dropped with a person score of at least this. 0.5, likewise.
    """

    face: float = 0.5
    person: float = 0.5

    def __post_init__(self) -> None:
        for target in TARGETS:
            value = getattr(self, target)
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{target}: expected a score from 0 to 1, found {value}")

    def has_face(self, score: float) -> bool:
        """The verdict of the face detector."""
        return score > self.face


def outcome_of(reason: str | None) -> Outcome:
    """What a reason makes of an image."""
    if reason is None:
        return "kept"
    if reason in FAILED_REASONS:
        return "failed"
    return "undecided" if reason in _UNKNOWN.values() else "dropped"


def judge(
    rows: pa.Table, thresholds: Thresholds, targets: Collection[Target]
) -> pa.DictionaryArray:
    """The reason against each image; null where it is kept.

    What is known against an image counts before what is not known of it: a face is enough to drop
    it, whether or not people were looked for.

    Args:
      rows: with `VERDICT_COLUMNS`.
      thresholds: for the scores.
      targets: the detectors that have a say.
    """
    stored = rows["reason"].unify_dictionaries().combine_chunks()
    names = [*stored.dictionary.to_pylist()]
    kept = np.int32(-1)
    # Its last entry is for -1: what has no reason.
    standing = [kept if name in _FROM_SCORES else code for code, name in enumerate(names)]
    codes = np.array([*standing, kept], np.int32)[pc.fill_null(stored.indices, -1).to_numpy()]

    def drop(which: np.ndarray, name: str) -> None:
        if name not in names:
            names.append(name)
        codes[which & (codes == kept)] = names.index(name)

    # In float64, as a threshold of 0.3 must mean the same here and for one score. Missing scores
    # are filled in here: Arrow would load pandas for them.
    scores = {
        target: pc.fill_null(
            rows[f"{target}_max_score"].combine_chunks().cast(pa.float64()), float("nan")
        ).to_numpy()
        for target in TARGETS
        if target in targets
    }
    if "face" in scores:
        drop(scores["face"] > thresholds.face, "face")
    if "person" in scores:
        drop(scores["person"] >= thresholds.person, "person")
    for target, values in scores.items():
        drop(np.isnan(values), _UNKNOWN[target])
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=codes == kept), pa.array(names, pa.string())
    )
