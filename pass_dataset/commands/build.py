"""`pass-dataset build` and `verify-build`: what every library's builds have in common."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from pass_dataset.commands.arguments import RELEASE_HELP, Commands, command, parts
from pass_dataset.commands.build_parquet import add_parquet
from pass_dataset.commands.build_tfds import add_tfds
from pass_dataset.commands.build_webdataset import add_webdataset
from pass_dataset.progress import on_terminal

__all__ = ["add_build", "add_verify_build"]

#: Findings of a kind that are printed; --json has more.
_PRINTED_FINDINGS = 20


def add_build(commands: Commands) -> None:
    """Adds the command `build` with what can be built."""
    parser = command(commands, "build", "write a release in the format of a library")
    libraries = parser.add_subparsers(metavar="LIBRARY", required=True)
    add_tfds(libraries)
    add_parquet(libraries)
    add_webdataset(libraries)


def add_verify_build(commands: Commands) -> None:
    """Adds the command `verify-build`."""
    parser = command(commands, "verify-build", "compare every record of a build with the archives")
    parser.add_argument(
        "folder",
        metavar="OUT",
        type=Path,
        help="a Parquet or WebDataset folder; or of TFDS, the folder …/pass/3.0.0 or data_dir",
    )
    parser.add_argument("--name", help="dataset to look for in TFDS's data_dir")
    parser.add_argument(
        "--archives",
        metavar="DIR",
        type=Path,
        help="archive folder (default: PASS_ARCHIVES; for pass_mini what is installed)",
    )
    parser.add_argument("--release", help=f"{RELEASE_HELP} (default: told from the archives)")
    parser.add_argument(
        "--parts",
        type=parts,
        help="the build has only these tars: 0,3-5 (default: as it says)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_verify_build)


def _verify_build(options: argparse.Namespace) -> int:
    from pass_dataset.builds.reading.comparison import verify_build

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
            "removed_still_there": found.num_still_there,
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
    if found.num_still_there:
        print(
            f"{found.num_still_there:,} images on removal lists are still in its files; readers of "
            f"this package leave them out. To delete them: pass-dataset purge {found.build.folder}"
        )
    return 0 if found.is_right else 1
