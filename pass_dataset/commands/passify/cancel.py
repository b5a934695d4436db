"""`passify cancel`: the SLURM jobs of a run cancelled."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "passify cancel run/",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the run")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.executors.slurm.queue import cancel_run
    from pass_dataset.passify.runs.run_folder import RunFolder

    folder = RunFolder(options.run_folder)
    folder.settings()
    job_ids = cancel_run(folder.path)
    if options.json:
        print_json({"folder": str(options.run_folder), "cancelled": list(job_ids)})
        return 0
    listed = f"cancelled: {', '.join(map(str, job_ids))}" if job_ids else "no jobs wait or run"
    print(f"{options.run_folder}: {listed}")
    return 0
