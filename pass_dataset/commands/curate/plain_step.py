"""Commands of steps that are told nothing but their settings."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

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

__all__ = ["SEED", "add_plain_step"]

#: The setting of all steps that draw.
SEED = Option("of the order they are drawn by (default 0)", "SEED")


def add_plain_step(
    parser: CommandParser, step: str, options: Mapping[str, Option], *lines: str
) -> None:
    """Adds the arguments of such a command, and what it runs.

    Args:
      parser: of the command.
      step: its name, by which the table of steps knows its settings and what does it.
      options: by the names of the settings.
      lines: examples.
    """
    parser.epilog = examples(*lines)
    add_curation(parser)
    add_settings(parser, step, options)
    add_json(parser)
    parser.set_defaults(run=_run, step=step)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.program.kinds import kind_of

    kind = kind_of(options.step)
    folder = CurationFolder.existing(options.curation)
    settings = chosen_settings(options, kind.settings_class(), options.step)
    with on_terminal() as progress:
        step = kind.call()(folder, settings, progress=progress)
    print_steps([step], as_json=options.json)
    return 0
