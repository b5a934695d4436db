"""Detectors of faces and people, all with one interface.

detections    what a detector finds in an image
detector      the interface, and the settings that all detectors share
catalogue     all detectors by name
cascade_rcnn  the published detector of people
libraries     detectors of other libraries
weights       weights files: known, fetched, verified
coco          names of the classes of COCO
retinaface    the published detector of faces
devices       where detectors compute
torch_setup   what the detectors of people share
precision     verdicts of lower precision that are those of float32
batches       which images go through a network together
"""

from __future__ import annotations

from pass_dataset.passify.detectors.catalogue import DETECTORS, KnownDetector, open_detector
from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.detector import Detector, DetectorSettings

__all__ = [
    "DETECTORS",
    "Detections",
    "Detector",
    "DetectorSettings",
    "KnownDetector",
    "open_detector",
]
