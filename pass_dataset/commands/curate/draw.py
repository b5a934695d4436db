"""`pass-curate draw`: the photographs of the release."""

from __future__ import annotations

from pass_dataset.commands.curate.plain_step import SEED, add_plain_step
from pass_dataset.commands.curate.step_settings import Option
from pass_dataset.commands.parser import CommandParser

__all__ = ["add_arguments"]

_OPTIONS = {
    "count": Option("photographs of the release (default 1440191; 0: all that are left)"),
    "seed": SEED,
}


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    add_plain_step(
        parser,
        "draw",
        _OPTIONS,
        "pass-curate draw curation/",
        "pass-curate draw curation/ --count 50000",
    )
