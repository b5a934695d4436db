"""How a run is executed: none of it changes a row."""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pass_dataset.errors import DetectorError
from pass_dataset.passify.detectors.catalogue import open_detector
from pass_dataset.passify.detectors.detector import Detector
from pass_dataset.passify.detectors.settings import DetectorSettings, Precision, Target
from pass_dataset.workers.process import default_workers

__all__ = ["OWN_DETECTOR", "Execution", "WorkerShare", "open_named"]

#: Prefix of detectors of the user's own: ``python:package.module:factory``.
OWN_DETECTOR = "python:"

#: Images given to a detector at once, from which it makes batches of like sizes. On the CPU few, as
#: nothing is gained by more: progress is seen sooner, and less waits decoded.
_AT_ONCE: dict[Target, int] = {"face": 16, "person": 4}
_AT_ONCE_ON_GPU = 64


@dataclass(frozen=True)
class Execution:
    """Where and how fast a run is executed on one machine.

    Attributes:
      workers: processes; None: one a core, or one a GPU where there are some.
      cores: cores to use; None: all that this process may use.
      decode_threads: threads a process to read and decode in; None: its share of the cores.
      device: ``cpu``, ``cuda`` or ``cuda:N``; None: CUDA where there is one, else the CPU.
      precision: arithmetic on CUDA; see `DetectorSettings`.
      batch_size: images that go through a network together; None: the detector's own choice.
      face_weights, person_weights: weights files to use in place of the published ones.
    """

    workers: int | None = None
    cores: int | None = None
    decode_threads: int | None = None
    device: str | None = None
    precision: Precision = "float32"
    batch_size: int | None = None
    face_weights: str | None = None
    person_weights: str | None = None

    def __post_init__(self) -> None:
        for name in ("workers", "cores", "decode_threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}: expected a number of 1 or more, found {value}")
        self.detector_settings("face", threads=None, device=self.device)

    def detector_settings(
        self, target: Target, *, threads: int | None, device: str | None
    ) -> DetectorSettings:
        """Settings of a detector in one process."""
        weights = self.face_weights if target == "face" else self.person_weights
        return DetectorSettings(
            device=device,
            precision=self.precision,
            batch_size=self.batch_size,
            threads=threads,
            weights=None if weights is None else Path(weights),
        )

    def shares(self, most: int | None = None) -> list[WorkerShare]:
        """What each worker process on this machine gets of it.

        Args:
          most: more workers than this have nothing to do; None: no limit.
        """
        cores = self.cores or default_workers()
        gpus = 0 if self.device == "cpu" else _visible_gpus()
        count = self.workers or gpus or cores
        count = max(1, count if most is None else min(count, most))
        share = max(1, cores // count)
        return [
            WorkerShare(
                self,
                device=f"cuda:{number % gpus}" if gpus > 1 and self.device in (None, "cuda")
                else self.device,
                threads=share,
                decode_threads=self.decode_threads or share,
                on_gpu=gpus > 0,
            )
            for number in range(count)
        ]  # fmt: skip


@dataclass(frozen=True)
class WorkerShare:
    """What one worker process gets.

    Attributes:
      execution: what was asked for.
      device: where its detectors run; None: CUDA where there is one, else the CPU.
      threads: threads of the CPU that a detector computes with.
      decode_threads: threads to read and decode in.
      on_gpu: whether the machine has a GPU to use.
    """

    execution: Execution
    device: str | None = None
    threads: int = 1
    decode_threads: int = 1
    on_gpu: bool = False

    def at_once(self, target: Target) -> int:
        """Images that a detector is given at once."""
        batch_size = self.execution.batch_size or 1
        return max(_AT_ONCE_ON_GPU if self.on_gpu else _AT_ONCE[target], batch_size)

    def open(self, target: Target, name: str) -> Detector:
        """A detector with this share's settings."""
        settings = self.execution.detector_settings(
            target, threads=self.threads, device=self.device
        )
        return open_named(name, settings)

    def to_json(self) -> str:
        """Text that `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> WorkerShare:
        """The share that a text holds."""
        content: dict[str, Any] = json.loads(text)
        return cls(Execution(**content.pop("execution")), **content)


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


def _visible_gpus() -> int:
    """Number of NVIDIA GPUs that CUDA would show, without asking CUDA, which takes seconds."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return len([name for name in chosen.split(",") if name.strip() not in ("", "-1")])
    try:
        return len(os.listdir("/proc/driver/nvidia/gpus"))  # noqa: PTH208
    except OSError:
        return 0
