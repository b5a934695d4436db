"""`pass-curate profiles`: the settings that ship."""

from __future__ import annotations

import argparse

from pass_dataset.commands.parser import CommandParser, examples

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate profiles",
        "pass-curate profiles pass-2021 > settings.toml",
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="print this one, as TOML")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.profiles.profile import open_profile, profile_names

    if options.name is not None:
        print(open_profile(options.name).text, end="")
        return 0
    for name in profile_names():
        print(f"{name:12} {open_profile(name).description}")
    return 0
