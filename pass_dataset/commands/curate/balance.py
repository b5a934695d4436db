"""`pass-curate balance`: so many photographs of a photographer, so many of all."""

from __future__ import annotations

import argparse

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.curate.step_settings import (
    Option,
    add_curation,
    add_settings,
    chosen_settings,
)
from pass_dataset.commands.curate.told import print_steps
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]

_OPTIONS = {
    "per_photographer": Option("photographs of one photographer at most (default 80; 0: all)"),
    "sample": Option("photographs of all, drawn at random (default 1600000; 0: all)"),
    "seed": Option("of the order they are drawn by (default 0)", "SEED"),
}


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate balance curation/",
        "pass-curate balance curation/ --per-photographer 20 --sample 100000 --seed 7",
    )
    add_curation(parser)
    add_settings(parser, "balance", _OPTIONS)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.sampling.balance import BalanceSettings, run_balance

    folder = CurationFolder(options.curation)
    folder.require()
    settings = chosen_settings(options, BalanceSettings, "balance")
    with on_terminal() as progress:
        step = run_balance(folder, settings, progress=progress)
    print_steps([step], as_json=options.json)
    return 0
