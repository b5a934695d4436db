"""Commands for runs that are spread over machines: `plan`, `work`, `cancel`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.arguments import Commands, command, positive
from pass_dataset.commands.passify.arguments import add_execution, chosen_execution
from pass_dataset.commands.passify.run import add_settings, chosen_settings
from pass_dataset.errors import RunError
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.verdicts import TARGETS
from pass_dataset.passify.steps import ShardJob

__all__ = ["add_cancel", "add_plan", "add_work"]

# --- plan -----------------------------------------------------------------------------------------


def add_plan(commands: Commands) -> None:
    """Adds `passify plan`."""
    parser = command(commands, "plan", "list the images of a collection, for run or work to do")
    add_settings(parser)
    add_execution(parser)
    parser.set_defaults(run=_plan)


def _plan(options: argparse.Namespace) -> int:
    from pass_dataset.passify.executors import plan_run
    from pass_dataset.progress import on_terminal

    settings = chosen_settings(options, chosen_execution(options))
    with on_terminal() as progress:
        plan = plan_run(
            RunFolder(options.out), settings, exclusions=options.exclude, progress=progress
        )
    print(f"{options.out}: {plan.images:,} images in {plan.num_shards:,} shards")
    return 0


# --- work -----------------------------------------------------------------------------------------


def add_work(commands: Commands) -> None:
    """Adds `passify work`."""
    parser = command(
        commands,
        "work",
        "do one part of a planned run, beside others that do the other parts, under any scheduler",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the run")
    parser.add_argument(
        "--task", type=_number, required=True, metavar="I", help="which part: 0 to N - 1"
    )
    parser.add_argument(
        "--tasks", type=positive, required=True, metavar="N", help="how many parts there are"
    )
    parser.add_argument(
        "--stage",
        choices=TARGETS,
        help="face: faces only; person: people only, where no face was found (default: both)",
    )
    add_execution(parser)
    parser.set_defaults(run=_work)


def _number(text: str) -> int:
    return 0 if text == "0" else positive(text)


def _work(options: argparse.Namespace) -> int:
    from pass_dataset.passify.executors.tasks import do_task, split_shards
    from pass_dataset.passify.runs.plan import Plan

    folder = RunFolder(options.run_folder)
    settings = folder.settings()
    plan = Plan.load(folder)
    if plan is None:
        raise RunError(f"{folder.path}: the images are not listed yet; passify plan lists them")
    if options.task >= options.tasks:
        raise RunError(
            f"--task: expected 0 to {options.tasks - 1}, as --tasks is {options.tasks}, "
            f"found {options.task}"
        )
    if options.stage is not None and options.stage not in settings.targets:
        raise RunError(
            f"{folder.path}: this run looks for {' and '.join(settings.targets)} only; "
            f"--stage {options.stage} does not fit"
        )
    # More tasks than shards: the last ones have nothing to do.
    parts = [*split_shards(range(plan.num_shards), options.tasks), ()]
    shards = parts[min(options.task, len(parts) - 1)]
    if options.stage == "person":
        _require_faces(folder, shards)
    targets = TARGETS if options.stage is None else (options.stage,)
    jobs = [ShardJob(shard, targets=targets) for shard in shards]
    name = f"task-{options.stage or 'all'}-{options.task}"
    do_task(folder, jobs, chosen_execution(options), name=name)
    return 0


def _require_faces(folder: RunFolder, shards: tuple[int, ...]) -> None:
    """People are looked for where no face was found, so that has to be known first.

    Raises:
      RunError: it is not.
    """
    if "face" not in folder.settings().targets:
        return
    missing = sorted(set(shards) - folder.done("face") - folder.done())
    if missing:
        raise RunError(
            f"{folder.path}: {len(missing)} of this task's {len(shards)} shards have no face "
            "scores yet; run it with --stage face first"
        )


# --- cancel ---------------------------------------------------------------------------------------


def add_cancel(commands: Commands) -> None:
    """Adds `passify cancel`."""
    parser = command(
        commands, "cancel", "cancel the SLURM jobs of a run; what they have done is kept"
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the run")
    parser.set_defaults(run=_cancel)


def _cancel(options: argparse.Namespace) -> int:
    from pass_dataset.passify.executors.slurm import cancel_run

    folder = RunFolder(options.run_folder)
    folder.settings()
    job_ids = cancel_run(folder.path)
    listed = f"cancelled: {', '.join(map(str, job_ids))}" if job_ids else "no jobs wait or run"
    print(f"{options.run_folder}: {listed}")
    return 0
