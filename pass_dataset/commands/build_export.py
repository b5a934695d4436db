"""`pass-dataset build FORMAT`: what the exports of all formats take and say."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pass_dataset.commands.arguments import RELEASE_HELP, parts, positive
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    from pass_dataset.builds.writing.export import ExportBuild

__all__ = ["add_export_options", "run_export"]


def add_export_options(parser: argparse.ArgumentParser, out_help: str) -> None:
    """Adds the options of an export; `out_help` says what happens to the folder."""
    parser.add_argument(
        "--archives", type=Path, required=True, metavar="DIR", help="folder with tars and metadata"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="OUT", help=out_help)
    parser.add_argument("--release", help=f"{RELEASE_HELP} (default: told from the folder)")
    parser.add_argument("--parts", type=parts, help="only these tars: 0,3-5")
    parser.add_argument(
        "--shard-mb", type=positive, default=500, metavar="MB", help="size of a file (default 500)"
    )
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="processes (default: one a core)"
    )


def run_export(
    options: argparse.Namespace, kind: Callable[..., ExportBuild[Any]], shards: str
) -> int:
    """Makes an export, and says what it is.

    Args:
      options: see `add_export_options`.
      kind: class of the export.
      shards: what its shards are called.
    """
    from pass_dataset.builds.writing.source import locate

    started = time.monotonic()
    release, archives = locate(options.archives, options.release, options.parts)
    build = kind(
        options.out,
        release,
        parts=options.parts,
        workers=options.workers,
        shard_bytes=options.shard_mb * 1_000_000,
    )
    with on_terminal() as progress:
        export, is_new = build.run(archives, progress)
    if not is_new:
        print(f"{options.out}: is built already ({build.what}); nothing to do")
        return 0
    print(
        f"{options.out}: {build.what}, {export.num_examples:,} images in "
        f"{len(export.shards):,} {shards}, {export.size_bytes:,} bytes; "
        f"{time.monotonic() - started:,.1f} s"
    )
    return 0
