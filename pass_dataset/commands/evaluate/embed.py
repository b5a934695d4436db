"""`pass-evaluate embed`: images through an encoder, once."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pass_dataset.commands.evaluate.arguments import (
    DATA_HELP,
    ENCODER_HELP,
    add_features,
    asked_of,
    encoder_of,
    share,
    transform_of,
    work_of,
)
from pass_dataset.commands.executors import add_executor, chosen_executor
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import count
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    from pass_dataset.evaluate.data.labelled import LabelledImages
    from pass_dataset.evaluate.features.transforms import TransformSettings
    from pass_dataset.evaluate.models.encoders import Encoder

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-evaluate embed moco_v2_200ep labelled/ --device cuda",
        "pass-evaluate embed backbone.pt imagenet/ --split train --executor slurm --slurm-gpus 1",
        "pass-evaluate embed backbone.pt imagenet/ --split train --share $SLURM_ARRAY_TASK_ID/8",
    )
    parser.add_argument("encoder", metavar="ENCODER", help=ENCODER_HELP)
    parser.add_argument("data", metavar="DATA", help=DATA_HELP)
    parser.add_argument("--split", default="test", help="train, test, or another (default: test)")
    parser.add_argument(
        "--views", type=int, default=0, metavar="V", help="random views as well, so many"
    )
    parser.add_argument(
        "--share", type=share, metavar="K/N",
        help="only the share K of N; others do the rest, with the same cache",
    )  # fmt: skip
    add_features(parser)
    add_executor(parser, status="squeue --me")

    def check(options: argparse.Namespace) -> None:
        if options.share is not None and options.executor != "local":
            parser.error("--share is for schedulers that no --executor knows")

    parser.checks.append(check)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.evaluate.data.opening import open_data
    from pass_dataset.evaluate.features.embedding import features_folder

    encoder = encoder_of(options.encoder, options)
    images = open_data(options.data, options.split, options.root)
    whole = True
    for view in (None, *range(options.views)):
        transform = replace(transform_of(options), view=view)
        features = _embedded(options, encoder, images, transform)
        folder = features_folder(encoder, images, transform, options.cache).folder
        name = "middles" if view is None else f"view {view}"
        if features is None:
            whole = False
            what = "this share is done, others are not"
            if options.executor != "local":
                what = "given to the cluster; the same command again ends it"
            print(f"{name}: {what}; in {folder}")
        else:
            rows, width = features.shape
            print(f"{name}: {count(rows, 'image', 'images')}, {width:,} numbers each, in {folder}")
    return 0 if whole else 1


def _embedded(
    options: argparse.Namespace,
    encoder: Encoder,
    images: LabelledImages,
    transform: TransformSettings,
) -> Any:
    """The features; None: they are not all there."""
    with on_terminal() as progress:
        if options.executor == "local":
            from pass_dataset.evaluate.features.embedding import embed

            return embed(
                encoder, images, transform, cache=options.cache, work=work_of(options),
                progress=progress,
            )  # fmt: skip
        from pass_dataset.evaluate.features.spreading import embed_spread

        return embed_spread(
            asked_of(options),
            encoder,
            images,
            transform,
            # A copy: what is asked of a cluster for one view says nothing of the next.
            lambda work: chosen_executor(argparse.Namespace(**vars(options)), work),
            cache=options.cache and options.cache.absolute(),
            device=options.device[0] if options.device else None,
            progress=progress,
        )
