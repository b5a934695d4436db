"""What is done with shards: the interface of a kind of work, and how it gets to other processes.

A kind of work is a frozen dataclass that inherits from `Work`. Its fields, plain JSON, are all that
whoever begins it has to say (how many processes, how fast, with which files); its class says what
is done:

    @dataclass(frozen=True)
    class Counting(Work):
        title: ClassVar[str] = "Counting"
        command: ClassVar[str] = "count"
        chunk_bytes: int = 1 << 20

        def folder(self, path: str) -> CountFolder: return CountFolder(path)
        def open(self, folder: str, share: WorkerShare) -> Counter: return Counter(folder, self)

An executor is made with one (``LocalExecutor(Counting(workers=2))``) and given a folder and jobs.
In a worker process the work is made anew from ``module:Class`` and the fields as JSON, which come
from whoever began it: on the command line, in the pickled task of SLURM, as an argument of the Ray
actor. Neither is ever read from a file of the folder: a folder of others runs no code.

`open` is called once in each process, `ShardDoer.run` once for each shard. It may be ended at any
point, and its shard then begun again, by another process and elsewhere: what it writes must be the
same whatever was done before, and its last act is `ShardFolder.mark_done`.
"""

from __future__ import annotations

import importlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

from pass_dataset.errors import MissingExtraError, PassDatasetError
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import Marker, ShardFolder
from pass_dataset.workers.cores import available_cores

__all__ = ["ShardDoer", "Stage", "Work", "WorkerShare", "work_of"]


class ShardDoer(Protocol):
    """Does shards of a folder, one after the other, in a process of its own."""

    def run(
        self,
        job: Any,
        told: Callable[[int], None],
        begins: Callable[[int], None] | None = None,
    ) -> Marker:
        """Does a shard and marks it in the folder; what was done of it before is gone on with.

        Args:
          job: what is to be done, a `Work.job_class`.
          told: is told of images as they are done, those that were done before first.
          begins: with a careful job, is told of each image's position in the shard before it is
            touched. Those that the folder's `CrashRecord` names are not touched at all.

        Returns:
          What the shard is marked with.

        Raises:
          PassDatasetError: of `Work.fatal_errors`: no shard can be done.
          OSError: with a full disk, likewise.
          Exception: anything else: this shard cannot be done now. It is tried again later.
        """


@dataclass(frozen=True)
class Stage:
    """A part of what is done with each shard, which may be done apart from the others.

    Attributes:
      name: as in ``staged/NAME`` of the folder.
      on_gpu: whether it is for nodes with GPUs, where there are such nodes for it.
    """

    name: str
    on_gpu: bool = False


@dataclass(frozen=True)
class Work(ABC):
    """A kind of work, and how much of a machine it may take; none of it changes what is found.

    Attributes:
      workers: processes; None: one a GPU where there are some, else one a core, or one for all (see
        `takes_all_cores`).
      cores: cores to use; None: all that this process may use.
      device: ``cpu``, ``cuda`` or ``cuda:N``; None: CUDA where there is one, else the CPU.
    """

    #: What is shown while it is done.
    title: ClassVar[str] = "Working"
    #: What jobs in a queue are called.
    command: ClassVar[str] = "pass"
    #: What a line of a worker process is read as.
    job_class: ClassVar[type[ShardJob]] = ShardJob
    #: Errors after which no shard can be done.
    fatal_errors: ClassVar[tuple[type[PassDatasetError], ...]] = (MissingExtraError,)
    #: Whether it computes on GPUs, where there are some.
    uses_gpus: ClassVar[bool] = False
    #: Whether one process takes all cores of a machine without GPUs, in place of one a core.
    takes_all_cores: ClassVar[bool] = False

    workers: int | None = None
    cores: int | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        for name in ("workers", "cores"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}: expected a number of 1 or more, found {value}")

    @abstractmethod
    def folder(self, path: str) -> ShardFolder[Any]:
        """The folder that its shards are in, from its path, in whatever process."""

    @abstractmethod
    def open(self, folder: str, share: WorkerShare) -> ShardDoer:
        """Makes ready to do shards, in a worker process.

        Args:
          folder: path of the folder.
          share: what this process may take of the machine.

        Raises:
          PassDatasetError, OSError: no shard can be done.
        """

    def check_machine(self, folder: ShardFolder[Any]) -> None:  # noqa: B027  # most ask for nothing
        """Looks whether this machine has what is asked for, once, where all shards are done here.

        On other machines that is known when they begin.

        Raises:
          PassDatasetError: it has not, and no shard can be done.
        """

    def images(self, folder: ShardFolder[Any], shards: Sequence[int]) -> int | None:
        """Images in some shards, where progress of all of them is shown; None: not known."""
        return None

    def stages(self, folder: ShardFolder[Any]) -> tuple[Stage, ...]:
        """What is done with each shard, where that may be done apart: at most two, in order.

        A shard that is through the first of two is marked with ``mark_done(…, stage)``.
        """
        return ()

    def at_stage(self, job: ShardJob, stage: str) -> ShardJob:
        """A stage of a job."""
        raise NotImplementedError(f"{type(self).__name__} has no stages")

    def how_to_look(self, folder: str, job_ids: Sequence[int]) -> str:
        """How people see how far SLURM's jobs are, and cancel them."""
        ids = " ".join(map(str, job_ids))
        return f"to see how far they are: squeue --me; to cancel them: scancel {ids}"

    def shares(self, most: int | None = None) -> list[WorkerShare]:
        """What each worker process on this machine gets of it.

        Args:
          most: more workers than this have nothing to do; None: no limit.
        """
        cores = self.cores or available_cores()
        gpus = _visible_gpus() if self.uses_gpus and self.device != "cpu" else 0
        count = self.workers or gpus or (1 if self.takes_all_cores else cores)
        count = max(1, count if most is None else min(count, most))
        return [
            WorkerShare(
                device=f"cuda:{number % gpus}" if gpus > 1 and self.device in (None, "cuda")
                else self.device,
                threads=max(1, cores // count),
                on_gpu=gpus > 0,
            )
            for number in range(count)
        ]  # fmt: skip

    def to_json(self) -> str:
        """Text that `work_of` reads, with `name`."""
        return json.dumps(asdict(self))

    @property
    def name(self) -> str:
        """``module:Class``."""
        return f"{type(self).__module__}:{type(self).__qualname__}"


def work_of(name: str, text: str) -> Work:
    """The work of a name and `Work.to_json`, as whoever began it says.

    Raises:
      ImportError, AttributeError, TypeError, ValueError: there is none.
    """
    module, _, kind = name.partition(":")
    found = getattr(importlib.import_module(module), kind)
    if not (isinstance(found, type) and issubclass(found, Work)):
        raise TypeError(f"{name}: expected a kind of work, found {found!r}")
    return found(**json.loads(text))


@dataclass(frozen=True)
class WorkerShare:
    """What one worker process gets of its machine.

    Attributes:
      device: where it computes; None: CUDA where there is one, else the CPU.
      threads: threads of the CPU to compute with.
      on_gpu: whether the machine has a GPU to use.
    """

    device: str | None = None
    threads: int = 1
    on_gpu: bool = False

    def to_json(self) -> str:
        """Text that `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> WorkerShare:
        """The share that a text holds."""
        return cls(**json.loads(text))


def _visible_gpus() -> int:
    """Number of NVIDIA GPUs that CUDA would show, without asking CUDA, which takes seconds."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return len([name for name in chosen.split(",") if name.strip() not in ("", "-1")])
    try:
        return len(os.listdir("/proc/driver/nvidia/gpus"))  # noqa: PTH208
    except OSError:
        return 0
