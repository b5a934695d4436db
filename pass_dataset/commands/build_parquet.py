"""`pass-dataset build parquet` and `push`: a folder for the Hub made, and uploaded."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.arguments import Commands, command
from pass_dataset.commands.build_export import add_export_options, run_export

__all__ = ["add_parquet", "add_push"]


# --- build ----------------------------------------------------------------------------------------


def add_parquet(libraries: Commands) -> None:
    """Adds the command `build parquet`."""
    parser = command(
        libraries,
        "parquet",
        "write a folder for the Hugging Face Hub that any reader of Parquet takes; continues if "
        "cut",
    )
    add_export_options(parser, out_help="folder to fill, one for each export")
    parser.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    from pass_dataset.parquet.build import ParquetBuild

    return run_export(options, ParquetBuild, shards="files")


# --- push -----------------------------------------------------------------------------------------


def add_push(commands: Commands) -> None:
    """Adds the command `push`."""
    parser = command(
        commands, "push", "upload a Parquet folder to the Hugging Face Hub; continues if cut"
    )
    parser.add_argument("folder", metavar="OUT", type=Path, help="what build parquet has written")
    parser.add_argument("repo_id", metavar="REPO_ID", help="dataset on the Hub: user/name")
    parser.add_argument("--private", action="store_true", help="make a new repository private")
    parser.add_argument("--revision", metavar="BRANCH", help="branch to upload to (default: main)")
    parser.add_argument(
        "--unverified", action="store_true", help="upload though verify-build was not run"
    )
    parser.add_argument("--dry-run", action="store_true", help="list what would go, and stop")
    parser.set_defaults(run=_push)


def _push(options: argparse.Namespace) -> int:
    from pass_dataset.parquet.hub import HubUpload

    upload = HubUpload(
        options.folder,
        options.repo_id,
        private=True if options.private else None,
        revision=options.revision,
        needs_verification=not options.unverified,
    )
    files = upload.files()
    if options.dry_run:
        for file in files:
            print(f"{file.size_bytes:>15,}  {file.path}")
    total = sum(file.size_bytes for file in files)
    print(
        f"{options.folder} to {options.repo_id}: {len(files):,} files, {total:,} bytes", flush=True
    )
    if not options.dry_run:
        print(upload.run())
    return 0
