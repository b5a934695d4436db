"""The command `pass-curate`: its commands, each of which has a module of its own."""

from __future__ import annotations

from collections.abc import Sequence

from pass_dataset.commands.command_line import run_command
from pass_dataset.commands.parser import Command, CommandParser, command_line, examples

__all__ = ["COMMANDS", "main", "make_parser"]

_HERE = "pass_dataset.commands.curate"

#: In the order of `--help`.
COMMANDS = (
    Command("review", "let people look at images, and mark what is not to be kept",
            f"{_HERE}.review", "people"),
    Command("audit", "say what a look at some images proves, or plan one",
            f"{_HERE}.audit", "people"),
    Command("status", "say which steps are done, and how many photographs went on",
            f"{_HERE}.status", "what was done"),
    Command("ledger", "write the ledger as one table: a row for each selected photograph",
            f"{_HERE}.ledger", "what was done"),
    Command("completion", "write a script that lets a shell complete this command",
            "pass_dataset.commands.completion", "the rest"),
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    return run_command(make_parser(), argv)


def make_parser() -> CommandParser:
    """The parser of the command line."""
    return command_line(
        "pass-curate",
        "A release made as PASS was: photographs selected, fetched, filtered, balanced and drawn, "
        "with an account of each.",
        COMMANDS,
        examples(
            "pass-curate status curation/",
            "pass-curate status --help",
        ),
    )
