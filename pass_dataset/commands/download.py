"""`pass-dataset download`: a release fetched into a folder, verified."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import (
    add_archives,
    add_json,
    add_mirrors,
    add_parts,
    add_release,
    positive,
    speed,
)
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.errors import PassDatasetError
from pass_dataset.progress import on_terminal
from pass_dataset.releases.release import DEFAULT_VERSION, resolve_release

if TYPE_CHECKING:
    from pass_dataset.downloads import RetryPolicy

from pass_dataset.pages.words import count, size

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset download /data/pass --dry-run",
        "pass-dataset download /data/pass",
        "pass-dataset download /data/pass --parts 0,3-5",
    )
    add_archives(parser, "archive folder to fill", first=True)
    add_release(parser, DEFAULT_VERSION)
    add_parts(parser, "only these tars and the metadata: 0,3-5")
    add_mirrors(parser)
    parser.add_argument(
        "--connections",
        type=positive,
        default=2,
        metavar="N",
        help="files at a time (default 2; Zenodo blocks users of more)",
    )
    parser.add_argument(
        "--min-speed",
        type=speed,
        metavar="N",
        help="leave a mirror that sends fewer bytes/s for half a minute, keeping what it sent "
        "(default 2000; 0: never)",
    )
    parser.add_argument(
        "--from",
        dest="from_folder",
        metavar="DIR",
        type=Path,
        help="take files from this folder where it has them, before any mirror",
    )
    parser.add_argument(
        "--replace", action="store_true", help="fetch anew files that are not this release's"
    )
    parser.add_argument(
        "--no-wait", action="store_true", help="fail if another process uses the folder"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.downloads import Action, Downloader

    mirrors = list(options.mirrors)
    if options.from_folder is not None:
        mirrors.insert(0, _existing_folder(options.from_folder).resolve().as_uri())
    with on_terminal() as progress:
        downloader = Downloader(
            options.archives,
            resolve_release(options.release),
            parts=options.parts,
            mirrors=tuple(mirrors),
            connections=options.connections,
            replace=options.replace,
            policy=_policy(options.min_speed),
            wait=not options.no_wait,
            progress=progress,
        )
        plan = downloader.plan()
        if not options.json:
            print(
                f"{downloader.release.label} into {options.archives}: "
                f"{count(len(plan.files), 'file', 'files')}, "
                f"{len(plan.having(Action.KEEP))} whole, {len(plan.having(Action.CHECK))} to be "
                f"hashed, {len(plan.having(Action.FETCH))} to be fetched\n"
                f"{size(plan.fetch_bytes)} to fetch, {size(plan.free_bytes)} free",
                flush=True,
            )
        planned = {
            "folder": str(options.archives),
            "release": downloader.release.label,
            "files": {one.file.filename: one.action.value for one in plan.files},
            "bytes_to_fetch": plan.fetch_bytes,
            "bytes_free": plan.free_bytes,
        }
        if options.dry_run:
            plan.check_space()
            if options.json:
                print_json(planned)
            return 0
        report = downloader.run()
    if options.json:
        print_json({**planned, **asdict(report)})
        return 0
    rate = report.received_bytes / max(report.seconds, 1e-9) / 1e6
    print(
        f"{options.archives}: whole. {count(len(report.fetched), 'file', 'files')} fetched, "
        f"{size(report.received_bytes)} in {report.seconds:,.0f} s ({rate:.1f} MB/s)"
    )
    return 0


def _policy(min_bytes_per_s: float | None) -> RetryPolicy:
    from pass_dataset.downloads import RetryPolicy

    policy = RetryPolicy()
    return policy if min_bytes_per_s is None else replace(policy, min_bytes_per_s=min_bytes_per_s)


def _existing_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise PassDatasetError(f"{folder}: expected a folder with files of the release")
    return folder
