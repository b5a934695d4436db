"""`pass-curate explain`: what happened to a photograph, and why."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.curate.step_settings import add_curation
from pass_dataset.commands.parser import CommandParser, examples

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate explain curation/ ffd3eb12a16cb83138f26e6f36dec967",
    )
    add_curation(parser)
    parser.add_argument("hash", metavar="HASH", help="name of the photograph")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.funnel.story import story_lines, story_of
    from pass_dataset.curate.ledger import Ledger

    folder = CurationFolder.existing(options.curation)
    story = story_of(Ledger(folder), options.hash)
    if story is None:
        print(f"pass-curate: {options.hash}: was not selected", file=sys.stderr)
        return 1
    if options.json:
        print_json(asdict(story))
        return 0
    for line in story_lines(story):
        print(line)
    return 0
