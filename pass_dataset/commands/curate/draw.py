"""`pass-curate draw`: the photographs of the release."""

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
    "count": Option("photographs of the release (default 1440191; 0: all that are left)"),
    "seed": Option("of the order they are drawn by (default 0)", "SEED"),
}


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate draw curation/",
        "pass-curate draw curation/ --count 50000",
    )
    add_curation(parser)
    add_settings(parser, "draw", _OPTIONS)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.sampling.draw import DrawSettings, run_draw

    folder = CurationFolder(options.curation)
    folder.require()
    settings = chosen_settings(options, DrawSettings, "draw")
    with on_terminal() as progress:
        step = run_draw(folder, settings, progress=progress)
    print_steps([step], as_json=options.json)
    return 0
