"""`passify export`: the images that are kept, in a place of their own."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from pass_dataset.commands.arguments import add_json, positive
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.passify.results import add_results, chosen_results, undecided_text
from pass_dataset.pages.words import count
from pass_dataset.passify.outputs.kinds import EXPORT_KINDS
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "passify export run/ --to kept/ --as hardlink",
        "passify export run/ --to shards/ --as webdataset",
    )
    add_results(parser)
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder to fill")
    parser.add_argument("--as", dest="kind", choices=EXPORT_KINDS, required=True, help="how")
    parser.add_argument(
        "--shard-size",
        type=positive,
        default=1000,
        metavar="N",
        help="images in a tar (default: 1000)",
    )
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.passify.outputs.export import Export

    results, thresholds, exclusions = chosen_results(options)
    export = Export(options.to, options.kind, thresholds, options.shard_size, exclusions)
    with on_terminal() as progress:
        report = export.run(results, progress)
    if options.json:
        print_json({"folder": str(options.to), "whole": report.is_whole, **asdict(report)})
    else:
        print(f"{options.to}: {count(report.images, 'image', 'images')}")
    if report.changed:
        print(
            f"passify: {count(report.changed, 'image is', 'images are')} left out: changed since "
            "examined, or gone",
            file=sys.stderr,
        )
    if report.clashing:
        print(
            f"passify: {count(report.clashing, 'image is', 'images are')} left out: others have "
            "their names in the export; --as webdataset numbers them",
            file=sys.stderr,
        )
    if report.differing:
        print(
            f"passify: {count(report.differing, 'image is', 'images are')} not there: something "
            "else lies in their place; move it away, or take another --to",
            file=sys.stderr,
        )
    if report.undecided:
        print(f"passify: {undecided_text(options, thresholds, report.undecided)}", file=sys.stderr)
    return 0 if report.is_whole else 1
