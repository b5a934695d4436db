"""`pass-dataset diff`: what changed between two releases."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.command_line import write_out
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.progress import Progress, on_terminal
from pass_dataset.releases.release import OFFICIAL_VERSIONS, resolve_release

if TYPE_CHECKING:
    from pass_dataset.archives.metadata_files import MetadataFile

from pass_dataset.commands.arguments import add_mirrors

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset diff 2.0.0 3.0.0 --download",
        "pass-dataset diff 2.0.0 3.0.0 --only removed --out removed.txt",
    )
    what = f"{', '.join(OFFICIAL_VERSIONS)}, a checksum file, an archive folder, or a metadata CSV"
    parser.add_argument("old", metavar="OLD", help=what)
    parser.add_argument("new", metavar="NEW", help="the same")
    parser.add_argument(
        "--archives",
        type=Path,
        metavar="DIR",
        help="where the CSVs of releases given by number are: there, or in sub-folders named like "
        "the versions (default: PASS_ARCHIVES, else the user's cache)",
    )
    parser.add_argument(
        "--download",
        action="store_true",
        help="fetch the CSV of a release that is not there, and no tars; verified",
    )
    add_mirrors(parser)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument(
        "--only", choices=("removed", "added"), help="these hashes alone, as a list for readers"
    )
    shape.add_argument(
        "--format", choices=("text", "json"), default="text", help="default: %(default)s"
    )
    shape.add_argument(
        "--json", dest="format", action="store_const", const="json", help="as --format json"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="file to write (default: print)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.reports.diff import listing
    from pass_dataset.reports.diff.comparison import compare_metadata

    with on_terminal() as progress:
        old = _metadata(options.old, options, progress)
        new = _metadata(options.new, options, progress)
    diff = compare_metadata(old, new)
    if options.format == "json":
        pieces = listing.json_pieces(diff)
    elif options.only is not None:
        pieces = listing.hash_list_pieces(diff, options.only)
    else:
        pieces = listing.text_pieces(diff)
    write_out(pieces, options.out)
    if options.out is not None:
        print(f"{options.out}: " + "\n".join(listing.summary_lines(diff)))
    return 0


def _metadata(given: str, options: argparse.Namespace, progress: Progress) -> MetadataFile:
    from pass_dataset.archives.metadata_files import csv_file, metadata_in, published_metadata

    path = Path(given)
    if given not in OFFICIAL_VERSIONS and path.suffix != ".tsv":
        return metadata_in(path) if path.is_dir() else csv_file(path)
    return published_metadata(
        resolve_release(given),
        options.archives,
        may_download=options.download,
        mirrors=tuple(options.mirrors),
        progress=progress,
    )
