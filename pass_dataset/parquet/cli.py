"""`pass-dataset build parquet` and `push`: a folder for the Hub made, and uploaded."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from pass_dataset.arguments import RELEASE_HELP, Commands, command, parts, positive
from pass_dataset.building.source import locate
from pass_dataset.progress import on_terminal

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
    parser.add_argument(
        "--archives", type=Path, required=True, metavar="DIR", help="folder with tars and metadata"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help="folder to fill, one for each export"
    )
    parser.add_argument("--release", help=f"{RELEASE_HELP} (default: told from the folder)")
    parser.add_argument("--parts", type=parts, help="only these tars: 0,3-5")
    parser.add_argument(
        "--shard-mb", type=positive, default=500, metavar="MB", help="size of a file (default 500)"
    )
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="processes (default: one a core)"
    )
    parser.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    from pass_dataset.parquet.build import ParquetBuild

    started = time.monotonic()
    release, archives = locate(options.archives, options.release, options.parts)
    build = ParquetBuild(
        options.out,
        release,
        parts=options.parts,
        workers=options.workers,
        shard_bytes=options.shard_mb * 1_000_000,
    )
    with on_terminal() as progress:
        export, is_new = build.run(archives, progress)
    if not is_new:
        print(f"{options.out}: is built already ({export.what}); nothing to do")
        return 0
    print(
        f"{options.out}: {export.what}, {export.num_examples:,} images in "
        f"{len(export.shards):,} files, {export.download_bytes:,} bytes; "
        f"{time.monotonic() - started:,.1f} s"
    )
    return 0


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
