"""`passify report`: what a run did, as one HTML file."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.arguments import Commands, command
from pass_dataset.progress import on_terminal

__all__ = ["add_report"]


def add_report(commands: Commands) -> None:
    """Adds the command `report`."""
    parser = command(commands, "report", "write a page about a run, one HTML file")
    parser.add_argument("folder", metavar="RUN", type=Path, help="folder of the run")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.html", help="file to write (default: RUN/report.html)"
    )
    for target, rule in (("face", "over"), ("person", "of at least")):
        parser.add_argument(
            f"--{target}",
            type=_score,
            metavar="SCORE",
            help=f"drop images with a {target} score {rule} this (default: as the run did)",
        )
    parser.add_argument(
        "--examples",
        type=_count,
        default=8,
        metavar="N",
        help="images shown of each reason, and on each side of a threshold (default 8; 0: none)",
    )
    parser.add_argument(
        "--sample",
        type=_count,
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
    parser.set_defaults(run=_report)


def _score(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a score from 0 to 1, found {text!r}")
    return value


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a number of 0 or more, found {text!r}")
    return int(text)


def _report(options: argparse.Namespace) -> int:
    from pass_dataset.passify.report.document import write_report
    from pass_dataset.passify.report.survey import Choices
    from pass_dataset.passify.runs.run_folder import RunFolder
    from pass_dataset.passify.verdicts import Thresholds

    told = RunFolder(options.folder).settings().thresholds
    with on_terminal() as progress:
        out = write_report(
            options.folder,
            thresholds=Thresholds(
                told.face if options.face is None else options.face,
                told.person if options.person is None else options.person,
            ),
            choices=Choices(options.examples, options.sample, options.seed),
            blur=not options.no_blur,
            sample_pictures=options.sample_pictures,
            out=options.out,
            progress=progress,
        )
    print(f"{out}: {out.stat().st_size:,} bytes")
    return 0
