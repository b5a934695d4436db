"""`pass-dataset build tfds`: a TFDS build."""

from __future__ import annotations

import argparse
import logging
import os
import time
from pathlib import Path
from typing import Any

from pass_dataset.commands.arguments import (
    add_archives,
    add_json,
    add_parts,
    add_release,
    add_workers,
)
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.errors import BuildError
from pass_dataset.extras import require
from pass_dataset.pages.words import count, size
from pass_dataset.tfds.file_formats import FILE_FORMATS

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset build tfds --archives /data/pass --data-dir /data/tfds",
        "pass-dataset build tfds --archives /data/pass --data-dir /data/tfds --parts 0",
    )
    add_archives(parser, "folder with tars and metadata")
    parser.add_argument(
        "--data-dir", type=Path, required=True, metavar="OUT", help="TFDS's data_dir to build in"
    )
    add_release(parser)
    parser.add_argument(
        "--format",
        choices=sorted(FILE_FORMATS),
        help="file format (default: that of TFDS, tfrecord)",
    )
    add_workers(parser)
    add_json(parser)
    add_parts(parser, "only these tars: 0,3-5; stored apart")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.folders.archive_folder import ArchiveFolder

    started = time.monotonic()
    archives = ArchiveFolder.open(options.archives, options.release, options.parts)
    archives.require_files()
    release = archives.release
    # The library's own progress bars would be drawn over ours, and its log warns of every config.
    os.environ.setdefault("TQDM_DISABLE", "1")
    logging.getLogger("absl").setLevel(logging.ERROR)
    tfds = require("tensorflow_datasets", feature="Building for TFDS", extra="tfds")
    from pass_dataset.builds.writing.plan import sweep
    from pass_dataset.tfds.pass_dataset_builder import Builder

    builder = Builder(
        release=release, parts=options.parts, workers=options.workers, data_dir=options.data_dir
    )
    target = Path(builder.data_dir)
    if target.exists():
        found = builder.info.file_format.value
        if options.format not in (None, found):
            raise BuildError(
                f"{target}: is built already, as {found}; for {options.format} give another "
                "--data-dir, or remove the folder"
            )
        sweep(target)
        if options.json:
            print_json(_facts(builder, is_new=False, seconds=time.monotonic() - started))
        else:
            print(f"{target}: is built already ({found}); nothing to do")
        return 0
    builder.download_and_prepare(
        file_format=options.format,
        download_config=tfds.download.DownloadConfig(manual_dir=archives.path),
    )
    seconds = time.monotonic() - started
    if options.json:
        print_json(_facts(builder, is_new=True, seconds=seconds))
        return 0
    split = builder.info.splits["train"]
    print(
        f"{target}: {release.label}, {count(split.num_examples, 'image', 'images')} in "
        f"{count(split.num_shards, 'shard', 'shards')} ({builder.info.file_format.value}), "
        f"{size(split.num_bytes)}; {seconds:,.1f} s"
    )
    return 0


def _facts(builder: Any, *, is_new: bool, seconds: float) -> dict[str, object]:
    split = builder.info.splits["train"]
    return {
        "folder": str(builder.data_dir),
        "build": builder.info.full_name,
        "new": is_new,
        "images": split.num_examples,
        "shards": split.num_shards,
        "size_bytes": split.num_bytes,
        "seconds": seconds,
    }
