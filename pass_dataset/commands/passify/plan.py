"""`passify plan`: the images of a collection listed."""

from __future__ import annotations

import argparse

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.passify.arguments import add_execution, chosen_execution
from pass_dataset.commands.passify.results import warn_unlisted
from pass_dataset.commands.passify.settings import add_settings, chosen_settings
from pass_dataset.pages.words import count
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "passify plan photographs/ --out run/",
        "passify work run/ --task 0 --tasks 2",
    )
    add_settings(parser)
    add_execution(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.passify.filtering import plan_run
    from pass_dataset.passify.runs.run_folder import RunFolder

    settings = chosen_settings(options, chosen_execution(options))
    with on_terminal() as progress:
        plan = plan_run(
            RunFolder(options.out),
            settings,
            exclusions=options.exclude,
            strict=options.strict,
            progress=progress,
        )
    if options.json:
        print_json(
            {
                "folder": str(options.out),
                "images": plan.images,
                "shards": plan.num_shards,
                "left_out": dict(plan.left_out),
                "unreadable": plan.num_unreadable,
            }
        )
    else:
        print(
            f"{options.out}: {count(plan.images, 'image', 'images')} in "
            f"{count(plan.num_shards, 'shard', 'shards')}"
        )
    if plan.num_unreadable:
        warn_unlisted(plan)
        return 1
    return 0
