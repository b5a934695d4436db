"""Arguments that name collections of images, as the filter reads them, and other sets."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.parser import CommandParser
from pass_dataset.passify.sources.source import KINDS

if TYPE_CHECKING:
    from pass_dataset.curate.duplicates.index_file import HashIndex
    from pass_dataset.curate.duplicates.listing import Listing
    from pass_dataset.progress import Progress

__all__ = ["add_against", "add_reading", "chosen_against", "listed"]


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


def add_against(parser: CommandParser) -> None:
    """Adds other sets."""
    parser.add_argument(
        "--against",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="index of hashes of another set, as pass-curate hash makes it; may be given again",
    )
    parser.add_argument(
        "--coco",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="annotations of COCO (instances_train2017.json): its images by identity; may be given "
        "again",
    )


def chosen_against(options: argparse.Namespace) -> list[HashIndex]:
    """The other sets: those of COCO together are one."""
    from pass_dataset.curate.duplicates.coco import load_coco
    from pass_dataset.curate.duplicates.index_file import HashIndex, load_index

    indexes = [load_index(path) for path in options.against]
    if options.coco:
        import pyarrow as pa

        tables = [load_coco(path).images for path in options.coco]
        indexes.append(HashIndex("coco", pa.concat_tables(tables)))
    return indexes
