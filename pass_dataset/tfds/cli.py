"""`pass-dataset build tfds`: a TFDS data set from an archive folder."""

from __future__ import annotations

import argparse
import logging
import os
import time
from pathlib import Path

from pass_dataset import folders
from pass_dataset.arguments import RELEASE_HELP, Commands, command, parts, positive
from pass_dataset.errors import BuildError, FolderError
from pass_dataset.extras import require
from pass_dataset.releases import Release, resolve_release
from pass_dataset.tfds.shards import FORMATS

__all__ = ["add_build"]


def add_build(commands: Commands) -> None:
    """Adds the command `build` with what can be built."""
    parser = command(commands, "build", "write a release in the format of a library")
    libraries = parser.add_subparsers(metavar="LIBRARY", required=True)
    _add_tfds(libraries)


def _add_tfds(libraries: Commands) -> None:
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
    release, archives = _archives(options.archives, options.release)
    absent = [
        file.filename
        for file in release.select(options.parts)
        if not (archives / file.filename).is_file()
    ]
    if absent:
        raise FolderError(
            f"{archives}: {', '.join(absent)} of {release.label} missing or not to be read; "
            "pass-dataset download fetches what is missing"
        )
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
        download_config=tfds.download.DownloadConfig(manual_dir=options.archives),
    )
    split = builder.info.splits["train"]
    print(
        f"{target}: {release.label}, {split.num_examples:,} images in {split.num_shards:,} shards "
        f"({builder.info.file_format.value}), {split.num_bytes:,} bytes; "
        f"{time.monotonic() - started:,.1f} s"
    )
    return 0


def _archives(folder: Path, wanted: str | None) -> tuple[Release, Path]:
    """The release, and its folder: the one given, or the one of that version inside."""
    if wanted is None or not folder.is_dir():
        return folders.identify_release(folder, wanted), folder
    release = resolve_release(wanted)
    return release, folders.archive_folder(release, folder, folder)
