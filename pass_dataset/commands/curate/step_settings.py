"""Settings of a step as options, over those of a file.

An option is named as its setting: ``per_photographer`` is ``--per-photographer``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pass_dataset.commands.arguments import number
from pass_dataset.commands.parser import CommandParser

__all__ = ["Option", "add_curation", "add_settings", "chosen_settings"]

T = TypeVar("T")


@dataclass(frozen=True)
class Option:
    """An option for a setting.

    Attributes:
      text: its help.
      metavar: what it takes.
      type: makes the setting of what is given.
    """

    text: str
    metavar: str = "N"
    type: Callable[[str], Any] = number


def add_curation(parser: CommandParser) -> None:
    """Adds the folder of the curation, found as ``options.curation``."""
    parser.add_argument("curation", metavar="CURATION", type=Path, help="folder of the curation")


def add_settings(parser: CommandParser, step: str, options: Mapping[str, Option]) -> None:
    """Adds the settings of a step.

    Args:
      parser: of its command.
      step: its name, that of its table in a settings file.
      options: by the names of the settings.
    """
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help=f"settings as TOML, of which the table [{step}] counts; options go before it",
    )
    for name, option in options.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            dest=f"setting_{name}",
            type=option.type,
            metavar=option.metavar,
            help=option.text,
        )


def chosen_settings(options: argparse.Namespace, kind: type[T], step: str) -> T:
    """The settings that were given, as the step's dataclass has them.

    Raises:
      CurationError: the file cannot be read, or a value is none for its setting.
    """
    from pass_dataset.curate.settings import load_settings, section

    content = load_settings(options.settings).get(step, {}) if options.settings else {}
    where = f"{options.settings} [{step}]" if options.settings else step
    given = {
        name.removeprefix("setting_"): value
        for name, value in vars(options).items()
        if name.startswith("setting_") and value is not None
    }
    return section(kind, {**content, **given}, where)
