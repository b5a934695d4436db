"""The filter as a kind of work: what executors do with a shard of a run, and how fast."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pass_dataset.errors import (
    DetectorError,
    MissingExtraError,
    PassDatasetError,
    SourceChangedError,
    WeightsError,
)
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import ShardFolder
from pass_dataset.executors.work import Stage, Work, WorkerShare
from pass_dataset.passify.detectors.devices import require_device, resolve_device
from pass_dataset.passify.detectors.settings import Precision
from pass_dataset.passify.runs.outcomes import TARGETS
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.steps.examiner import Examiner
from pass_dataset.passify.steps.job import FilterJob
from pass_dataset.passify.steps.loading import OWN_DETECTOR, Loading

__all__ = ["STAGES", "Execution"]

logger = logging.getLogger(__name__)

#: By target: people are for GPUs, as in the published scripts.
STAGES = {"face": Stage("face"), "person": Stage("person", on_gpu=True)}


@dataclass(frozen=True)
class Execution(Work):
    """Where and how fast a run is executed on one machine; none of it changes a row.

    Attributes:
      workers: processes; None: one a core, or one a GPU where there are some.
      cores: cores to use; None: all that this process may use.
      device: ``cpu``, ``cuda`` or ``cuda:N``; None: CUDA where there is one, else the CPU.
      decode_threads: threads a process to read and decode in; None: its share of the cores.
      precision: arithmetic on CUDA; see `DetectorSettings`.
      batch_size: images that go through a network together; None: the detector's own choice.
      face_weights, person_weights: weights files to use in place of the published ones.
    """

    title: ClassVar[str] = "Filtering"
    command: ClassVar[str] = "passify"
    job_class: ClassVar[type[ShardJob]] = FilterJob
    fatal_errors: ClassVar[tuple[type[PassDatasetError], ...]] = (
        DetectorError,
        MissingExtraError,
        SourceChangedError,
        WeightsError,
    )
    uses_gpus: ClassVar[bool] = True

    decode_threads: int | None = None
    precision: Precision = "float32"
    batch_size: int | None = None
    face_weights: str | None = None
    person_weights: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.decode_threads is not None and self.decode_threads < 1:
            raise ValueError(
                f"decode_threads: expected a number of 1 or more, found {self.decode_threads}"
            )
        self.loading()

    def loading(self, share: WorkerShare | None = None) -> Loading:
        """How detectors are loaded; None: in a process that has all of the machine."""
        threads = None if share is None else share.threads
        share = share or WorkerShare(self.device)
        return Loading(
            device=share.device,
            precision=self.precision,
            batch_size=self.batch_size,
            face_weights=self.face_weights,
            person_weights=self.person_weights,
            threads=threads,
            decode_threads=self.decode_threads or share.threads,
            on_gpu=share.on_gpu,
        )

    def folder(self, path: str) -> RunFolder:
        """The run."""
        return RunFolder(path)

    def open(self, folder: str, share: WorkerShare) -> Examiner:
        """Opens a run that is planned."""
        return Examiner(RunFolder(folder), self.loading(share))

    def check_machine(self, folder: ShardFolder[Any]) -> None:
        """Looks for the device, and says so where the precision that is asked for is not its own.

        PyTorch, which takes seconds to ask, is asked of CUDA alone. Detectors of the user's own may
        find devices that it does not, and compute as they like.

        Raises:
          DetectorError: a device of CUDA is asked for and is not there.
        """
        detectors = RunFolder(folder.path).settings().detectors
        if all(one.name.startswith(OWN_DETECTOR) for one in detectors):
            return
        if self.device is not None:
            require_device(self.device)
        if self.precision != "float32" and resolve_device(self.device) == "cpu":
            logger.warning("the CPU computes in float32, and not in %s", self.precision)

    def images(self, folder: ShardFolder[Any], shards: Sequence[int]) -> int | None:
        """Images of shards; None if that is not known."""
        plan = Plan.load(RunFolder(folder.path))
        if plan is None:
            return None
        return sum(stop - start for start, stop in map(plan.bounds, shards))

    def stages(self, folder: ShardFolder[Any]) -> tuple[Stage, ...]:
        """Faces, people, or both, as the run looks for them."""
        return tuple(STAGES[target] for target in RunFolder(folder.path).settings().targets)

    def at_stage(self, job: ShardJob, stage: str) -> ShardJob:
        """A job for one target."""
        assert isinstance(job, FilterJob)
        return replace(job, targets=tuple(target for target in TARGETS if target == stage))

    def how_to_look(self, folder: str, job_ids: Sequence[int]) -> str:
        """With commands of `passify`."""
        place = shlex.quote(folder)
        return (
            f"to see how far they are: passify status {place}; "
            f"to cancel them: passify cancel {place}"
        )
