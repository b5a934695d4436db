"""`pass-curate classes`: the most frequent classes, and at most so many photographs of each."""

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
    "count": Option("classes, those with the most photographs (default 800)"),
    "per_class": Option("photographs of a class at most (default 2000; 0: all)"),
    "seed": Option("of the order they are drawn by (default 0)", "SEED"),
}


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate classes curation/",
        "pass-curate classes curation/ --count 100 --per-class 500",
    )
    add_curation(parser)
    add_settings(parser, "classes", _OPTIONS)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.sampling.classes import ClassesSettings, run_classes

    folder = CurationFolder(options.curation)
    folder.require()
    settings = chosen_settings(options, ClassesSettings, "classes")
    with on_terminal() as progress:
        step = run_classes(folder, settings, progress=progress)
    print_steps([step], as_json=options.json)
    return 0
