"""`pass-dataset verify`: every file of a folder checked."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from pass_dataset.commands.arguments import add_archives, add_json, add_parts, add_release
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset verify /data/pass",
        "pass-dataset verify /data/pass --quick --json",
    )
    add_archives(parser, "archive folder", first=True)
    add_release(parser)
    add_parts(parser, "only these tars and the metadata: 0,3-5")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="hash nothing: trust the receipt of files that were not touched since",
    )
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.archives.integrity import verify

    with on_terminal() as progress:
        found = verify(
            options.archives,
            options.release,
            parts=options.parts,
            quick=options.quick,
            progress=progress,
        )
    if options.json:
        print_json(
            {
                "folder": str(found.folder),
                "release": found.release.label,
                "whole": found.is_whole,
                "files": [asdict(verdict) for verdict in found.files],
                "unknown": found.unknown,
            }
        )
    else:
        for verdict in found.files:
            print(verdict)
        for name in found.unknown:
            print(f"{name}: unknown (not a file of {found.release.label}; left alone)")
        whole = "whole" if found.is_whole else "NOT whole"
        print(f"{found.folder}: {found.release.label}, {whole}")
    return 0 if found.is_whole else 1
