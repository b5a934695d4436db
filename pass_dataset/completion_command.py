"""`completion`: a script that lets the shell complete a command's arguments."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import shtab

__all__ = ["SHELLS", "add_completion", "completion_script"]

SHELLS = ("bash", "zsh", "tcsh")

#: What `add_subparsers` returns; the class has no public name.
_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_completion(commands: _Commands, parser: argparse.ArgumentParser) -> None:
    """Adds the command.

    Args:
      commands: of the parser.
      parser: whose arguments are to be completed; what is added to it later counts too.
    """
    text = "write a script that lets the shell complete this command's arguments"
    added = commands.add_parser("completion", help=text, description=f"W{text[1:]}.")
    added.add_argument("shell", choices=SHELLS)
    added.set_defaults(run=_completion, parser=parser)


def _completion(options: argparse.Namespace) -> int:
    print(completion_script(options.parser, options.shell))
    return 0


def completion_script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Shell code that completes commands, options, choices and, files.

    It stands on its own: completing starts no Python.

    Args:
      parser: of the command, whose name is its `prog`.
      shell: one of `SHELLS`.
    """
    for action in _actions(parser):
        if action.type is Path and not action.choices:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # how shtab is told
    script: str = shtab.complete(parser, shell=shell)
    return script


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
