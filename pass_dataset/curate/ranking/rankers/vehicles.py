"""Vehicles, by a detector of people and other things: on them, what looks like a plate is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pass_dataset.curate.ranking.ranker import RankerSettings
from pass_dataset.errors import CurationError
from pass_dataset.passify.detectors.catalogue import open_detector
from pass_dataset.passify.detectors.settings import DetectorSettings

__all__ = ["Vehicle", "Vehicles", "plate_score"]

#: Those that have number plates, as COCO and Pascal VOC call them.
_CLASSES = frozenset({"car", "motorcycle", "bus", "truck", "motorbike"})


@dataclass(frozen=True)
class Vehicle:
    """A vehicle in an image.

    Attributes:
      score: how sure the detector is of it, 0 to 1.
      box: ``x1, y1, x2, y2`` in pixels.
    """

    score: float
    box: tuple[float, float, float, float]


class Vehicles:
    """Finds vehicles. The network is loaded when the first image comes."""

    def __init__(self, name: str, settings: RankerSettings) -> None:
        """Args:
        name: of a detector of passify.
        settings: where and how fast.

        Raises:
          DetectorError: there is none of that name.
        """
        self._name = name
        self._detector = open_detector(
            name, DetectorSettings(device=settings.device or "cpu", threads=settings.threads)
        )

    @property
    def identity(self) -> str:
        """Of the detector's weights.

        Raises:
          WeightsError: they are missing, or others than expected.
        """
        return f"{self._name} {self._detector.weights_sha256}"

    def find(self, pixels: np.ndarray[Any, Any]) -> list[Vehicle]:
        """The vehicles in an image (H×W×3 uint8, BGR), the surest first.

        Raises:
          CurationError: the detector knows no vehicles.
        """
        (found,) = self._detector.detect([pixels])
        # Some know their classes only when the network is there.
        names = self._detector.class_names
        wanted = [place for place, name in enumerate(names) if name.lower() in _CLASSES]
        if not wanted:
            raise CurationError(
                f"vehicles: expected a detector that knows {', '.join(sorted(_CLASSES))}; "
                f"{self._name} knows {', '.join(names[:5])} …"
            )
        places = np.flatnonzero(np.isin(found.classes, wanted))
        boxes = found.boxes[places].astype(float).tolist()
        return [
            Vehicle(float(score), (x1, y1, x2, y2))
            for score, (x1, y1, x2, y2) in zip(found.scores[places], boxes, strict=True)
        ]


def plate_score(score: float, box: Sequence[float], vehicles: Sequence[Vehicle]) -> float:
    """The score of a text like a plate, where vehicles are known.

    A vehicle of score v that the text lies in, or touches, takes half of v of what is missing to 1:
    ``score + (1 - score) * v / 2``, for the surest of them. So the order of texts on one vehicle
    stays, and a text that is hardly like a plate does not come before a plain plate for it.

    Args:
      score: by the letters alone, 0 to 1.
      box: of the text, ``x1, y1, x2, y2`` in pixels.
      vehicles: in the same image.

    >>> car = Vehicle(0.9, (0, 0, 100, 50))
    >>> plate_score(0.8, (40, 30, 60, 40), [car]), plate_score(0.8, (200, 30, 220, 40), [car])
    (0.89, 0.8)
    """
    surest = max((one.score for one in vehicles if _touch(box, one.box)), default=0.0)
    return score + (1 - score) * surest / 2


def _touch(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]
