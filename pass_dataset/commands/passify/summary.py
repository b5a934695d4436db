"""`passify summary`: images counted by outcome and reason."""

from __future__ import annotations

import argparse
import sys

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.passify.results import (
    add_results,
    chosen_results,
    print_summary,
    summary_json,
    tell_unmatched,
    undecided_text,
)

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "passify summary run/",
        "passify summary run/ --face 0.3 --person 0.3 --json",
    )
    add_results(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.passify.outputs.summary import summarize
    from pass_dataset.passify.runs.exclusions import exclusions_of

    results, thresholds, exclusions = chosen_results(options)
    of_run = exclusions_of(results.folder)
    if of_run is not None:
        tell_unmatched(results, of_run, strict=options.strict)
    summary = summarize(results, thresholds, exclusions)
    if options.json:
        print_json(summary_json(results, thresholds, exclusions))
    else:
        print_summary(results, thresholds, exclusions)
        undecided = summary.count("undecided")
        if undecided:
            print(undecided_text(options, thresholds, undecided), file=sys.stderr)
    return 1 if summary.missing else 0
