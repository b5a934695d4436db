"""`completion`: a script that lets the shell complete a command's arguments."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from pass_dataset.commands.arguments import Commands, command

__all__ = ["SHELLS", "add_completion", "completion_script"]

SHELLS = ("bash", "zsh", "tcsh")


def add_completion(commands: Commands, parser: argparse.ArgumentParser) -> None:
    """Adds the command.

    Args:
      commands: of the parser.
      parser: whose arguments are to be completed; what is added to it later counts too.
    """
    added = command(
        commands,
        "completion",
        "write a script that lets the shell complete this command's arguments",
    )
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
    # Not at the top: every start of a command would pay for it.
    import shtab

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
