"""`pass-dataset purge`: images on removal lists deleted."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
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
    from pass_dataset.builds.clearing import Clearing

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset purge /data/pass --dry-run",
        "pass-dataset purge --list removed.txt /data/pass /data/tfds",
    )
    add_list(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="list what would be written anew, and stop"
    )
    parser.add_argument("folders", metavar="DIR", nargs="+", type=Path, help=DIR_HELP)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.builds.clearing import clear

    listed = given_list(options)
    failures = []
    reports = []
    for folder in options.folders:
        try:
            with on_terminal() as progress:
                done = clear(
                    folder.expanduser(),
                    listed,
                    release=options.release,
                    dry_run=options.dry_run,
                    progress=progress,
                )
        except PassDatasetError as error:
            # The images are to go from the other folders all the same.
            failures.append(str(error))
            continue
        if options.json:
            reports.append(_facts(done))
        else:
            print("\n".join(_lines(done, options.dry_run)), flush=True)
        failures += done.failures
        if not options.dry_run and not done.is_clear:
            failures.append(f"{folder}: not all of it is gone, see above")
    if options.json:
        print_json({"dry_run": options.dry_run, "folders": reports, "failures": failures})
    if failures:
        raise PassDatasetError("\n".join(failures))
    return 0


def _facts(done: Clearing) -> dict[str, object]:
    return {
        "folder": str(done.folder),
        "clear": done.is_clear,
        "purged": [
            {
                "folder": str(report.folder),
                "images": len(report.hashes),
                "files": {file.name: len(file.hashes) for file in report.files},
                "absent": report.absent,
                "receipt": None if report.receipt is None else str(report.receipt),
            }
            for report in done.reports
        ],
        "leftovers": [
            {
                "path": str(found.leftover.path),
                "what": found.leftover.what,
                "images": found.images,
                "still_there": found.kept,
            }
            for found in done.leftovers
        ],
        "other_indexes": {str(path): why for path, why in done.others},
        "mentions": {str(path): len(images) for path, images in done.remains.found.items()},
        "not_looked_into": {str(path): why for path, why in done.remains.closed.items()},
    }


def _lines(done: Clearing, dry_run: bool) -> Iterator[str]:
    deleted = "would be deleted" if dry_run else "deleted"
    for report in done.reports:
        for file in report.files:
            yield f"{report.folder / file.name}: {len(file.hashes):,} of the images"
        yield (
            f"{report.folder}: {count(len(report.hashes), 'image', 'images')} {deleted} from "
            f"{count(len(report.files), 'file', 'files')}; "
            f"{count(report.absent, 'other hash', 'other hashes')} on the lists "
            f"{'is' if report.absent == 1 else 'are'} not there"
        )
        for name in report.deleted:
            yield f"{report.folder / name}: deleted; it was computed from them"
        if report.receipt is not None:
            yield f"{report.receipt}: receipt"
    for found in done.leftovers:
        what = f"{found.leftover.path}: {found.leftover.what}, {found.images:,} of the images"
        yield f"{what}; {deleted}" if found.kept is None else f"STILL THERE: {what}; {found.kept}"
    for path, why in done.others:
        what = f"{path}: another user's copy of the index"
        yield f"{what}; {deleted}" if why is None else f"STILL THERE: {what}; {why}"
    remains = done.remains
    for path, images in remains.found.items():
        some = ", ".join(sorted(images)[:3]) + (" …" if len(images) > 3 else "")
        yield f"STILL THERE: {path}: mentions {len(images):,} of the images ({some}); delete it"
    for path, why in remains.closed.items():
        yield f"NOT LOOKED INTO: {path}: {why}"
    yield (
        f"{done.folder}: {count(remains.files, 'other file', 'other files')} looked into "
        f"({count(remains.size_bytes, 'byte', 'bytes')}), {len(remains.found):,} with mention of "
        "images on the lists. Not looked into: copies in other places, and what other users of "
        "shared archives have cached where this user, or this machine, does not see it "
        "(pass_index.arrow; made anew when they next read)."
    )
