"""`pass-dataset croissant`: a release described for machines."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.arguments import add_release
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import count
from pass_dataset.releases.release import DEFAULT_VERSION, resolve_release

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset croissant --out pass.json",
    )
    add_release(parser, DEFAULT_VERSION)
    parser.add_argument(
        "--archives",
        type=Path,
        metavar="DIR",
        help="take the columns from the CSV there (for a collection of your own: default "
        "PASS_ARCHIVES)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="file to write (default: print)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.archives.metadata import known_columns
    from pass_dataset.files.whole import write_whole
    from pass_dataset.folders.archive_folder import named_folder
    from pass_dataset.reports.croissant.description import description_of, format_description

    release = resolve_release(options.release)
    columns = None
    archives = options.archives
    if archives is None and not release.is_official:
        archives = named_folder()
    if archives is not None:
        columns = known_columns(archives / release.metadata.filename)
    text = format_description(description_of(release, columns))
    if options.out is None:
        print(text, end="")
        return 0
    write_whole(options.out, text.encode())
    print(f"{options.out}: {release.label}, {count(len(release.files), 'file', 'files')}")
    return 0
