"""`pass-dataset build FORMAT`: what the exports of all formats take and say."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pass_dataset.commands.arguments import (
    add_archives,
    add_json,
    add_parts,
    add_release,
    add_workers,
    positive,
)
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    from pass_dataset.builds.writing.export import ExportBuild

from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser
from pass_dataset.pages.words import count, size

__all__ = ["add_export_options", "run_export"]


def add_export_options(parser: CommandParser, out_help: str) -> None:
    """Adds the options of an export; `out_help` says what happens to the folder."""
    add_archives(parser, "folder with tars and metadata")
    parser.add_argument("--out", type=Path, required=True, metavar="OUT", help=out_help)
    add_release(parser)
    add_parts(parser)
    parser.add_argument(
        "--shard-mb", type=positive, default=500, metavar="MB", help="size of a file (default 500)"
    )
    add_workers(parser)
    add_json(parser)


def run_export(
    options: argparse.Namespace, kind: Callable[..., ExportBuild[Any]], shard: str
) -> int:
    """Makes an export, and says what it is.

    Args:
      options: see `add_export_options`.
      kind: class of the export.
      shard: what one of its shards is called.
    """
    from pass_dataset.folders.archive_folder import ArchiveFolder

    started = time.monotonic()
    archives = ArchiveFolder.open(options.archives, options.release, options.parts)
    archives.require_files()
    build = kind(
        options.out,
        archives,
        workers=options.workers,
        shard_bytes=options.shard_mb * 1_000_000,
    )
    with on_terminal() as progress:
        export, is_new = build.run(progress)
    seconds = time.monotonic() - started
    if options.json:
        print_json(
            {
                "folder": str(options.out),
                "build": build.what,
                "new": is_new,
                "images": export.num_examples,
                "shards": len(export.shards),
                "size_bytes": export.size_bytes,
                "seconds": seconds,
            }
        )
        return 0
    if not is_new:
        print(f"{options.out}: is built already ({build.what}); nothing to do")
        return 0
    print(
        f"{options.out}: {build.what}, {count(export.num_examples, 'image', 'images')} in "
        f"{count(len(export.shards), shard, f'{shard}s')}, {size(export.size_bytes)}; "
        f"{seconds:,.1f} s"
    )
    return 0
