"""Arguments of several commands: encoders, images made ready, and where features are made."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pass_dataset.commands.arguments import positive
from pass_dataset.commands.parser import CommandParser

if TYPE_CHECKING:
    from pass_dataset.evaluate.features.embedding import Work
    from pass_dataset.evaluate.features.spreading import Asked
    from pass_dataset.evaluate.features.transforms import TransformSettings
    from pass_dataset.evaluate.models.encoders import Encoder

__all__ = [
    "DATA_HELP",
    "ENCODER_HELP",
    "add_features",
    "asked_of",
    "encoder_of",
    "share",
    "transform_of",
    "work_of",
]

ENCODER_HELP = "a published model, a checkpoint, random:NET[:SEED], or python:MODULE:FACTORY"
DATA_HELP = (
    "a folder with train/ and test/ (or val/), in each a folder for each class or WebDataset's "
    "tars; a year of Pascal VOC; hf:NAME, tfds:NAME or torchvision:NAME"
)


def add_features(parser: CommandParser) -> None:
    """Adds how images become features, and where."""
    parser.add_argument("--net", help="network of a checkpoint (default: the one that fits)")
    parser.add_argument("--prefix", help="which network of a checkpoint that has several")
    parser.add_argument(
        "--ignore", metavar="NAME", action="append", default=[],
        help="first name of layers on top that a checkpoint has and an encoder does not need",
    )  # fmt: skip
    parser.add_argument(
        "--features", dest="kind", choices=("pooled", "last4"), default="pooled",
        help="features of a transformer: its class token, or those of the last four blocks",
    )  # fmt: skip
    parser.add_argument("--resize", type=positive, default=256, help="pixels of the smaller side")
    parser.add_argument("--crop", type=positive, default=224, help="pixels of the square cut out")
    parser.add_argument(
        "--interpolation", choices=("bilinear", "bicubic"), default="bilinear",
        help="how images are resized: bicubic as DINO's code does (default: bilinear)",
    )  # fmt: skip
    parser.add_argument("--root", metavar="DIR", type=Path, help="where libraries keep their data")
    parser.add_argument(
        "--cache", metavar="DIR", type=Path, help="folder of the features (default: the user's)"
    )
    parser.add_argument(
        "--device", metavar="DEVICE", action="append",
        help="cpu, cuda or cuda:N; may be given again (default: cpu)",
    )  # fmt: skip
    parser.add_argument(
        "--batch-size", type=positive, default=64, metavar="N", help="images at once"
    )
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="threads that decode (default: one a core)"
    )


def share(text: str) -> tuple[int, int]:
    """A share such as ``2/8``: the third of eight."""
    own, _, shares = text.partition("/")
    if not (own.isdecimal() and shares.isdecimal() and int(own) < int(shares)):
        raise argparse.ArgumentTypeError(f"expected K/N with K from 0 to N-1, found {text[:40]!r}")
    return int(own), int(shares)


def encoder_of(name: str, options: argparse.Namespace) -> Encoder:
    """The encoder of this name."""
    # Feature maps of many megabytes come and go: asked for in pages of 2 MB, they are mapped in
    # fewer steps. PyTorch looks at this once, for its first tensor.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    from pass_dataset.evaluate.models import open_encoder
    from pass_dataset.progress import on_terminal

    with on_terminal() as progress:
        return open_encoder(name, **_encoder_options(options), progress=progress)


def _encoder_options(options: argparse.Namespace) -> dict[str, Any]:
    """Arguments of `open_encoder` besides the name, as JSON has them."""
    return {name: getattr(options, name) for name in ("net", "prefix", "ignore", "kind")}


def asked_of(options: argparse.Namespace) -> Asked:
    """The encoder and the images, by names that mean the same wherever a machine looks from."""
    from pass_dataset.evaluate.features.spreading import Asked

    def everywhere(name: str) -> str:
        library, colon, rest = name.rpartition("hf:")
        return f"{library}{colon}{Path(rest).absolute()}" if Path(rest).exists() else name

    return Asked(
        encoder={"name": everywhere(options.encoder), **_encoder_options(options)},
        data=everywhere(options.data),
        split=options.split,
        root=options.root and str(options.root.absolute()),
        batch_size=options.batch_size,
    )


def transform_of(options: argparse.Namespace) -> TransformSettings:
    """How images are made ready."""
    from pass_dataset.errors import EvaluationError
    from pass_dataset.evaluate.features.transforms import TransformSettings

    try:
        return TransformSettings(
            resize=options.resize, crop=options.crop, interpolation=options.interpolation
        )
    except ValueError as error:
        raise EvaluationError(f"--resize, --crop: {error}") from None


def work_of(options: argparse.Namespace) -> Work:
    """Where and how fast features are made."""
    from pass_dataset.evaluate.features.embedding import Work

    return Work(
        devices=tuple(options.device or ("cpu",)),
        batch_size=options.batch_size,
        workers=options.workers,
        share=getattr(options, "share", None) or (0, 1),
    )
