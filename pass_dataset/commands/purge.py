"""`pass-dataset purge`: images on removal lists deleted."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.removal_list import DIR_HELP, add_list, given_list
from pass_dataset.errors import PassDatasetError
from pass_dataset.progress import on_terminal

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
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.builds.purging.purging import purge
    from pass_dataset.builds.targets import find_targets, open_target

    listed = given_list(options)
    targets = [
        open_target(target, options.release)
        for folder in options.folders
        for target in find_targets(folder)
    ]
    failures = []
    for target in targets:
        try:
            with on_terminal() as progress:
                report = purge(target, listed, dry_run=options.dry_run, progress=progress)
        except PassDatasetError as error:
            # The images are to go from the other folders all the same.
            failures.append(str(error))
            continue
        for file in report.files:
            print(f"{report.folder / file.name}: {len(file.hashes):,} of the images")
        done = "would be deleted" if options.dry_run else "deleted"
        print(
            f"{report.folder}: {len(report.hashes):,} images {done} from {len(report.files):,} "
            f"files; {report.absent:,} other hashes on the lists are not there",
            flush=True,
        )
        for name in report.deleted:
            print(f"{report.folder / name}: deleted; it was computed from them")
        if report.receipt is not None:
            print(f"{report.receipt}: receipt")
    if failures:
        raise PassDatasetError("\n".join(failures))
    return 0
