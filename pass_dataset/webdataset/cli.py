"""`pass-dataset build webdataset`."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from pass_dataset.arguments import RELEASE_HELP, Commands, command, parts, positive
from pass_dataset.building.source import locate
from pass_dataset.progress import on_terminal

__all__ = ["add_webdataset"]


def add_webdataset(libraries: Commands) -> None:
    """Adds the command `build webdataset`."""
    parser = command(
        libraries, "webdataset", "write tar shards of .jpg and .json, shuffled; continues if cut"
    )
    parser.add_argument(
        "--archives", type=Path, required=True, metavar="DIR", help="folder with tars and metadata"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help="folder to make, one for each export"
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
    from pass_dataset.webdataset.build import WebDatasetBuild

    started = time.monotonic()
    release, archives = locate(options.archives, options.release, options.parts)
    build = WebDatasetBuild(
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
        f"{len(export.shards):,} shards, {export.size_bytes:,} bytes; "
        f"{time.monotonic() - started:,.1f} s"
    )
    return 0
