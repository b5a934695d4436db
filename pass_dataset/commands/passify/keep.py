"""`passify keep`: the images that are kept."""

from __future__ import annotations

import argparse
import sys

from pass_dataset.commands.command_line import write_line
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.passify.results import add_results, chosen_results, undecided_text

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "passify keep run/ > kept.txt",
        "passify keep run/ --face 0.3 --person 0.3 -0 | xargs -0 ls -l",
    )
    add_results(parser)
    parser.add_argument(
        "-0",
        "--null",
        action="store_true",
        help="end each name with a NUL and escape none, for xargs -0",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.passify.outputs.lists import listed_paths
    from pass_dataset.passify.outputs.summary import summarize
    from pass_dataset.passify.sources.names import text_to_name

    results, thresholds, exclusions = chosen_results(options)
    results.require_whole()
    for path in listed_paths(results, thresholds, "kept", exclusions):
        if options.null:
            sys.stdout.buffer.write(text_to_name(path) + b"\0")
        else:
            write_line(path.encode())
    sys.stdout.flush()
    undecided = summarize(results, thresholds, exclusions).count("undecided")
    if undecided:
        print(f"passify: {undecided_text(options, thresholds, undecided)}", file=sys.stderr)
    return 1 if undecided else 0
