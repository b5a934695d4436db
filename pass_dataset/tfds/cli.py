"""`pass-dataset build tfds`, `verify-build` and `catalog`: TFDS builds made, verified, shown."""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
from dataclasses import asdict
from pathlib import Path

from pass_dataset import folders
from pass_dataset.arguments import RELEASE_HELP, Commands, command, parts, positive
from pass_dataset.errors import BuildError, FolderError
from pass_dataset.extras import require
from pass_dataset.progress import on_terminal
from pass_dataset.tfds.building.shards import FORMATS

__all__ = ["add_build", "add_catalog", "add_verify_build"]

#: Findings of a kind that are printed; --json has more.
_PRINTED_FINDINGS = 20


# --- build ----------------------------------------------------------------------------------------


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
    release, archives = folders.find_release(options.archives, options.release)
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


# --- verify-build ---------------------------------------------------------------------------------


def add_verify_build(commands: Commands) -> None:
    """Adds the command `verify-build`."""
    parser = command(
        commands, "verify-build", "compare every record of a TFDS build with the archives"
    )
    parser.add_argument(
        "folder", metavar="OUT", type=Path, help="the build's folder (…/pass/3.0.0) or data_dir"
    )
    parser.add_argument("--name", help="dataset to look for in a data_dir")
    parser.add_argument(
        "--archives",
        metavar="DIR",
        type=Path,
        help="archive folder (default: PASS_ARCHIVES; for pass_mini what is installed)",
    )
    parser.add_argument("--release", help=f"{RELEASE_HELP} (default: told from the archives)")
    parser.add_argument(
        "--parts", type=parts, help="the build has only these tars: 0,3-5 (default: by its folder)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_verify_build)


def _verify_build(options: argparse.Namespace) -> int:
    from pass_dataset.tfds.stored.verification import verify_build

    with on_terminal() as progress:
        found = verify_build(
            options.folder,
            name=options.name,
            archives=options.archives,
            release=options.release,
            parts=options.parts,
            progress=progress,
        )
    if options.json:
        content = {
            "folder": str(found.build.folder),
            "build": found.build.label,
            "file_format": found.build.file_format,
            "archives": str(found.archives),
            "release": found.release.label,
            "right": found.is_right,
            "expected": found.num_expected,
            "read": found.num_read,
            "counts": {kind.value: count for kind, count in found.counts.items()},
            "findings": [asdict(finding) for finding in found.findings],
        }
        print(json.dumps(content, indent=1))
        return 0 if found.is_right else 1
    for kind, count in found.counts.items():
        of_kind = [finding for finding in found.findings if finding.kind is kind]
        for finding in of_kind[:_PRINTED_FINDINGS]:
            print(finding)
        if count > _PRINTED_FINDINGS:
            print(f"… and {count - _PRINTED_FINDINGS:,} more of the kind: {kind.value}")
    print(
        f"{found.build.folder}: {found.build.label}, {found.build.file_format}, "
        f"{len(found.build.shards):,} shards, {found.num_read:,} records, "
        f"{found.num_expected:,} expected from {found.archives} ({found.release.label}): "
        f"{'right' if found.is_right else 'NOT right'}"
    )
    return 0 if found.is_right else 1


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
    from pass_dataset.tfds.catalog.page import write_catalog_page

    out = write_catalog_page(options.data_dir, name=options.name, out=options.out)
    print(f"{out}: {out.stat().st_size:,} bytes")
    return 0
