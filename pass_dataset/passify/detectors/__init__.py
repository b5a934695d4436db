"""Detectors of faces and people, all with one interface.

detections  what a detector finds in an image
detector    the interface, and the settings that all detectors share
"""

from __future__ import annotations

from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.detector import Detector, DetectorSettings

__all__ = ["Detections", "Detector", "DetectorSettings"]
