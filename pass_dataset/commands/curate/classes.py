"""`pass-curate classes`: the most frequent classes, and at most so many photographs of each."""

from __future__ import annotations

from pass_dataset.commands.curate.plain_step import SEED, add_plain_step
from pass_dataset.commands.curate.step_settings import Option
from pass_dataset.commands.parser import CommandParser

__all__ = ["add_arguments"]

_OPTIONS = {
    "count": Option("classes, those with the most photographs (default 800)"),
    "per_class": Option("photographs of a class at most (default 2000; 0: all)"),
    "seed": SEED,
}


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    add_plain_step(
        parser,
        "classes",
        _OPTIONS,
        "pass-curate classes curation/",
        "pass-curate classes curation/ --count 100 --per-class 500",
    )
