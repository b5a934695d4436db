"""`pass-curate status`: which steps of a curation are done."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.curate.told import print_step
from pass_dataset.commands.parser import CommandParser, examples

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples("pass-curate status curation/", "pass-curate status curation/ --json")
    parser.add_argument("curation", metavar="CURATION", type=Path, help="folder of the curation")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.ledger import Ledger

    folder = CurationFolder(options.curation)
    folder.require()
    ledger = Ledger(folder)
    steps, begun = ledger.steps(), ledger.begun()
    if options.json:
        print_json({"steps": [asdict(step) for step in steps], "begun": begun})
        return 0 if begun is None else 1
    for step in steps:
        print_step(step)
    if begun is not None:
        print(f"{begun} is begun and not done; the same command goes on with it")
    return 0 if begun is None else 1
