"""`passify report`: what a run did, as one HTML file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pass_dataset.commands.arguments import number
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.passify.arguments import add_thresholds, chosen_thresholds
from pass_dataset.commands.passify.results import add_strict, chosen_exclusions
from pass_dataset.pages.words import size
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "passify report run/",
        "passify report run/ --face 0.3 --out stricter.html",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the run")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.html", help="file to write (default: RUN/report.html)"
    )
    add_thresholds(parser, "that of the run")
    parser.add_argument(
        "--exclude",
        type=Path,
        metavar="FILE",
        help="opt-out list: images by path or SHA-256, one a line, that are shown to nobody",
    )
    add_strict(parser)
    parser.add_argument(
        "--examples",
        type=number,
        default=8,
        metavar="N",
        help="images shown of each reason, and on each side of a threshold (default 8; 0: none)",
    )
    parser.add_argument(
        "--sample",
        type=number,
        default=200,
        metavar="N",
        help="kept images that are drawn for a person to look at (default 200)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn at random")
    parser.add_argument(
        "--sample-pictures",
        action="store_true",
        help="show the drawn images, with nothing blurred, in place of their names",
    )
    parser.add_argument(
        "--no-blur", action="store_true", help="show faces and people that were found"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.passify.report.document import write_report
    from pass_dataset.passify.report.survey import Choices
    from pass_dataset.passify.runs.results import Results
    from pass_dataset.passify.runs.run_folder import RunFolder

    results = Results(RunFolder(options.run_folder))
    exclusions = chosen_exclusions(options, results)
    with on_terminal() as progress:
        out = write_report(
            results,
            thresholds=chosen_thresholds(options, results.settings.thresholds),
            exclusions=exclusions,
            choices=Choices(options.examples, options.sample, options.seed),
            blur=not options.no_blur,
            sample_pictures=options.sample_pictures,
            out=options.out,
            progress=progress,
        )
    print(f"{out}: {size(out.stat().st_size)}")
    if results.missing_shards:
        print(
            f"passify: {results.missing_shards:,} of {results.plan.num_shards:,} shards are not "
            "done; the report is about the others",
            file=sys.stderr,
        )
    return 1 if results.missing_shards else 0
