"""What can become of an image, for which reasons, and the thresholds that decide.

An image is *dropped* for a named reason, or *failed* (it could not be examined; trying again may
help), or *undecided* (a detector whose score the thresholds ask for was not run on it), or *kept*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pass_dataset.images.outcomes import OUTCOMES as IMAGE_OUTCOMES
from pass_dataset.passify.detectors.settings import Target

__all__ = [
    "DECODER_FAILED",
    "DETECTOR_FAILED",
    "EXCLUDED",
    "FAILED_REASONS",
    "FROM_SCORES",
    "OUTCOMES",
    "PROCESS_DIED",
    "REASONS",
    "TARGETS",
    "TOO_SLOW",
    "UNKNOWN",
    "UNREADABLE",
    "Outcome",
    "Thresholds",
    "outcome_of",
]

Outcome = Literal["kept", "dropped", "failed", "undecided"]
OUTCOMES: tuple[Outcome, ...] = ("kept", "dropped", "failed", "undecided")

#: What detectors look for, in the order in which they are run (paper, section 3).
TARGETS: tuple[Target, ...] = ("face", "person")

#: Reason of an image on the opt-out list.
EXCLUDED = "excluded"
#: Reasons of images that failed: the file could not be read, the decoder or a detector raised on
#: it (which no file should make them do), decoding took too long, or the process that had it died.
UNREADABLE, DECODER_FAILED, TOO_SLOW = "unreadable", "decoder-failed", "too-slow"
DETECTOR_FAILED, PROCESS_DIED = "detector-failed", "process-died"
FAILED_REASONS = frozenset({UNREADABLE, DECODER_FAILED, TOO_SLOW, DETECTOR_FAILED, PROCESS_DIED})
#: Reasons that follow from scores and thresholds; all others stand whatever the thresholds.
UNKNOWN: dict[Target, str] = {"face": "face-unknown", "person": "person-unknown"}
FROM_SCORES = frozenset({*TARGETS, *UNKNOWN.values()})
#: All reasons that a run may have against an image.
REASONS: tuple[str, ...] = (
    *TARGETS,
    EXCLUDED,
    *(outcome for outcome in IMAGE_OUTCOMES if outcome != "ok"),
    *sorted(FAILED_REASONS),
    *UNKNOWN.values(),
)


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
    return "undecided" if reason in UNKNOWN.values() else "dropped"
