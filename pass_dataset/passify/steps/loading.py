"""How detectors are loaded in one process: none of it changes a row."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.errors import DetectorError
from pass_dataset.passify.detectors.catalogue import open_detector
from pass_dataset.passify.detectors.detector import Detector
from pass_dataset.passify.detectors.settings import DetectorSettings, Precision, Target

__all__ = ["OWN_DETECTOR", "Loading", "open_named"]

#: Prefix of detectors of the user's own: ``python:package.module:factory``.
OWN_DETECTOR = "python:"

#: Images given to a detector at once, from which it makes batches of like sizes. On the CPU few, as
#: nothing is gained by more: progress is seen sooner, and less waits decoded.
_AT_ONCE: dict[Target, int] = {"face": 16, "person": 4}
_AT_ONCE_ON_GPU = 64


@dataclass(frozen=True)
class Loading:
    """What detectors get of a machine, and with which weights.

    Attributes:
      device: where they run; None: CUDA where there is one, else the CPU.
      precision: arithmetic on CUDA; see `DetectorSettings`.
      batch_size: images that go through a network together; None: the detector's own choice.
      face_weights, person_weights: weights files to use in place of the published ones.
      threads: threads of the CPU that a detector computes with; None: all.
      decode_threads: threads to read and decode in.
      on_gpu: whether the machine has a GPU to use.
    """

    device: str | None = None
    precision: Precision = "float32"
    batch_size: int | None = None
    face_weights: str | None = None
    person_weights: str | None = None
    threads: int | None = None
    decode_threads: int = 1
    on_gpu: bool = False

    def __post_init__(self) -> None:
        self.settings("face")

    def settings(self, target: Target) -> DetectorSettings:
        """Settings of a detector."""
        weights = self.face_weights if target == "face" else self.person_weights
        return DetectorSettings(
            device=self.device,
            precision=self.precision,
            batch_size=self.batch_size,
            threads=self.threads,
            weights=None if weights is None else Path(weights),
        )

    def at_once(self, target: Target) -> int:
        """Images that a detector is given at once."""
        return max(_AT_ONCE_ON_GPU if self.on_gpu else _AT_ONCE[target], self.batch_size or 1)

    def open(self, target: Target, name: str) -> Detector:
        """A detector by its name."""
        return open_named(name, self.settings(target))


def open_named(name: str, settings: DetectorSettings) -> Detector:
    """A detector by its name, or one of the user's own: ``python:package.module:factory``.

    Such a factory is called with the settings and returns an object with the interface `Detector`.

    Raises:
      DetectorError: there is no such detector, module or factory.
    """
    if not name.startswith(OWN_DETECTOR):
        return open_detector(name, settings)
    module, _, factory = name.removeprefix(OWN_DETECTOR).partition(":")
    try:
        made: Detector = getattr(importlib.import_module(module), factory)(settings)
    except (ImportError, AttributeError, ValueError) as error:
        raise DetectorError(
            f"{name}: expected python:package.module:factory, which takes DetectorSettings and "
            f"returns a detector; found: {error}"
        ) from error
    return made
