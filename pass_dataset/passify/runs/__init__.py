"""A run: what it was told, what it is to do, and what it found, all in one folder.

settings     what decides the rows
run_folder   every name in the folder, and the markers of what is done
plan         the list of images, and its shards
schema       the columns of results
results      results written and read
verdicts     what becomes of an image, from its scores, for any thresholds
exclusions   opt-out lists
status       how far a run is
"""

from __future__ import annotations

from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder, ShardStats
from pass_dataset.passify.runs.schema import ImageResult
from pass_dataset.passify.runs.settings import DetectorChoice, RunSettings

__all__ = [
    "DetectorChoice",
    "ImageResult",
    "Plan",
    "Results",
    "RunFolder",
    "RunSettings",
    "ShardStats",
]
