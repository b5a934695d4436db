"""`passify work`: one part of a planned run, beside others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import number, positive
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.passify.arguments import add_execution, chosen_execution
from pass_dataset.errors import RunError
from pass_dataset.passify.runs.outcomes import TARGETS
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    from pass_dataset.passify.runs.run_folder import RunFolder

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "passify work run/ --task 0 --tasks 100",
        "passify work run/ --task 0 --tasks 10 --stage person --device cuda",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the run")
    parser.add_argument(
        "--task", type=number, required=True, metavar="I", help="which part: 0 to N - 1"
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
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.executors.tasks import do_task, split_shards
    from pass_dataset.passify.runs.plan import Plan
    from pass_dataset.passify.runs.run_folder import RunFolder
    from pass_dataset.passify.steps.job import FilterJob

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
    jobs = [FilterJob(shard, targets=targets) for shard in shards]
    name = f"task-{options.stage or 'all'}-{options.task}"
    with on_terminal() as progress:
        do_task(folder, jobs, chosen_execution(options), name=name, progress=progress)
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
