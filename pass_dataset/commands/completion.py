"""`completion`, of both commands: a script by which a shell completes what is typed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from pass_dataset.commands.parser import CommandParser, examples

__all__ = ["SHELLS", "add_arguments", "completion_script"]

SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    whole = parser.prog.split()[0]
    parser.epilog = examples(
        f'eval "$({parser.prog} bash)"   # in ~/.bashrc',
        f"{parser.prog} bash > ~/.local/share/bash-completion/completions/{whole}",
        f"{parser.prog} zsh > ~/.zfunc/_{whole}   # a folder of fpath",
        f"{parser.prog} fish > ~/.config/fish/completions/{whole}.fish",
    )
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=", ".join(SHELLS))
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    print(completion_script(options.parser, options.shell))
    return 0


def completion_script(parser: CommandParser, shell: str) -> str:
    """A script that completes commands, options, their choices, and files.

    It stands on its own: to complete starts no Python. What is installed anew has to be asked anew.

    Args:
      parser: of the whole command line, whose ``prog`` is completed.
      shell: one of `SHELLS`.
    """
    import shtab

    parser.fill()
    for action in _actions(parser):
        if action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # so is shtab told
    script: str = shtab.complete(parser, shell=shell)
    return script


def _actions(parser: CommandParser) -> Iterator[argparse.Action]:
    yield from parser._actions
    for command in parser.commands.values():
        yield from _actions(command)
