"""`pass-evaluate probe`: what one encoder is worth on labelled images."""

from __future__ import annotations

import argparse

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.evaluate.arguments import (
    DATA_HELP,
    ENCODER_HELP,
    add_features,
    encoder_of,
    transform_of,
    work_of,
)
from pass_dataset.commands.parser import CommandParser, examples

__all__ = ["add_arguments", "add_protocols"]


def add_protocols(parser: CommandParser) -> None:
    """Adds which protocols, and the views that one of them takes."""
    parser.add_argument(
        "--protocols", metavar="NAMES", default="kmeans,knn,linear,svm,logistic",
        help="some of kmeans,knn,linear,svm,logistic (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--views", type=int, default=0, metavar="V",
        help="random views of the training images for the linear layer, each embedded once "
        "(default: the middles alone)",
    )  # fmt: skip


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples("pass-evaluate probe moco_v2_200ep labelled/ --protocols knn,logistic")
    parser.add_argument("encoder", metavar="ENCODER", help=ENCODER_HELP)
    parser.add_argument("data", metavar="DATA", help=DATA_HELP)
    add_protocols(parser)
    add_features(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.evaluate.comparison.comparing import CompareSettings, probe
    from pass_dataset.progress import on_terminal

    settings = CompareSettings(
        tuple(options.protocols.split(",")), transform_of(options), options.views, options.root
    )
    encoder = encoder_of(options.encoder, options)
    with on_terminal() as progress:
        outcomes = probe(
            encoder, options.data, settings, cache=options.cache, work=work_of(options),
            progress=progress,
        )  # fmt: skip
    if options.json:
        print_json(
            [
                {
                    "protocol": each.protocol,
                    "metric": each.metric,
                    "value": each.value,
                    "runs": each.runs,
                    "notes": each.notes,
                }
                for each in outcomes
            ]
        )
        return 0
    for each in outcomes:
        spread = "" if each.spread is None else f" ± {each.spread:.1f}"
        notes = "".join(f"; {note}" for note in each.notes)
        print(f"{each.protocol}, {each.metric}: {each.value:.1f}{spread}{notes}")
    return 0
