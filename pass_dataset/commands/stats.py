"""`pass-dataset stats`: what a collection is made of."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import add_archives, add_json, add_parts, add_release, number
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.errors import PassDatasetError
from pass_dataset.pages.words import count, share, size
from pass_dataset.progress import on_terminal
from pass_dataset.reports.samples import DEFAULT_SAMPLE

if TYPE_CHECKING:
    from pass_dataset.reports.stats.collect import Stats

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset stats /data/pass",
        "pass-dataset stats /data/pass --sample 0 --out pass.html",
    )
    add_archives(parser, "archive folder", first=True)
    add_release(parser)
    add_parts(parser)
    parser.add_argument(
        "--out", type=Path, metavar="FILE.html", help="page (default: NAME-X.Y.Z-stats.html)"
    )
    parser.add_argument(
        "--figures",
        type=Path,
        metavar="FILE.json",
        help="the same as JSON (default: beside the page)",
    )
    parser.add_argument(
        "--classes",
        type=Path,
        metavar="FILE",
        nargs="+",
        default=[],
        help="what pass-evaluate classes wrote of this collection, and of others beside it: how "
        "often each class is seen",
    )
    add_json(parser)
    headers = parser.add_mutually_exclusive_group()
    headers.add_argument(
        "--sample",
        type=number,
        default=DEFAULT_SAMPLE,
        metavar="N",
        help="images whose size and camera are read from their headers, drawn at random (default "
        f"{DEFAULT_SAMPLE:,}; 0: none)",
    )
    headers.add_argument(
        "--all-images",
        action="store_true",
        help="read the header of every image: for PASS, 12 GB in small reads all over the tars; "
        "what is read is kept, and a run that was cut goes on",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default 0)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.archives.records import PassArchive
    from pass_dataset.folders.archive_folder import ArchiveFolder
    from pass_dataset.reports.stats.classes import read_classes
    from pass_dataset.reports.stats.collect import collect_stats
    from pass_dataset.reports.stats.document import write_json, write_page

    archives = ArchiveFolder.open(options.archives, options.release, options.parts)
    release = archives.release
    page = options.out or Path(f"{release.name}-{release.version}-stats.html")
    figures = options.figures or page.with_suffix(".json")
    if page.absolute() == figures.absolute():
        raise PassDatasetError(
            f"{page}: is to be both page and figures; give another --figures FILE"
        )
    with on_terminal() as progress:
        stats = collect_stats(
            PassArchive(archives, progress=progress),
            sample=None if options.all_images else options.sample,
            seed=options.seed,
            progress=progress,
        )
    stats = replace(stats, classes=tuple(map(read_classes, options.classes)))
    written = (write_page(stats, page), write_json(stats, figures))
    if options.json:
        print(figures.read_text("utf-8"), end="")
        return 0
    for line in _summary(stats):
        print(line)
    for path in written:
        print(f"{path}: {size(path.stat().st_size)}")
    return 0


def _summary(stats: Stats) -> Iterator[str]:
    total = stats.image_bytes.total if stats.image_bytes else 0
    yield f"{stats.release}: {count(stats.images, 'image', 'images')}, {size(total)}"
    if stats.missing_tars:
        yield f"not there, and not counted: {', '.join(stats.missing_tars)}"
    if stats.places is None:
        yield "GPS: not in this release"
    else:
        yield f"GPS: {_of(stats.places.known, stats)}"
    if stats.dates is None:
        yield "dates: not in this release"
    else:
        odd = (
            f"{stats.dates.unreadable:,} unreadable, {stats.dates.late:,} after {stats.dates.until}"
        )
        yield f"dates: {_of(stats.dates.known, stats)}; {odd}"
    each = stats.photographers.images_each
    most = f", with {count(each.maximum, 'image', 'images')} at most" if each else ""
    over = f"{stats.photographers.over_bound:,} with over {stats.photographers.bound}"
    yield f"photographers: {stats.photographers.photographers:,}{most}; {over}"
    if stats.shapes is not None:
        kind = "drawn at random" if stats.shapes.is_sample else "all images"
        yield (
            f"headers: {stats.shapes.read:,} read ({kind}), {stats.shapes.unreadable:,} "
            f"unreadable, {stats.shapes.cameras.known:,} with a camera's name"
        )
        for image in stats.shapes.unreadable_images:
            yield f"  {image.hash} in {image.tar} at byte {image.offset:,}: {image.problem}"


def _of(number: int, stats: Stats) -> str:
    return f"{count(number, 'image', 'images')} ({share(number, stats.images)})"
