"""Weights files: provisional."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.errors import WeightsError
from pass_dataset.passify.detectors.detector import DetectorSettings

__all__ = ["CASCADE_RCNN", "VerifiedWeights", "resolve"]

CASCADE_RCNN = "cascade-rcnn"


@dataclass(frozen=True)
class VerifiedWeights:
    path: Path
    sha256: str


def resolve(known: str, settings: DetectorSettings) -> VerifiedWeights:
    if settings.weights is None or not settings.weights.is_file():
        raise WeightsError(f"{known}: no weights at {settings.weights}")
    digest = hashlib.sha256(settings.weights.read_bytes()).hexdigest()
    return VerifiedWeights(settings.weights, digest)
