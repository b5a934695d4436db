"""What tasks ask SLURM for."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = [
    "CPU_TASK",
    "GPU_TASK",
    "SlurmResources",
    "SlurmSettings",
    "format_time",
    "parse_time_min",
]

#: Options of ``sbatch`` that the executor sets itself, by their long names.
_OWN_OPTIONS = frozenset(
    [
        "array",
        "chdir",
        "dependency",
        "error",
        "gpus-per-node",
        "job-name",
        "kill-on-invalid-dep",
        "nodes",
        "ntasks-per-node",
        "open-mode",
        "output",
        "requeue",
        "signal",
        "time",
    ]
)


#: No machine has a million gigabytes.
_NO_NODE_GB = 1_000_000


def _check_word(name: str, value: str | None) -> None:
    if value is not None and not (value.isprintable() and re.fullmatch(r"[^\s'\"]+", value)):
        raise ValueError(f"{name}: expected a name without spaces and quotes, found {value!r}")


def _check_line(name: str, value: str) -> None:
    # Each is a line of the script that sbatch is given; what follows a line end would be one, too.
    if not value.isprintable():
        raise ValueError(f"{name}: expected one line without control characters, found {value!r}")


def _check_option(key: str, value: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9-]+", key):
        raise ValueError(
            f"option {key!r}: expected the long name of an option of sbatch without its dashes, "
            "such as 'exclude'"
        )
    if key in _OWN_OPTIONS:
        raise ValueError(f"option {key!r} is set by the executor itself and cannot be given")
    _check_line(f"option {key!r}", value)


@dataclass(frozen=True)
class SlurmResources:
    """What one task asks for.

    Attributes:
      partition: where it runs; None: the cluster's default partition.
      cpus: cores.
      memory_gb: memory, in units of 2^30 bytes; None: the partition's default.
      time_limit_min: minutes after which SLURM ends the task. It is then queued again and goes on
        with the shards it has not done.
      gpus: GPUs; with 0 the detectors run on the CPU.
      constraint: features that the node must have, as ``sbatch --constraint`` takes them.
      options: further options of ``sbatch`` and their values, by long names without dashes, such as
        ``("exclude", "node7")``.
    """

    partition: str | None = None
    cpus: int = 2
    memory_gb: float | None = None
    time_limit_min: int = 480
    gpus: int = 0
    constraint: str | None = None
    options: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        _check_word("partition", self.partition)
        for name, least in (("cpus", 1), ("time_limit_min", 1), ("gpus", 0)):
            value = getattr(self, name)
            if value < least:
                raise ValueError(f"{name}: expected a number of {least} or more, found {value}")
        if self.memory_gb is not None and not 0 < self.memory_gb < _NO_NODE_GB:
            raise ValueError(
                f"memory_gb: expected a number over 0 and under {_NO_NODE_GB:,}, "
                f"found {self.memory_gb}"
            )
        if self.constraint is not None:
            _check_line("constraint", self.constraint)
        for key, value in self.options:
            _check_option(key, value)


#: As the published scripts of PASSify ask for faces: 2 cores, 5 GB and 8 hours on a CPU partition.
CPU_TASK = SlurmResources(cpus=2, memory_gb=5, time_limit_min=480)

#: As they ask for people: 5 cores, 10 GB, one GPU and 8 hours on a GPU partition.
GPU_TASK = SlurmResources(cpus=5, memory_gb=10, time_limit_min=480, gpus=1)


@dataclass(frozen=True)
class SlurmSettings:
    """How shards are spread over a SLURM cluster.

    Attributes:
      resources: of each task; of those without a GPU, where `gpu` is given too.
      gpu: of the tasks of a stage that is for nodes with GPUs (`Stage.on_gpu`), if those are to run
        elsewhere: each starts when the task before it, on the same shards, has ended.
      max_parallel_tasks: tasks of one array that run at a time; the published scripts have 50.
      max_tasks: tasks of an array, over which the shards are spread; None: four times as many as
        run at a time.
      account: what the jobs are charged to; None: the user's default.
      qos: quality of service; None: the default.
      setup: lines of shell that each task runs first, such as ``module load cuda``.
    """

    resources: SlurmResources = CPU_TASK
    gpu: SlurmResources | None = None
    max_parallel_tasks: int = 50
    max_tasks: int | None = None
    account: str | None = None
    qos: str | None = None
    setup: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_word("account", self.account)
        _check_word("qos", self.qos)
        for line in self.setup:
            _check_line("setup", line.replace("\t", " "))
            if line.lstrip().startswith("#SBATCH"):
                raise ValueError(
                    f"setup: {line!r} would be an option of sbatch; those are given as options"
                )
        for name in ("max_parallel_tasks", "max_tasks"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}: expected a number of 1 or more, found {value}")


def format_time(minutes: int) -> str:
    """A time as ``sbatch --time`` takes it and people read it: ``8:00:00``."""
    return f"{minutes // 60}:{minutes % 60:02}:00"


def parse_time_min(text: str) -> int:
    """Minutes of a time as ``sbatch --time`` takes it, rounded up.

    Args:
      text: ``minutes``, ``minutes:seconds``, ``hours:minutes:seconds``, ``days-hours``,
        ``days-hours:minutes`` or ``days-hours:minutes:seconds``.

    Raises:
      ValueError: it is none of these, or no time at all.
    """
    match = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text.strip())
    if match is None:
        raise ValueError(f"expected a time such as 90, 8:00:00 or 2-12:00:00, found {text!r}")
    days, *parts = match.groups()
    numbers = [int(part) for part in parts if part is not None]
    if days is None:
        # Without days a single number counts minutes, and two are minutes and seconds.
        hours, minutes, seconds = [0, *numbers, 0][:3] if len(numbers) < 3 else numbers
    else:
        hours, minutes, seconds = (*numbers, 0, 0)[:3]
    total_s = ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds
    if total_s == 0:
        raise ValueError(f"expected a time over 0, found {text!r}")
    return -(-total_s // 60)
