"""`pass-dataset index`: where every image lies in the tars."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from pass_dataset.commands.arguments import add_archives, add_json, add_release
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import count, size
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset index /data/pass",
        "pass-dataset index /data/pass --json",
    )
    add_archives(parser, "archive folder", first=True)
    add_release(parser)
    parser.add_argument("--rebuild", action="store_true", help="make it anew though it still fits")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.archives.index import open_index
    from pass_dataset.folders.archive_folder import ArchiveFolder

    folder = ArchiveFolder.open(options.archives, options.release)
    release = folder.release
    with on_terminal() as progress:
        index = open_index(folder, rebuild=options.rebuild, progress=progress)
    summary = index.summary
    if options.json:
        print_json(asdict(summary))
        return 0
    print(
        f"{options.archives}: {release.label}, {count(summary.images, 'image', 'images')} in "
        f"{len(summary.tars)} of {count(len(release.tars), 'tar', 'tars')}, "
        f"{size(summary.image_bytes)}\n"
        f"{count(summary.others, 'member', 'members')} not .jpg, "
        f"{count(summary.without_metadata, 'image', 'images')} without metadata, "
        f"{count(summary.without_image, 'row', 'rows')} without an image"
    )
    return 0
