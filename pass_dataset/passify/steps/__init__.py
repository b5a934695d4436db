"""The steps that an image goes through: decoded, looked at for faces, then for people.

record      an image on its way
decoding    bytes to pixels, ahead of the detectors
detecting   one detector, on the images that need it
job         a shard to be done
execution   where and how fast
examiner    all steps on a shard
"""

from __future__ import annotations

from pass_dataset.passify.steps.decoding import Decoding
from pass_dataset.passify.steps.detecting import Detecting, needs
from pass_dataset.passify.steps.examiner import Examiner
from pass_dataset.passify.steps.execution import Execution, WorkerShare, open_named
from pass_dataset.passify.steps.job import ShardJob
from pass_dataset.passify.steps.record import Examined, Step

__all__ = [
    "Decoding",
    "Detecting",
    "Examined",
    "Examiner",
    "Execution",
    "ShardJob",
    "Step",
    "WorkerShare",
    "needs",
    "open_named",
]
