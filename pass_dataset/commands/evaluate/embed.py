"""`pass-evaluate embed`: images through an encoder, once."""

from __future__ import annotations

import argparse
from dataclasses import replace

from pass_dataset.commands.evaluate.arguments import (
    DATA_HELP,
    ENCODER_HELP,
    add_features,
    encoder_of,
    share,
    transform_of,
    work_of,
)
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import count

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-evaluate embed moco_v2_200ep labelled/ --device cuda",
        "pass-evaluate embed backbone.pt imagenet/ --split train --share $SLURM_ARRAY_TASK_ID/8",
    )
    parser.add_argument("encoder", metavar="ENCODER", help=ENCODER_HELP)
    parser.add_argument("data", metavar="DATA", help=DATA_HELP)
    parser.add_argument("--split", default="test", help="train, test, or another (default: test)")
    parser.add_argument(
        "--views", type=int, default=0, metavar="V", help="random views as well, so many"
    )
    parser.add_argument(
        "--share", type=share, default=(0, 1), metavar="K/N",
        help="only the share K of N; others do the rest, with the same cache",
    )  # fmt: skip
    add_features(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.evaluate.data.opening import open_data
    from pass_dataset.evaluate.features.embedding import embed, features_folder
    from pass_dataset.progress import on_terminal

    encoder = encoder_of(options.encoder, options)
    images = open_data(options.data, options.split, options.root)
    whole = True
    for view in (None, *range(options.views)):
        transform = replace(transform_of(options), view=view)
        with on_terminal() as progress:
            features = embed(
                encoder, images, transform, cache=options.cache, work=work_of(options),
                progress=progress,
            )  # fmt: skip
        folder = features_folder(encoder, images, transform, options.cache).folder
        name = "middles" if view is None else f"view {view}"
        if features is None:
            whole = False
            print(f"{name}: this share is done, others are not; in {folder}")
        else:
            rows, width = features.shape
            print(f"{name}: {count(rows, 'image', 'images')}, {width:,} numbers each, in {folder}")
    return 0 if whole else 1
