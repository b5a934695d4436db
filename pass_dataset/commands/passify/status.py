"""`passify status`: how far a run is."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.errors import SchedulerError
from pass_dataset.pages.words import count

if TYPE_CHECKING:
    from pass_dataset.executors.slurm.queue import QueuedArray

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "passify status run/",
        "passify status run/ --json",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the run")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.passify.runs.run_folder import RunFolder
    from pass_dataset.passify.runs.status import read_status

    status = read_status(RunFolder(options.run_folder))
    queue = [] if status.is_whole else _queue(options.run_folder)
    if options.json:
        content = {**asdict(status), "whole": status.is_whole, "slurm": list(map(asdict, queue))}
        print_json(content)
        return 0 if status.is_whole else 1
    if status.images is None:
        print(f"{options.run_folder}: the images are not listed yet")
    else:
        print(
            f"{options.run_folder}: {status.images_done:,} of "
            f"{count(status.images, 'image', 'images')}, "
            f"{status.shards_done:,} of {count(status.shards, 'shard', 'shards')} done"
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
    from pass_dataset.executors.slurm.queue import read_queue

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
