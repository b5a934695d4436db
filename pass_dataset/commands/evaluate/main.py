"""The command `pass-evaluate`: its commands, each of which has a module of its own."""

from __future__ import annotations

from collections.abc import Sequence

from pass_dataset.commands.command_line import run_command
from pass_dataset.commands.parser import Command, CommandParser, command_line, examples

__all__ = ["COMMANDS", "main", "make_parser"]

_HERE = "pass_dataset.commands.evaluate"

#: In the order of `--help`.
COMMANDS = (
    Command("compare", "say which of two encoders is better, and how sure that is",
            f"{_HERE}.compare", "encoders"),
    Command("probe", "say what one encoder is worth on labelled images",
            f"{_HERE}.probe", "encoders"),
    Command("embed", "put images through an encoder, once; resumes",
            f"{_HERE}.embed", "encoders"),
    Command("classes", "say which classes a classifier sees in a collection, and how often",
            f"{_HERE}.classes", "collections"),
    Command("completion", "write a script that lets a shell complete this command",
            "pass_dataset.commands.completion", "the rest"),
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    return run_command(make_parser(), argv)


def make_parser() -> CommandParser:
    """The parser of the command line."""
    return command_line(
        "pass-evaluate",
        "What pretrained encoders are worth while they are frozen, and what PASSifying cost.",
        COMMANDS,
        examples(
            "pass-evaluate compare --a passified.pt --b original.pt --data labelled/",
            "pass-evaluate compare --help",
        ),
    )
