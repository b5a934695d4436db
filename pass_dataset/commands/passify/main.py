"""The command `passify`: parse, call the library, print, exit code."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import Commands, command
from pass_dataset.commands.command_line import run_command
from pass_dataset.commands.completion import add_completion
from pass_dataset.commands.passify.outputs import add_dropped, add_export, add_keep, add_summary
from pass_dataset.commands.passify.report import add_report
from pass_dataset.commands.passify.run import add_fill, add_run
from pass_dataset.commands.passify.spread import add_cancel, add_plan, add_work
from pass_dataset.commands.passify.verify import add_verify
from pass_dataset.errors import SchedulerError
from pass_dataset.version import __version__

if TYPE_CHECKING:
    from pass_dataset.passify.executors.slurm import QueuedArray

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    return run_command(_parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="passify",
        description="The filter that made PASS: which images of a collection show no people? "
        "Automatic filters miss people, and not all groups alike: check a sample by eye.",
    )
    parser.add_argument("--version", action="version", version=f"passify {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_run(commands)
    _add_status(commands)
    add_plan(commands)
    add_work(commands)
    add_cancel(commands)
    add_keep(commands)
    add_dropped(commands)
    add_summary(commands)
    add_fill(commands)
    add_export(commands)
    add_report(commands)
    add_verify(commands)
    add_completion(commands, parser)
    return parser


def _add_status(commands: Commands) -> None:
    parser = command(commands, "status", "say how far a run is; exit 0 only if it is done")
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the run")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_status)


def _status(options: argparse.Namespace) -> int:
    from pass_dataset.passify.runs import RunFolder
    from pass_dataset.passify.runs.status import read_status

    status = read_status(RunFolder(options.run_folder))
    queue = [] if status.is_whole else _queue(options.run_folder)
    if options.json:
        content = {**asdict(status), "whole": status.is_whole, "slurm": list(map(asdict, queue))}
        print(json.dumps(content, indent=1))
        return 0 if status.is_whole else 1
    if status.images is None:
        print(f"{options.run_folder}: the images are not listed yet")
    else:
        print(
            f"{options.run_folder}: {status.images_done:,} of {status.images:,} images, "
            f"{status.shards_done:,} of {status.shards:,} shards done"
        )
    for outcome, number in status.outcomes.items():
        print(f"  {outcome} {number:,}")
    _print_queue(queue)
    if status.running:
        print(f"running: {status.running}")
    elif not status.is_whole and not queue:
        folder = shlex.quote(os.fspath(options.run_folder))
        print(f"not running; passify run SOURCE --out {folder} goes on")
    if status.images_per_s is not None and not status.is_whole:
        left_s = ((status.images or 0) - status.images_done) / status.images_per_s
        print(f"{status.images_per_s:,.1f} images/s lately; {left_s / 60:,.0f} minutes left so")
    for shard, message in status.failed_shards.items():
        print(f"shard {shard} failed: {message}")
    for what in status.unreadable:
        print(f"could not be listed: {what}")
    for what, number in status.left_out.items():
        print(f"left out: {number:,} {what}")
    return 0 if status.is_whole else 1


def _queue(run_folder: Path) -> list[QueuedArray]:
    from pass_dataset.passify.executors.slurm import read_queue

    try:
        return read_queue(run_folder.absolute())
    except SchedulerError as error:
        print(f"what SLURM does is not known: {error}", file=sys.stderr)
        return []


def _print_queue(arrays: Sequence[QueuedArray]) -> None:
    for array in arrays:
        where = "" if array.partition is None else f" in partition {array.partition}"
        waiting = "".join(f", {number:,} wait ({why})" for why, number in array.waiting.items())
        print(f"SLURM job {array.job_id}, {array.stage}{where}: {array.running:,} run{waiting}")
