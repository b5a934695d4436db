"""`pass-dataset remove` and `purge`: images left out at once, and deleted."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.archives.removals import RemovalList
from pass_dataset.commands.arguments import RELEASE_HELP, Commands, command
from pass_dataset.errors import PassDatasetError
from pass_dataset.progress import on_terminal

__all__ = ["add_purge", "add_remove"]

_DIR_HELP = (
    "archive folder, TFDS build or data_dir, cache folder of datasets, Parquet or WebDataset export"
)


def _add_list(parser: argparse.ArgumentParser, required: bool) -> None:
    parser.add_argument(
        "--list",
        metavar="FILE|URL",
        required=required,
        help="text file with a hash a line, or its https address",
    )
    parser.add_argument("--sha256", metavar="HEX", help="SHA-256 of the list at the address")


def _add_release(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--release", help=f"of archive folders: {RELEASE_HELP} (default: told from the folder)"
    )


def _given_list(options: argparse.Namespace) -> RemovalList:
    from pass_dataset.archives.removals import fetch_removals, read_removals

    if options.list is None:
        return RemovalList()
    if "://" not in options.list:
        return read_removals(options.list)
    with on_terminal() as progress:
        return fetch_removals(options.list, options.sha256, progress=progress)


# --- remove ---------------------------------------------------------------------------------------


def add_remove(commands: Commands) -> None:
    """Adds the command `remove`."""
    parser = command(
        commands, "remove", "have every reader leave out the images on a list, at once"
    )
    _add_list(parser, required=True)
    _add_release(parser)
    parser.add_argument("folders", metavar="DIR", nargs="+", type=Path, help=_DIR_HELP)
    parser.set_defaults(run=_remove)


def _remove(options: argparse.Namespace) -> int:
    from pass_dataset.archives.removals import add_removals
    from pass_dataset.builds.targets import find_targets

    listed = _given_list(options)
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


# --- purge ----------------------------------------------------------------------------------------


def add_purge(commands: Commands) -> None:
    """Adds the command `purge`."""
    parser = command(
        commands,
        "purge",
        "delete the images on removal lists from archives and builds; continues if cut",
    )
    _add_list(parser, required=False)
    _add_release(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="list what would be written anew, and stop"
    )
    parser.add_argument("folders", metavar="DIR", nargs="+", type=Path, help=_DIR_HELP)
    parser.set_defaults(run=_purge)


def _purge(options: argparse.Namespace) -> int:
    from pass_dataset.builds.purging.purging import purge
    from pass_dataset.builds.targets import find_targets, open_target

    listed = _given_list(options)
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
