"""Arguments that name collections of images, as the filter reads them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.parser import CommandParser
from pass_dataset.passify.sources.source import KINDS

if TYPE_CHECKING:
    from pass_dataset.curate.duplicates.listing import Listing
    from pass_dataset.progress import Progress

__all__ = ["add_reading", "listed"]


def add_reading(parser: CommandParser) -> None:
    """Adds how collections are read."""
    parser.add_argument("--kind", choices=KINDS, help="what a source is (default: told from each)")
    parser.add_argument("--image-column", metavar="NAME", help="column of images in a table")
    parser.add_argument("--name-column", metavar="NAME", help="column of names in a table")


def listed(path: Path, name: str, options: argparse.Namespace, progress: Progress) -> Listing:
    """A collection's images."""
    from dataclasses import replace

    from pass_dataset.curate.duplicates.listing import list_images
    from pass_dataset.passify.sources.opening import SourceSettings

    settings = replace(
        SourceSettings.of(path),
        kind=options.kind,
        column=options.image_column,
        name_column=options.name_column,
    )
    return list_images(name, settings, progress)
