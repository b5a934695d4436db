"""`pass-evaluate classes`: which classes a classifier sees in a collection, and how often."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.evaluate.arguments import (
    add_features,
    encoder_of,
    transform_of,
    work_of,
)
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import count

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-evaluate classes resnet50.pth photographs/ --out classes.parquet",
    )
    parser.add_argument(
        "classifier", metavar="CLASSIFIER",
        help="a checkpoint with its linear layer on top, or python:MODULE:FACTORY",
    )  # fmt: skip
    parser.add_argument(
        "collection", metavar="COLLECTION", type=Path,
        help="images: a folder, tars, Parquet, PASS; labels are not needed",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="FILE", type=Path, help="write the class of each image, as Parquet"
    )
    add_features(parser)
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.evaluate.classes import predict_classes
    from pass_dataset.evaluate.models.loading import load_classifier
    from pass_dataset.progress import on_terminal

    name = options.classifier
    classifier = (
        encoder_of(name, options).module
        if name.startswith("python:")
        else load_classifier(name, net=options.net, prefix=options.prefix)
    )
    work = work_of(options)
    with on_terminal() as progress:
        found = predict_classes(
            classifier, options.collection, transform_of(options), device=work.devices[0],
            batch_size=work.batch_size, workers=work.workers, progress=progress,
        )  # fmt: skip
    if options.out is not None:
        found.save(options.out)
    frequencies = found.frequencies.tolist()
    unread = int((found.classes < 0).sum())
    if options.json:
        print_json(
            {
                "images": len(found.paths),
                "unreadable": unread,
                "classes": found.known,
                "seen": sum(number > 0 for number in frequencies),
                "effective_number": found.effective_number,
                "frequencies": frequencies,
            }
        )
        return 0
    print(
        f"{count(len(found.paths), 'image', 'images')}, {unread:,} of them unreadable; "
        f"{sum(number > 0 for number in frequencies):,} of {found.known:,} classes are seen, as "
        f"diverse as {found.effective_number:.1f} of equal frequency"
    )
    for rank, number in enumerate(frequencies[:10], 1):
        print(f"  {rank:2}. class: {count(number, 'image', 'images')}")
    return 0
