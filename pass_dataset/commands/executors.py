"""Options of the command line that choose an executor."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pass_dataset.commands.arguments import number, positive

if TYPE_CHECKING:
    from pass_dataset.executors.executor import Executor
    from pass_dataset.executors.slurm.settings import SlurmResources
    from pass_dataset.executors.work import Work

__all__ = ["add_executor", "chosen_executor"]


def add_executor(
    parser: argparse.ArgumentParser, *, gpus: bool = True, status: str = "passify status"
) -> None:
    """Adds where shards are done.

    Args:
      parser: of the command.
      gpus: whether the work may compute on GPUs; without, there are no options for these.
      status: the command that tells how far the work is.
    """
    group = parser.add_argument_group("executor")
    group.add_argument(
        "--executor",
        choices=list(_EXECUTORS),
        default="local",
        help="local: this machine (default); slurm: job arrays; ray: actors of a Ray cluster",
    )
    parser.set_defaults(slurm_gpus=0, slurm_gpu_partition=None, ray_gpus=0.0)
    _add_slurm(parser.add_argument_group("--executor slurm"), gpus, status)
    _add_ray(parser.add_argument_group("--executor ray"), gpus)


def chosen_executor(options: argparse.Namespace, work: Work) -> Executor:
    """What `add_executor` was told."""
    return _EXECUTORS[options.executor](options, work)


def _local(options: argparse.Namespace, work: Work) -> Executor:
    from pass_dataset.executors.local import LocalExecutor

    return LocalExecutor(work)


# --- SLURM ----------------------------------------------------------------------------------------


def _add_slurm(group: Any, gpus: bool, status: str) -> None:
    group.add_argument(
        "--no-wait",
        action="store_true",
        help=f"submit and return; {status} tells more, the same command again ends the run",
    )
    group.add_argument(
        "--cancel-on-interrupt",
        action="store_true",
        help="Ctrl-C cancels the jobs; without it they go on",
    )
    from pass_dataset.executors.slurm.settings import CPU_TASK, SlurmSettings

    name = _checked("partition", str)
    group.add_argument("--slurm-partition", type=name, metavar="NAME", help="where tasks run")
    _add_resources(group, "--slurm", "a task", CPU_TASK)
    if gpus:
        _add_slurm_gpus(group, name)
    group.add_argument(
        "--slurm-account", type=name, metavar="NAME", help="what the jobs are charged to"
    )
    group.add_argument("--slurm-qos", type=name, metavar="NAME", help="quality of service")
    group.add_argument(
        "--slurm-parallel",
        type=positive,
        default=SlurmSettings.max_parallel_tasks,
        metavar="N",
        help=f"tasks of an array that run at a time (default: {SlurmSettings.max_parallel_tasks})",
    )
    group.add_argument(
        "--slurm-tasks",
        type=positive,
        metavar="N",
        help="tasks of an array, over which shards are spread (default: 4 × --slurm-parallel)",
    )
    group.add_argument(
        "--slurm-setup",
        action="append",
        type=_setup_line,
        default=[],
        metavar="LINE",
        help="line of shell that each task runs first; may be given again",
    )
    for prefix in ("--slurm", "--slurm-gpu") if gpus else ("--slurm",):
        group.add_argument(
            f"{prefix}-option",
            action="append",
            type=_option,
            default=[],
            metavar="KEY=VALUE",
            help="further option of sbatch by its long name: exclude=node7; may be given again",
        )


def _add_slurm_gpus(group: Any, name: Callable[[str], Any]) -> None:
    from pass_dataset.executors.slurm.settings import CPU_TASK, GPU_TASK

    group.add_argument(
        "--slurm-gpus",
        type=number,
        default=CPU_TASK.gpus,
        metavar="N",
        help=f"GPUs of a task (default: {CPU_TASK.gpus})",
    )
    group.add_argument(
        "--slurm-gpu-partition",
        type=name,
        metavar="NAME",
        help="look for people here, in tasks of their own with a GPU each; the options above are "
        "then for faces",
    )
    _add_resources(group, "--slurm-gpu", "a task that looks for people", GPU_TASK)
    group.add_argument(
        "--slurm-gpu-gpus",
        type=number,
        default=GPU_TASK.gpus,
        metavar="N",
        help=f"GPUs of it (default: {GPU_TASK.gpus})",
    )


def _add_resources(group: Any, prefix: str, whose: str, default: SlurmResources) -> None:
    """Options for what tasks ask for, with the defaults of the settings."""
    from pass_dataset.executors.slurm.settings import format_time

    time = format_time(default.time_limit_min)
    group.add_argument(
        f"{prefix}-cpus",
        type=positive,
        default=default.cpus,
        metavar="N",
        help=f"cores of {whose} (default: {default.cpus})",
    )
    group.add_argument(
        f"{prefix}-mem-gb",
        type=_checked("memory_gb", float),
        default=default.memory_gb,
        metavar="GB",
        help=f"memory of {whose} (default: {default.memory_gb})",
    )
    group.add_argument(
        f"{prefix}-time",
        type=_minutes,
        default=default.time_limit_min,
        metavar="TIME",
        help=f"time limit of {whose}, as sbatch takes it; it then queues itself again "
        f"(default: {time})",
    )
    group.add_argument(
        f"{prefix}-constraint",
        type=_checked("constraint", str),
        metavar="FEATURES",
        help="features that the node must have",
    )


def _minutes(text: str) -> int:
    from pass_dataset.executors.slurm.settings import parse_time_min

    try:
        return parse_time_min(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _checked(field: str, convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """A type for an option that the settings check."""

    def parse(text: str) -> Any:
        from pass_dataset.executors.slurm.settings import SlurmResources

        try:
            value = convert(text)
            replace(SlurmResources(), **{field: value})
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return value

    return parse


def _setup_line(text: str) -> str:
    from pass_dataset.executors.slurm.settings import SlurmSettings

    try:
        return SlurmSettings(setup=(text,)).setup[0]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _option(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, found {text!r}")
    _checked("options", lambda text: ((key, value),))(text)
    return key, value


def _slurm(options: argparse.Namespace, work: Work) -> Executor:
    from pass_dataset.executors.slurm.executor import SlurmExecutor, Waiting
    from pass_dataset.executors.slurm.settings import SlurmSettings

    resources = _resources(options, "slurm", options.slurm_partition, options.slurm_gpus)
    on_gpu = None
    if options.slurm_gpu_partition is not None:
        on_gpu = _resources(
            options, "slurm_gpu", options.slurm_gpu_partition, options.slurm_gpu_gpus
        )
    settings = SlurmSettings(
        resources=resources,
        gpu=on_gpu,
        max_parallel_tasks=options.slurm_parallel,
        max_tasks=options.slurm_tasks,
        account=options.slurm_account,
        qos=options.slurm_qos,
        setup=tuple(options.slurm_setup),
    )
    waiting = Waiting(cancel_on_interrupt=options.cancel_on_interrupt)
    return SlurmExecutor(settings, work, None if options.no_wait else waiting)


def _resources(
    options: argparse.Namespace, prefix: str, partition: str | None, gpus: int
) -> SlurmResources:
    from pass_dataset.executors.slurm.settings import SlurmResources

    return SlurmResources(
        partition=partition,
        cpus=getattr(options, f"{prefix}_cpus"),
        memory_gb=getattr(options, f"{prefix}_mem_gb"),
        time_limit_min=getattr(options, f"{prefix}_time"),
        gpus=gpus,
        constraint=getattr(options, f"{prefix}_constraint"),
        options=tuple(getattr(options, f"{prefix}_option")),
    )


# --- Ray ------------------------------------------------------------------------------------------


def _add_ray(group: Any, gpus: bool) -> None:
    group.add_argument(
        "--ray-address",
        metavar="ADDRESS",
        help="the cluster's: auto, HOST:PORT, or local to start one here (default: $RAY_ADDRESS, "
        "else a cluster that runs on this machine, else a new one)",
    )
    group.add_argument(
        "--ray-workers",
        type=positive,
        metavar="N",
        help="actors (default: as many as the cluster has room for)",
    )
    group.add_argument(
        "--ray-cpus", type=positive, default=1, metavar="N", help="cores of an actor (default: 1)"
    )
    if gpus:
        group.add_argument(
            "--ray-gpus",
            type=_share_of_gpus,
            default=0.0,
            metavar="N",
            help="GPUs of an actor, 0.5 to share one (default: 0)",
        )


def _share_of_gpus(text: str) -> float:
    from pass_dataset.executors.ray_settings import RaySettings

    try:
        return RaySettings(gpus=float(text)).gpus
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _ray(options: argparse.Namespace, work: Work) -> Executor:
    from pass_dataset.executors.ray import RayExecutor
    from pass_dataset.executors.ray_settings import RaySettings

    settings = RaySettings(
        options.ray_address, options.ray_workers, options.ray_cpus, options.ray_gpus
    )
    return RayExecutor(settings, work)


_EXECUTORS: dict[str, Callable[[argparse.Namespace, Work], Executor]] = {
    "local": _local,
    "slurm": _slurm,
    "ray": _ray,
}
