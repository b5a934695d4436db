"""`pass-curate balance`: so many photographs of a photographer, so many of all."""

from __future__ import annotations

from pass_dataset.commands.curate.plain_step import SEED, add_plain_step
from pass_dataset.commands.curate.step_settings import Option
from pass_dataset.commands.parser import CommandParser

__all__ = ["add_arguments"]

_OPTIONS = {
    "per_photographer": Option("photographs of one photographer at most (default 80; 0: all)"),
    "sample": Option("photographs of all, drawn at random (default 1600000; 0: all)"),
    "seed": SEED,
}


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    add_plain_step(
        parser,
        "balance",
        _OPTIONS,
        "pass-curate balance curation/",
        "pass-curate balance curation/ --per-photographer 20 --sample 100000 --seed 7",
    )
