"""Reasons in words, and the stages of the filter that they belong to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.runs.outcomes import EXCLUDED, FAILED_REASONS, TARGETS, outcome_of

__all__ = ["Stage", "funnel", "in_text", "title_of"]

_TITLES = {
    "face": "With a face",
    "person": "With a person",
    "excluded": "On the opt-out list",
    "empty": "Empty file",
    "not-an-image": "No image",
    "unsupported": "Format not supported",
    "truncated": "End of the file missing",
    "damaged": "Damaged",
    "too-large": "Too large",
    "single-colour": "Single colour",
    "unreadable": "Could not be read",
    "decoder-failed": "Decoder failed",
    "too-slow": "Decoding took too long",
    "detector-failed": "Detector failed",
    "process-died": "Process died",
    "face-unknown": "Not looked at for faces",
    "person-unknown": "Not looked at for people",
}


def title_of(reason: str) -> str:
    """A reason in a few words."""
    return _TITLES.get(reason, reason)


def in_text(reason: str) -> str:
    """The same within a sentence."""
    title = title_of(reason)
    return title[0].lower() + title[1:]


@dataclass(frozen=True)
class Stage:
    """A stage of the filter.

    Attributes:
      name: what the images that are left have in common.
      left: number of images after it.
      lost: those that it takes out, by reason, the most frequent first.
    """

    name: str
    left: int
    lost: Mapping[str, int]


def funnel(reasons: Mapping[str | None, int], targets: Collection[Target]) -> list[Stage]:
    """Images that are left after each stage of the filter, from all to those that are kept.

    Stages that take out nothing are left out, but for the detectors', which are the point.

    Args:
      reasons: number of images by reason; None: kept.
      targets: what was looked for.
    """
    left = sum(reasons.values())
    stages = [Stage("Listed", left, {})]
    # The order is that of the run; what cannot be decided for lack of a score comes last.
    for name, belongs, always in (
        ("Not on the opt-out list", lambda reason: reason == EXCLUDED, False),
        ("Read and examined", lambda reason: reason in FAILED_REASONS, False),
        ("Decoded", _is_bad_image, True),
        ("Without faces", lambda reason: reason == TARGETS[0], TARGETS[0] in targets),
        ("Without people", lambda reason: reason == TARGETS[1], TARGETS[1] in targets),
        ("Decided", lambda reason: outcome_of(reason) == "undecided", False),
    ):
        lost = {reason: n for reason, n in reasons.items() if reason and n and belongs(reason)}
        left -= sum(lost.values())
        if lost or always:
            ordered = dict(sorted(lost.items(), key=lambda pair: (-pair[1], pair[0])))
            stages.append(Stage(name, left, ordered))
    return stages


def _is_bad_image(reason: str) -> bool:
    return outcome_of(reason) == "dropped" and reason not in (EXCLUDED, *TARGETS)
