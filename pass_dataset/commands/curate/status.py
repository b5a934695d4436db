"""`pass-curate status`: which steps of a curation are done, and what is going on."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.curate.step_settings import add_curation
from pass_dataset.commands.curate.told import print_step
from pass_dataset.commands.parser import CommandParser, examples

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples("pass-curate status curation/", "pass-curate status curation/ --json")
    add_curation(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.program.going_on import going_on

    folder = CurationFolder.existing(options.curation)
    now = going_on(folder)
    if options.json:
        print_json({**asdict(now), "steps": [asdict(step) for step in now.steps]})
        return 0 if now.begun is None else 1
    for step in now.steps:
        print_step(step)
    if now.begun is not None:
        shards = "" if now.shards is None else f", {now.written:,} of {now.shards:,} shards written"
        print(f"{now.begun} is begun and not done{shards}; the same command goes on with it")
    if now.holder is not None:
        print(f"at work: {now.holder}")
    elif now.begun is None and now.following is not None:
        print(f"next: {now.following}")
    return 0 if now.begun is None else 1
