"""`pass-dataset build tfds`: a TFDS build."""

from __future__ import annotations

import argparse
import logging
import os
import time
from pathlib import Path

from pass_dataset.commands.arguments import RELEASE_HELP, parts, positive
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.errors import BuildError
from pass_dataset.extras import require
from pass_dataset.tfds.file_formats import FILE_FORMATS

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset build tfds --archives /data/pass --data-dir /data/tfds",
        "pass-dataset build tfds --archives /data/pass --data-dir /data/tfds --parts 0",
    )
    parser.add_argument(
        "--archives", type=Path, required=True, metavar="DIR", help="folder with tars and metadata"
    )
    parser.add_argument(
        "--data-dir", type=Path, required=True, metavar="OUT", help="TFDS's data_dir to build in"
    )
    parser.add_argument("--release", help=f"{RELEASE_HELP} (default: told from the folder)")
    parser.add_argument(
        "--format",
        choices=sorted(FILE_FORMATS),
        help="file format (default: that of TFDS, tfrecord)",
    )
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="processes (default: one a core)"
    )
    parser.add_argument("--parts", type=parts, help="only these tars: 0,3-5; stored apart")
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
        print(f"{target}: is built already ({found}); nothing to do")
        return 0
    builder.download_and_prepare(
        file_format=options.format,
        download_config=tfds.download.DownloadConfig(manual_dir=archives.path),
    )
    split = builder.info.splits["train"]
    print(
        f"{target}: {release.label}, {split.num_examples:,} images in {split.num_shards:,} shards "
        f"({builder.info.file_format.value}), {split.num_bytes:,} bytes; "
        f"{time.monotonic() - started:,.1f} s"
    )
    return 0
