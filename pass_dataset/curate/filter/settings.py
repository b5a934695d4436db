"""What decides which photographs are sound, and which show people."""

from __future__ import annotations

from dataclasses import dataclass

from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds

__all__ = ["FilterSettings"]


@dataclass(frozen=True)
class FilterSettings:
    """What decides the steps `sound` and `filter`. The defaults are those of the paper (C.1).

    Attributes:
      detectors: what is looked for, ``face`` and ``person``; nothing: whether photographs are sound
        is all that is asked, and there is no step `filter`.
      face_detector, person_detector: by name, as passify has them.
      face: a photograph with a face score over this is out.
      person: one with a person score of at least this is out.
      run_all: look for people also where a face was found, for the score.
      max_pixels: larger photographs are out, without being decoded; None: the decoder's own limit.
    """

    detectors: tuple[Target, ...] = TARGETS
    face_detector: str = "retinaface"
    person_detector: str = "cascade-rcnn"
    face: float = 0.5
    person: float = 0.5
    run_all: bool = False
    max_pixels: int | None = None

    def __post_init__(self) -> None:
        if len(set(self.detectors)) < len(self.detectors):
            raise ValueError(f"detectors: expected each once, found {list(self.detectors)}")
        if self.max_pixels is not None and self.max_pixels < 1:
            raise ValueError(f"max_pixels: expected a number of 1 or more, found {self.max_pixels}")
        ordered = tuple(target for target in TARGETS if target in self.detectors)
        object.__setattr__(self, "detectors", ordered)
        self.thresholds()

    def thresholds(self) -> Thresholds:
        """The scores that decide.

        Raises:
          ValueError: one is no score.
        """
        return Thresholds(face=self.face, person=self.person)

    def detector(self, target: Target) -> str:
        """Name of the detector that looks for something."""
        return self.face_detector if target == "face" else self.person_detector
