"""`pass-dataset remove`: images left out by every reader, at once."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.removal_list import DIR_HELP, add_list, given_list
from pass_dataset.errors import PassDatasetError
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    from pass_dataset.archives.removals import RemovalList

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset remove --list removed.txt /data/pass /data/tfds",
    )
    add_list(parser, required=True)
    parser.add_argument("folders", metavar="DIR", nargs="+", type=Path, help=DIR_HELP)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.archives.removals import add_removals
    from pass_dataset.builds.targets import find_targets

    listed = given_list(options)
    if not listed:
        print(f"{options.list}: lists no hash; nothing to do")
        return 0
    # All of them before anything is written.
    targets = [target for folder in options.folders for target in find_targets(folder)]
    for target in targets:
        path, new = add_removals(target.folder, listed.hashes, listed.sources)
        where = "" if path.parent == target.folder else f" (read-only: for this user, in {path})"
        print(f"{target.folder}: {target.label}; {new:,} new on its list{where}", flush=True)
        if target.format is None:
            _say_how_many(target.folder, options.release, listed)
    print("Readers leave them out from now on. To delete their bytes: pass-dataset purge")
    return 0


def _say_how_many(folder: Path, release: str | None, listed: RemovalList) -> None:
    """Tells whether the list means images of these archives: a slip is best seen at once."""
    from pass_dataset.archives.records import PassArchive

    try:
        with on_terminal() as progress:
            archive = PassArchive(folder, release, progress=progress)
    except PassDatasetError as error:
        print(f"{folder}: the list is in place; the archives cannot be read now: {error}")
        return
    found = listed.hashes.intersection(archive.removed)
    absent = sum(source.num_hashes for source in listed.sources) - len(found)
    print(
        f"{folder}: {archive.release.label} has {len(found):,} of the images, {absent:,} hashes "
        f"on the list are not there; {len(archive):,} images are left",
        flush=True,
    )
