"""`pass-evaluate compare`: which of two encoders is better, and how sure that is."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json, write_out
from pass_dataset.commands.evaluate.arguments import (
    DATA_HELP,
    ENCODER_HELP,
    add_features,
    encoder_of,
    transform_of,
    work_of,
)
from pass_dataset.commands.evaluate.probe import add_protocols
from pass_dataset.commands.parser import CommandParser, examples

if TYPE_CHECKING:
    from pass_dataset.evaluate.data.labelled import LabelledImages
    from pass_dataset.progress import Progress

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-evaluate compare --a passified.pt --b original.pt --data labelled/ --out page.html",
        "pass-evaluate compare --a moco_v2_200ep --b random:resnet50 --data labelled/ --json",
    )
    parser.add_argument("--a", metavar="ENCODER", required=True, help=ENCODER_HELP)
    parser.add_argument("--b", metavar="ENCODER", required=True, help="the same, the other one")
    parser.add_argument("--data", metavar="DATA", nargs="+", required=True, help=DATA_HELP)
    add_protocols(parser)
    add_features(parser)
    parser.add_argument(
        "--same-files-only", action="store_true",
        help="of test images that are in the training set too, count those that are the same file, "
        "not copies that nearly are; the latter takes a second for a hundred images",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="FILE", type=Path, help="write the page here as well (.html or .json)"
    )
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.evaluate.comparison.comparing import CompareSettings, compare
    from pass_dataset.evaluate.comparison.export import as_json, as_lines
    from pass_dataset.evaluate.comparison.page import render_comparison
    from pass_dataset.progress import on_terminal

    settings = CompareSettings(
        tuple(options.protocols.split(",")), transform_of(options), options.views, options.root
    )
    first, second = (encoder_of(name, options) for name in (options.a, options.b))
    with on_terminal() as progress:
        comparison = compare(
            first, second, options.data, settings, cache=options.cache, work=work_of(options),
            progress=progress,
            copies_in=None if options.same_files_only else lambda train, test: _copies(
                train, test, progress
            ),
        )  # fmt: skip
    if options.out is not None:
        page = (
            json.dumps(as_json(comparison), indent=1)
            if options.out.suffix == ".json"
            else render_comparison(comparison, written_at=time.time())
        )
        write_out([page], options.out)
    if options.json:
        print_json(as_json(comparison))
        return 0
    for line in as_lines(comparison):
        print(line)
    return 0


def _copies(train: LabelledImages, test: LabelledImages, progress: Progress) -> int:
    """How many test images have copies among the training images."""
    from pass_dataset.curate.duplicates.in_both import copies_in
    from pass_dataset.evaluate.data.labelled import encoded

    def read(number: int) -> bytes:
        if number < len(train):
            return encoded(train.read(number))
        return encoded(test.read(number - len(train)))

    return copies_in(read, len(train), len(test), progress)
