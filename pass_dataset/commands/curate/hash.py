"""`pass-curate hash`: an index of a collection's hashes, without any image."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.arguments import add_workers
from pass_dataset.commands.curate.collections import add_reading, listed
from pass_dataset.commands.curate.spreading import add_device, describing
from pass_dataset.commands.curate.told import print_submitted
from pass_dataset.commands.executors import add_executor, chosen_executor
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import count
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate hash coco/train2017 --out coco.hashes",
        "pass-curate hash imagenet/ --out imagenet.hashes --without-names",
        "pass-curate hash imagenet/ --out imagenet.hashes --executor slurm --slurm-partition cpu",
    )
    parser.add_argument("source", metavar="SOURCE", type=Path, help="any that passify reads")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="index to write; what is made of it so far is kept in FILE.parts, for when it is cut, "
        "and for a later run with more images",
    )
    parser.add_argument("--name", help="what the set is called (default: the name of FILE)")
    parser.add_argument(
        "--without-names", action="store_true", help="leave out the names of images"
    )
    parser.add_argument(
        "--crops",
        metavar="WEIGHTS",
        help="describe images too, with SSCD's weights (sscd_disc_mixup.torchvision.pt), so that "
        "parts of them are found",
    )
    parser.add_argument("--crops-sha256", metavar="DIGEST", help="SHA-256 that they must have")
    add_device(parser)
    add_reading(parser)
    add_workers(parser)
    add_executor(parser, gpus=False, status="squeue --me")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.duplicates.crop_search import describe_images
    from pass_dataset.curate.duplicates.crops.rows import Descriptors
    from pass_dataset.curate.duplicates.crops.weights import crop_weights
    from pass_dataset.curate.duplicates.finding import DuplicatesSettings
    from pass_dataset.curate.duplicates.hash_work import Hashing
    from pass_dataset.curate.duplicates.hashing import fingerprints_of
    from pass_dataset.curate.duplicates.index_file import HashIndex, save_index
    from pass_dataset.curate.settings import section

    out: Path = options.out
    name = options.name or out.name.partition(".")[0]
    parts = out.with_name(f"{out.name}.parts")
    given = {"crops": options.crops, "crops_sha256": options.crops_sha256}
    settings = section(DuplicatesSettings, given, "hash")
    described: Descriptors | None = None
    with on_terminal() as progress:
        listing = listed(options.source, name, options, progress)
        tables = fingerprints_of(
            [listing],
            parts,
            executor=chosen_executor(options, Hashing(workers=options.workers)),
            progress=progress,
        )
        if tables is not None and settings.crops is not None:
            described = describe_images(
                [listing],
                parts,
                crop_weights(Path(settings.crops), settings.crops_sha256),
                executor=describing(options, settings),
                progress=progress,
            )
    if tables is None or (settings.crops is not None and described is None):
        print_submitted(as_json=False)
        return 0
    (images,) = tables
    save_index(HashIndex(name, images, described), out, names=not options.without_names)
    broken = images.num_rows - images["broken"].null_count
    said = f"{out}: {count(images.num_rows, 'image', 'images')}"
    print(f"{said}, {broken:,} broken" if broken else said)
    return 1 if listing.unlisted else 0
