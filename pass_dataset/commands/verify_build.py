"""`pass-dataset verify-build`: a build compared with the archives it was made from."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from pass_dataset.commands.arguments import add_json, add_parts, add_release
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import count
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]

#: Findings of a kind that are printed; --json has more.
_PRINTED_FINDINGS = 20


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset verify-build /data/tfds --archives /data/pass",
        "pass-dataset verify-build /data/parquet --archives /data/pass --json",
    )
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
    add_release(parser, "told from the archives")
    add_parts(parser, "the build has only these tars: 0,3-5 (default: as it says)")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
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
        print_json(content)
        return 0 if found.is_right else 1
    for kind, found_of_kind in found.counts.items():
        of_kind = [finding for finding in found.findings if finding.kind is kind]
        for finding in of_kind[:_PRINTED_FINDINGS]:
            print(finding)
        if found_of_kind > _PRINTED_FINDINGS:
            print(f"… and {found_of_kind - _PRINTED_FINDINGS:,} more of the kind: {kind.value}")
    print(
        f"{found.build.folder}: {found.build.label}, {found.build.file_format}, "
        f"{count(len(found.build.shards), 'shard', 'shards')}, "
        f"{count(found.num_read, 'record', 'records')}, "
        f"{found.num_expected:,} expected from {found.archives} ({found.release.label}): "
        f"{'right' if found.is_right else 'NOT right'}"
    )
    if found.num_still_there:
        print(
            f"{count(found.num_still_there, 'image', 'images')} on removal lists "
            f"{'is' if found.num_still_there == 1 else 'are'} still in its files; readers of this "
            "package leave such out. To delete: "
            f"pass-dataset purge {found.build.folder}"
        )
    return 0 if found.is_right else 1
