"""`pass-dataset credits`: the attribution of any subset."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import RELEASE_HELP
from pass_dataset.commands.command_line import write_out
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.errors import MetadataError, PassDatasetError
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    import pyarrow as pa

    from pass_dataset.archives.metadata_files import MetadataFile
    from pass_dataset.reports.credits.reading import Credits

__all__ = ["add_arguments"]

logger = logging.getLogger(__name__)

_FORMATS = ("csv", "html", "bibtex")
#: Of lists that are to be read and not there: images have no such names.
_LIST_SUFFIXES = (".txt", ".csv", ".tsv", ".lst", ".list")


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset credits --archives /data/pass --hashes kept.txt --format csv",
        "pass-dataset credits --archives /data/pass --all --format html --out credits.html",
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--archives",
        type=Path,
        metavar="DIR",
        help="archive folder; only its CSV is read (default: PASS_ARCHIVES)",
    )
    place.add_argument("--metadata", type=Path, metavar="CSV", help="a metadata CSV instead")
    parser.add_argument(
        "--release", help=f"{RELEASE_HELP} (default: told from the folder, or from the CSV)"
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--hashes",
        nargs="+",
        metavar="LIST",
        help="hashes (in an own collection, names), files with one a line (also kept.txt of "
        "passify), .parquet files with a column hash; -: standard input",
    )
    which.add_argument("--all", action="store_true", help="all images of the release")
    parser.add_argument(
        "--skip-unknown", action="store_true", help="leave out hashes that the release has not"
    )
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        required=True,
        help="csv: a row an image; html: a page by photographer; bibtex: an entry a photographer",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="file to write (default: print)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.reports.credits.reading import credits_of, ending_right

    hashes = None if options.all else _read_hashes(options.hashes)
    file = _metadata(options)
    found = credits_of(file, hashes, skip_unknown=options.skip_unknown)
    write = _writer(options.format)
    if options.out is None and sys.stdout.isatty():  # progress would be among the credits
        write_out(ending_right(write(found), found, file), None)
    else:
        with on_terminal() as progress:
            pieces = write(replace(found, progress=progress))
            write_out(ending_right(pieces, found, file), options.out)
    summary = (
        f"{found.source.label}, images: {len(found):,}, photographers: {len(found.creators()):,}; "
        f"not known: {', '.join(found.missing())}"
    )
    if found.unknown:
        summary += f"; hashes left out, as the metadata do not have them: {len(found.unknown):,}"
    if options.out is None:
        logger.info("%s", summary)
    else:
        print(f"{options.out}: {summary}")
    return 0


def _writer(kind: str) -> Callable[[Credits], Iterator[str]]:
    from pass_dataset.reports.credits.bibtex import bibtex_pieces
    from pass_dataset.reports.credits.csv_text import csv_pieces
    from pass_dataset.reports.credits.page import page_pieces

    return {"csv": csv_pieces, "html": page_pieces, "bibtex": bibtex_pieces}[kind]


def _metadata(options: argparse.Namespace) -> MetadataFile:
    from pass_dataset.archives.metadata_files import csv_file, metadata_in
    from pass_dataset.folders.archive_folder import ARCHIVES_VARIABLE, named_folder

    if options.metadata is not None:
        return csv_file(options.metadata, options.release)
    folder = named_folder(options.archives)
    if folder is None:
        raise PassDatasetError(
            f"no metadata: name the archive folder with --archives or {ARCHIVES_VARIABLE}, or a "
            "CSV with --metadata"
        )
    return metadata_in(folder, options.release)


def _read_hashes(given: Sequence[str]) -> pa.Array:
    """Hashes from the command line, from files, and from standard input."""
    import pyarrow as pa

    from pass_dataset.archives.hash_lists import is_hash, names_in, read_hash_list

    lists = []
    for text in given:
        if text == "-":
            lists.append(names_in(sys.stdin.buffer.read(), "standard input"))
        elif is_hash(text):
            lists.append(pa.array([text], pa.string()))
        elif text.endswith(".parquet"):
            lists.append(_hash_column(text))
        elif _is_file_name(text):
            lists.append(read_hash_list(text))
        else:
            lists.append(names_in(text.encode("utf-8", "surrogateescape"), "--hashes"))
    return pa.concat_arrays(lists)


def _is_file_name(text: str) -> bool:
    """Whether a list is meant, and not the name of an image in an own collection."""
    path = Path(text)
    return path.exists() or len(path.parts) > 1 or path.suffix.lower() in _LIST_SUFFIXES


def _hash_column(path: str) -> pa.Array:
    """The column ``hash`` of a Parquet file, such as one of an export."""
    import pyarrow as pa
    import pyarrow.parquet

    try:
        column = pyarrow.parquet.read_table(path, columns=["hash"])["hash"]
        return column.cast(pa.string()).combine_chunks()
    except (OSError, KeyError, pa.ArrowException) as error:
        raise MetadataError(f"{path}: expected Parquet with a column 'hash': {error}") from error
