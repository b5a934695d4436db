"""`pass-dataset push`: a Parquet folder uploaded to the Hub."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import count, size

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset push /data/parquet me/pass --private --dry-run",
    )
    parser.add_argument("folder", metavar="OUT", type=Path, help="what build parquet has written")
    parser.add_argument("repo_id", metavar="REPO_ID", help="dataset on the Hub: user/name")
    parser.add_argument("--private", action="store_true", help="make a new repository private")
    parser.add_argument("--revision", metavar="BRANCH", help="branch to upload to (default: main)")
    parser.add_argument(
        "--unverified", action="store_true", help="upload though verify-build was not run"
    )
    parser.add_argument("--dry-run", action="store_true", help="list what would go, and stop")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.parquet.hub import HubUpload

    upload = HubUpload(
        options.folder,
        options.repo_id,
        private=True if options.private else None,
        revision=options.revision,
        needs_verification=not options.unverified,
    )
    files = upload.files()
    total = sum(file.size_bytes for file in files)
    if options.json:
        url = None if options.dry_run else upload.run()
        print_json(
            {
                "folder": str(options.folder),
                "repo_id": options.repo_id,
                "files": {str(file.path): file.size_bytes for file in files},
                "size_bytes": total,
                "url": url,
            }
        )
        return 0
    if options.dry_run:
        for file in files:
            print(f"{file.size_bytes:>15,}  {file.path}")
    print(
        f"{options.folder} to {options.repo_id}: {count(len(files), 'file', 'files')}, "
        f"{size(total)}",
        flush=True,
    )
    if not options.dry_run:
        print(upload.run())
    return 0
