"""`pass-dataset checksums`: the checksum file of a collection."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from pass_dataset.commands.arguments import add_archives, add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.files.whole import write_whole
from pass_dataset.pages.words import count, size
from pass_dataset.progress import on_terminal
from pass_dataset.releases.release import format_release

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset checksums /data/birds --name birds --version 1.0.0",
        "pass-dataset verify /data/birds --release /data/birds/birds-1.0.0.tsv",
    )
    add_archives(parser, "tars and one metadata CSV", first=True)
    parser.add_argument("--version", dest="new_version", required=True, metavar="X.Y.Z")
    parser.add_argument("--name", default="pass", help="name of the collection (default: pass)")
    parser.add_argument(
        "--url",
        metavar="URL",
        help="base URL: where the files are or will be published; a password in it is left out",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write (default: DIR/NAME-X.Y.Z.tsv)"
    )
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.archives.collection import describe_collection

    with on_terminal() as progress:
        release = describe_collection(
            options.archives,
            version=options.new_version,
            name=options.name,
            base_url=options.url,
            progress=progress,
        )
    out = options.out or options.archives / f"{release.name}-{release.version}.tsv"
    write_whole(out, format_release(release).encode())
    if options.json:
        print_json({"path": str(out), **asdict(release), "size_bytes": release.size_bytes})
        return 0
    print(
        f"{out}: {release.label}, {count(len(release.files), 'file', 'files')}, "
        f"{count(release.num_examples or 0, 'image', 'images')}, {size(release.size_bytes)}"
    )
    return 0
