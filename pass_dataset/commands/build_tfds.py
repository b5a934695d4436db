"""`pass-dataset build tfds` and `catalog`: TFDS builds made and shown."""

from __future__ import annotations

import argparse
import logging
import os
import time
from pathlib import Path

from pass_dataset.commands.arguments import RELEASE_HELP, Commands, command, parts, positive
from pass_dataset.errors import BuildError
from pass_dataset.extras import require
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.tfds.frames import FORMATS

__all__ = ["add_catalog", "add_tfds"]


# --- build ----------------------------------------------------------------------------------------


def add_tfds(libraries: Commands) -> None:
    """Adds the command `build tfds`."""
    parser = command(
        libraries, "tfds", "write the shards that tfds.load('pass') reads; continues if cut"
    )
    parser.add_argument(
        "--archives", type=Path, required=True, metavar="DIR", help="folder with tars and metadata"
    )
    parser.add_argument(
        "--data-dir", type=Path, required=True, metavar="OUT", help="TFDS's data_dir to build in"
    )
    parser.add_argument("--release", help=f"{RELEASE_HELP} (default: told from the folder)")
    parser.add_argument(
        "--format", choices=sorted(FORMATS), help="file format (default: that of TFDS, tfrecord)"
    )
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="processes (default: one a core)"
    )
    parser.add_argument("--parts", type=parts, help="only these tars: 0,3-5; stored apart")
    parser.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    started = time.monotonic()
    archives = ArchiveFolder.open(options.archives, options.release, options.parts)
    archives.require_files()
    release = archives.release
    # The library's own progress bars would be drawn over ours, and its log warns of every config.
    os.environ.setdefault("TQDM_DISABLE", "1")
    logging.getLogger("absl").setLevel(logging.ERROR)
    tfds = require("tensorflow_datasets", feature="Building for TFDS", extra="tfds")
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


# --- catalog --------------------------------------------------------------------------------------


def add_catalog(commands: Commands) -> None:
    """Adds the command `catalog`."""
    parser = command(commands, "catalog", "write the catalog page of a TFDS build, one HTML file")
    parser.add_argument(
        "--data-dir", metavar="OUT", type=Path, required=True, help="where TFDS built the dataset"
    )
    parser.add_argument("--name", help="dataset to look for there (default: the only one)")
    parser.add_argument(
        "--out", type=Path, metavar="FILE.html", help="file to write (default: NAME-X.Y.Z.html)"
    )
    parser.set_defaults(run=_catalog)


def _catalog(options: argparse.Namespace) -> int:
    # TensorFlow's start-up notes say nothing about the page.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from pass_dataset.reports.catalog.page import write_catalog_page

    out = write_catalog_page(options.data_dir, name=options.name, out=options.out)
    print(f"{out}: {out.stat().st_size:,} bytes")
    return 0
