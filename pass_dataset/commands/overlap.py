"""`pass-dataset overlap`: which images of PASS another set has, by identity."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json, write_out
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import count

if TYPE_CHECKING:
    from pass_dataset.curate.duplicates.index_file import HashIndex

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset overlap /data/pass --coco instances_train2017.json",
        "pass-dataset overlap pass_metadata.csv --coco instances_train2017.json --out overlap.txt",
    )
    parser.add_argument(
        "folder", metavar="DIR", type=Path, help="archive folder, or a metadata CSV"
    )
    other = parser.add_mutually_exclusive_group(required=True)
    other.add_argument(
        "--coco", type=Path, metavar="FILE", help="annotations of COCO, which have flickr_url"
    )
    other.add_argument(
        "--against", type=Path, metavar="FILE", help="index of hashes that has addresses"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write, a line each: hash, tab, their name"
    )
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.archives.metadata_files import csv_file, metadata_in
    from pass_dataset.archives.metadata_rows import row_hashes
    from pass_dataset.archives.removals import removals_for
    from pass_dataset.curate.duplicates.overlap import find_overlap

    path: Path = options.folder
    metadata = metadata_in(path) if path.is_dir() else csv_file(path)
    removed = removals_for(metadata.path.parent).hashes
    hashes = [one for one in row_hashes(metadata.path).to_pylist() if one not in removed]
    other = _other(options)
    overlap = find_overlap(hashes, other)
    rows = overlap.images.to_pylist()
    if options.out is not None:
        write_out((f"{row['hash']}\t{row['path']}\n" for row in rows), options.out)
    if options.json:
        print_json(
            {"images": overlap.asked, "other": other.name, "known": overlap.known, "shared": rows}
        )
        return 0
    print(
        f"{count(len(rows), 'image', 'images')} of {overlap.asked:,} of {metadata.label} "
        f"{'is' if len(rows) == 1 else 'are'} in {other.name} ({overlap.known:,} images), by the "
        "hash of the address"
    )
    if options.out is None:
        for row in rows:
            print(f"{row['hash']}\t{row['path']}")
    else:
        print(options.out)
    return 0


def _other(options: argparse.Namespace) -> HashIndex:
    from pass_dataset.curate.duplicates.coco import load_coco
    from pass_dataset.curate.duplicates.index_file import load_index

    return load_coco(options.coco) if options.coco is not None else load_index(options.against)
