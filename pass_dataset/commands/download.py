"""`pass-dataset download`: a release fetched into a folder, verified."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.arguments import RELEASE_HELP, parts, positive
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.errors import PassDatasetError
from pass_dataset.progress import on_terminal
from pass_dataset.releases.release import DEFAULT_VERSION, resolve_release

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset download /data/pass --dry-run",
        "pass-dataset download /data/pass",
        "pass-dataset download /data/pass --parts 0,3-5",
    )
    parser.add_argument("folder", metavar="DEST", type=Path, help="archive folder to fill")
    parser.add_argument(
        "--release", default=DEFAULT_VERSION, help=f"{RELEASE_HELP} (default: {DEFAULT_VERSION})"
    )
    parser.add_argument("--parts", type=parts, help="only these tars and the metadata: 0,3-5")
    parser.add_argument(
        "--mirror",
        metavar="URL",
        action="append",
        default=[],
        help="base URL (http, https, file) under which each file is found by its name; tried in "
        "the order given, before Zenodo",
    )
    parser.add_argument(
        "--connections",
        type=positive,
        default=2,
        metavar="N",
        help="files at a time (default 2; Zenodo blocks users of more)",
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
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.downloads import Action, Downloader

    mirrors = list(options.mirror)
    if options.from_folder is not None:
        mirrors.insert(0, _existing_folder(options.from_folder).resolve().as_uri())
    with on_terminal() as progress:
        downloader = Downloader(
            options.folder,
            resolve_release(options.release),
            parts=options.parts,
            mirrors=tuple(mirrors),
            connections=options.connections,
            replace=options.replace,
            wait=not options.no_wait,
            progress=progress,
        )
        plan = downloader.plan()
        print(
            f"{downloader.release.label} into {options.folder}: {len(plan.files)} files, "
            f"{len(plan.having(Action.KEEP))} whole, {len(plan.having(Action.CHECK))} to be "
            f"hashed, {len(plan.having(Action.FETCH))} to be fetched\n"
            f"{plan.fetch_bytes:,} bytes to fetch, {plan.free_bytes:,} bytes free",
            flush=True,
        )
        if options.dry_run:
            plan.check_space()
            return 0
        report = downloader.run()
    rate = report.received_bytes / max(report.seconds, 1e-9) / 1e6
    print(
        f"{options.folder}: whole. {len(report.fetched)} files fetched, "
        f"{report.received_bytes:,} bytes in {report.seconds:,.0f} s ({rate:.1f} MB/s)"
    )
    return 0


def _existing_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise PassDatasetError(f"{folder}: expected a folder with files of the release")
    return folder
