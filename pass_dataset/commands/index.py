"""`pass-dataset index`: where every image lies in the tars."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from pass_dataset.commands.arguments import RELEASE_HELP
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="archive folder")
    parser.add_argument("--release", help=f"{RELEASE_HELP} (default: told from the folder)")
    parser.add_argument("--rebuild", action="store_true", help="make it anew though it still fits")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.archives.index import open_index
    from pass_dataset.folders.identity import identify_release

    release = identify_release(options.folder, options.release)
    with on_terminal() as progress:
        index = open_index(options.folder, release, rebuild=options.rebuild, progress=progress)
    summary = index.summary
    if options.json:
        print_json(asdict(summary))
        return 0
    print(
        f"{options.folder}: {release.label}, {summary.images:,} images in {len(summary.tars)} of "
        f"{len(release.tars)} tars, {summary.image_bytes:,} bytes\n"
        f"{summary.others:,} members that are no .jpg, {summary.without_metadata:,} images without "
        f"metadata, {summary.without_image:,} rows without an image"
    )
    return 0
