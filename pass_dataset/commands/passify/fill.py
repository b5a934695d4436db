"""`passify fill`: people looked for where other thresholds need it."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.executors import add_executor, chosen_executor
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.passify.arguments import (
    add_execution,
    add_thresholds,
    chosen_execution,
    chosen_thresholds,
)
from pass_dataset.commands.passify.results import print_left, print_summary, summary_json
from pass_dataset.pages.words import count
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "passify fill run/ --face 0.7",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the run")
    add_thresholds(parser, "that of the run")
    add_execution(parser)
    add_executor(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.passify.filtering import fill_run
    from pass_dataset.passify.runs.results import Results
    from pass_dataset.passify.runs.run_folder import RunFolder

    folder = RunFolder(options.run_folder)
    thresholds = chosen_thresholds(options, folder.settings().thresholds)
    executor = chosen_executor(options, chosen_execution(options))
    with on_terminal() as progress:
        report = fill_run(folder, thresholds, executor, progress=progress)
    if report.shards_left:
        print_left(options.run_folder, report.shards_left, as_json=options.json)
        return 0
    if options.json:
        counts = summary_json(Results(folder), thresholds)
        print_json({"folder": str(folder.path), "examined": report.images, **counts})
        return 0
    print(f"{count(report.images, 'image', 'images')} examined")
    print_summary(Results(folder), thresholds)
    return 0
