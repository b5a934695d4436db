"""Weights files of the detectors: known, found or fetched, and verified before they are parsed.

files     the facts: name, licence, source, size, hash
hashes    what a file hashes to, and what is on record beside it
store     where a file is, and whether it is the right one
fetching  from where it is published into the cache
"""

from __future__ import annotations

from pass_dataset.passify.detectors.weights.files import (
    ALL_WEIGHTS,
    CASCADE_RCNN,
    RETINAFACE_MOBILENET,
    RETINAFACE_RESNET50,
    WeightsFile,
)
from pass_dataset.passify.detectors.weights.store import (
    WEIGHTS_VARIABLE,
    VerifiedWeights,
    WeightsState,
    examine,
    resolve,
    weights_folder,
)

__all__ = [
    "ALL_WEIGHTS",
    "CASCADE_RCNN",
    "RETINAFACE_MOBILENET",
    "RETINAFACE_RESNET50",
    "WEIGHTS_VARIABLE",
    "VerifiedWeights",
    "WeightsFile",
    "WeightsState",
    "examine",
    "resolve",
    "weights_folder",
]
