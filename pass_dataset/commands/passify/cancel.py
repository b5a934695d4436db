"""`passify cancel`: the SLURM jobs of a run cancelled."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.parser import CommandParser

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the run")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.passify.executors.slurm.queue import cancel_run
    from pass_dataset.passify.runs.run_folder import RunFolder

    folder = RunFolder(options.run_folder)
    folder.settings()
    job_ids = cancel_run(folder.path)
    listed = f"cancelled: {', '.join(map(str, job_ids))}" if job_ids else "no jobs wait or run"
    print(f"{options.run_folder}: {listed}")
    return 0
