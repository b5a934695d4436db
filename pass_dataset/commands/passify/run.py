"""`passify run`: a collection filtered."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.executors import add_executor, chosen_executor
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.passify.arguments import add_execution, chosen_execution
from pass_dataset.commands.passify.results import (
    print_broken,
    print_left,
    print_summary,
    summary_json,
    tell_unmatched,
    warn_unlisted,
)
from pass_dataset.commands.passify.settings import add_settings, chosen_settings
from pass_dataset.pages.words import count
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    from pass_dataset.passify.runs.run_folder import RunFolder

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "passify run photographs/ --out run/",
        "passify run photographs/ --out run/ --exclude opt-out.txt",
        "passify run /data/pass --kind pass --out run/ --executor slurm --slurm-partition cpu",
    )
    add_settings(parser)
    parser.add_argument(
        "--retry-failed", action="store_true", help="begin anew with images that failed"
    )
    add_execution(parser)
    add_executor(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.passify.filtering import run_filter
    from pass_dataset.passify.runs.results import Results
    from pass_dataset.passify.runs.run_folder import RunFolder

    execution = chosen_execution(options)
    # First: what is not installed is better known before weights are fetched.
    executor = chosen_executor(options, execution)
    folder = RunFolder(options.out)
    settings = chosen_settings(options, execution)
    with on_terminal() as progress:
        report = run_filter(
            folder,
            settings,
            executor,
            exclusions=options.exclude,
            strict=options.strict,
            retry_failed=options.retry_failed,
            progress=progress,
        )
    if report.shards_left:
        print_left(options.out, report.shards_left, as_json=options.json)
        return 0
    if options.json:
        results = Results(folder)
        print_json(
            {
                "folder": str(folder.path),
                "shards_left": 0,
                "examined": report.images,
                "seconds": report.seconds,
                **summary_json(results, results.settings.thresholds),
                "kept": str(folder.kept_path),
                "dropped": str(folder.dropped_path),
            }
        )
        return 0
    if report.images:
        rate = report.images / max(report.seconds, 1e-9)
        print(
            f"{count(report.images, 'image', 'images')} examined in {report.seconds:,.1f} s "
            f"({rate:,.1f} images/s)"
        )
    return _print_end(folder)


def _print_end(folder: RunFolder) -> int:
    """Prints what became of the images; returns the exit code, 0 if they were looked at."""
    from pass_dataset.passify.runs.exclusions import exclusions_of
    from pass_dataset.passify.runs.results import Results

    results = Results(folder)
    exclusions = exclusions_of(folder)
    if exclusions is not None:
        tell_unmatched(results, exclusions)
    print_summary(results, results.settings.thresholds)
    failed = print_broken(results)
    if failed:
        print(
            f"{count(failed, 'image', 'images')} failed, which trying again may help: "
            "passify run … --retry-failed",
            file=sys.stderr,
        )
    print(f"{folder.kept_path}\n{folder.dropped_path}")
    if results.plan.num_unreadable:
        warn_unlisted(results.plan)
        return 1
    return 1 if failed == results.plan.images else 0
