"""`pass-dataset remove`: images left out by every reader, at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.removal_list import DIR_HELP, add_list, given_list
from pass_dataset.errors import PassDatasetError
from pass_dataset.pages.words import count
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    from pass_dataset.archives.removals import RemovalList
    from pass_dataset.builds.targets import Target

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset remove --list removed.txt /data/pass /data/tfds",
        "pass-dataset remove --list removed.txt --strict /data/pass",
        "pass-dataset remove --clear /data/pass",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    add_list(parser, what)
    what.add_argument(
        "--clear",
        action="store_true",
        help="take the lists of the folders away: their images are given out again",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse a list with lines that name no image in the folders; nothing is written",
    )
    parser.add_argument("folders", metavar="DIR", nargs="+", type=Path, help=DIR_HELP)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.archives.removals import add_removals
    from pass_dataset.builds.targets import find_targets

    if options.clear:
        return _clear(options.folders, as_json=options.json)
    listed = given_list(options)
    # All of them before anything is written.
    targets = [target for folder in options.folders for target in find_targets(folder)]
    if options.strict:
        _refuse_unmatched(options, listed, targets)
    done = []
    for target in targets:
        path, new = add_removals(target.folder, listed.listed.to_pylist(), listed.sources)
        if options.json:
            facts = {"folder": str(target.folder), "what": target.label, "list": str(path)}
            done.append({**facts, "new": new})
            continue
        where = "" if path.parent == target.folder else f" (read-only: for this user, in {path})"
        print(f"{target.folder}: {target.label}; {new:,} new on its list{where}", flush=True)
        if target.format is None:
            _say_how_many(target.folder, options.release, listed)
    if options.json:
        print_json(done)
        return 0
    print("Readers leave them out from now on. To delete their bytes: pass-dataset purge")
    return 0


def _clear(folders: list[Path], *, as_json: bool) -> int:
    from pass_dataset.archives.removals import clear_removals
    from pass_dataset.errors import FolderError

    for folder in folders:
        if not folder.is_dir():
            raise FolderError(f"{folder}: expected a folder with a removal list, found none")
    done = {}
    for folder in folders:
        cleared = clear_removals(folder)
        done[str(folder)] = [str(path) for path in cleared]
        if as_json:
            continue
        for path in cleared:
            print(f"{path}: taken away; what it named is given out again where its bytes are")
        if not cleared:
            print(f"{folder}: has no removal list")
    if as_json:
        print_json(done)
    return 0


def _refuse_unmatched(
    options: argparse.Namespace, listed: RemovalList, targets: Sequence[Target]
) -> None:
    """Refuses a list of which lines name no image in any of the folders."""
    from pass_dataset.archives.list_lines import name_examples
    from pass_dataset.builds.targets import open_target

    found: set[str] = set()
    with on_terminal() as progress:
        for target in targets:
            opened = open_target(target, options.release)
            for file in opened.affected(listed.hashes, progress):
                found.update(file.hashes)
    left = listed.unmatched(found)
    if left:
        raise PassDatasetError(
            f"{options.list}: {count(len(left), 'line names', 'lines name')} no image in these "
            f"folders: {name_examples(left)}. Nothing was written"
        )


def _say_how_many(folder: Path, release: str | None, listed: RemovalList) -> None:
    """Tells whether the list means images of these archives: a slip is best seen at once."""
    from pass_dataset.archives.list_lines import name_examples
    from pass_dataset.archives.records import PassArchive

    try:
        with on_terminal() as progress:
            archive = PassArchive(folder, release, progress=progress)
    except PassDatasetError as error:
        print(f"{folder}: the list is in place; the archives cannot be read now: {error}")
        return
    found = listed.hashes.intersection(archive.removed)
    absent = listed.unmatched(found)
    print(
        f"{folder}: {archive.release.label} has {len(found):,} of the images, "
        f"{count(len(absent), 'hash on the list is', 'hashes on the list are')} not there; "
        f"{count(len(archive), 'image is', 'images are')} left",
        flush=True,
    )
    if absent:
        print(f"{folder}: lines that name no image of it: {name_examples(absent)}", flush=True)
