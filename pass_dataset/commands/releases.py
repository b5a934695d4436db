"""`pass-dataset releases`: the releases of PASS and their files."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import size
from pass_dataset.releases.release import (
    DEFAULT_VERSION,
    OFFICIAL_VERSIONS,
    Release,
    official_release,
)

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset releases --json | jq '.[].files[].filename'",
    )
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    releases = [official_release(version) for version in OFFICIAL_VERSIONS]
    if options.json:
        print_json([_release_json(release) for release in releases])
        return 0
    for release in releases:
        default = "  (default)" if release.version == DEFAULT_VERSION else ""
        print(
            f"{release.version}  {release.released}  {release.num_examples:>9,} images  "
            f"{size(release.size_bytes)}  https://zenodo.org/records/{release.zenodo_record}"
            f"{default}\n       {release.changes}"
        )
        for file in release.files:
            print(f"       {file.filename:<16} {size(file.size_bytes)}")
    return 0


def _release_json(release: Release) -> dict[str, object]:
    return {
        **asdict(release),
        "size_bytes": release.size_bytes,
        "is_default": release.version == DEFAULT_VERSION,
    }
