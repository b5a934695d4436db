"""The command `passify`: its commands, each of which has a module of its own."""

from __future__ import annotations

from collections.abc import Sequence

from pass_dataset.commands.command_line import run_command
from pass_dataset.commands.parser import Command, CommandParser, command_line, examples

__all__ = ["COMMANDS", "main", "make_parser"]

_HERE = "pass_dataset.commands.passify"

#: In the order of `--help`.
COMMANDS = (
    Command("run", "filter a collection; continues if it was cut", f"{_HERE}.run", "a run"),
    Command(
        "status", "say how far a run is; exit 0 only if it is done", f"{_HERE}.status", "a run"
    ),
    Command(
        "plan", "list the images of a collection, for run or work to do", f"{_HERE}.plan", "a run"
    ),
    Command(
        "work",
        "do one part of a planned run, beside others that do the other parts, under any scheduler",
        f"{_HERE}.work",
        "a run",
    ),
    Command(
        "cancel",
        "cancel the SLURM jobs of a run; what they have done is kept",
        f"{_HERE}.cancel",
        "a run",
    ),
    Command(
        "keep", "list the images that are kept, at these thresholds", f"{_HERE}.keep", "its results"
    ),
    Command(
        "dropped",
        "list every other image: path, outcome, reason, scores, message",
        f"{_HERE}.dropped",
        "its results",
    ),
    Command(
        "summary",
        "count images by outcome and reason, at these thresholds",
        f"{_HERE}.summary",
        "its results",
    ),
    Command(
        "fill",
        "look for people on the images that other thresholds leave undecided",
        f"{_HERE}.fill",
        "its results",
    ),
    Command(
        "export",
        "put the images that are kept in a place of their own; continues if cut",
        f"{_HERE}.export",
        "its results",
    ),
    Command("report", "write a page about a run, one HTML file", f"{_HERE}.report", "its results"),
    Command(
        "verify",
        "run both detectors on PASS itself: how much would be dropped today? Continues if cut",
        f"{_HERE}.verify",
        "the rest",
    ),
    Command(
        "completion",
        "write a script that lets a shell complete this command",
        "pass_dataset.commands.completion",
        "the rest",
    ),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    return run_command(make_parser(), argv)


def make_parser() -> CommandParser:
    """The parser of the whole command line; see `CommandParser.fill`."""
    return command_line(
        "passify",
        "The filter that made PASS: which images of a collection show no people? "
        "Automatic filters miss people, and not all groups alike: check a sample by eye.",
        COMMANDS,
        examples(
            "passify run photographs/ --out run/",
            "passify keep run/ > kept.txt",
            "passify report run/",
            "passify run --help",
        ),
    )
