"""The removal list that `remove` and `purge` are given."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import RELEASE_HELP
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    from pass_dataset.archives.removals import RemovalList

__all__ = ["DIR_HELP", "add_list", "given_list"]

DIR_HELP = (
    "archive folder, TFDS build or data_dir, cache folder of datasets, Parquet or WebDataset export"
)


def add_list(
    parser: argparse.ArgumentParser, group: argparse._ActionsContainer | None = None
) -> None:
    """Adds the list, and which release archive folders are of.

    Args:
      parser: of the command.
      group: of arguments that exclude each other, to which the list is added.
    """
    (group or parser).add_argument(
        "--list",
        metavar="FILE|URL",
        help="text file with a hash a line (in an own collection, a name), or its https address",
    )
    parser.add_argument("--sha256", metavar="HEX", help="SHA-256 of the list at the address")
    parser.add_argument(
        "--release", help=f"of archive folders: {RELEASE_HELP} (default: told from the folder)"
    )


def given_list(options: argparse.Namespace) -> RemovalList:
    """The list that `add_list` was told, read or fetched; an empty one if there is none."""
    from pass_dataset.archives.fetched_removals import fetch_removals
    from pass_dataset.archives.removals import RemovalList, read_removals

    if options.list is None:
        return RemovalList()
    if "://" not in options.list:
        return read_removals(options.list)
    with on_terminal() as progress:
        return fetch_removals(options.list, options.sha256, progress=progress)
