"""Arguments that decide the rows of a run."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from pass_dataset.commands.arguments import positive
from pass_dataset.commands.passify.arguments import add_thresholds, chosen_thresholds
from pass_dataset.commands.passify.results import add_strict
from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds
from pass_dataset.passify.sources.source import IMAGE_SUFFIXES, KINDS

if TYPE_CHECKING:
    from pass_dataset.passify.runs.settings import DetectorChoice, RunSettings
    from pass_dataset.passify.steps.execution import Execution

__all__ = ["add_detectors", "add_settings", "chosen_detectors", "chosen_settings"]

#: The detectors of the paper.
_DEFAULT_DETECTORS: dict[Target, str] = {"face": "retinaface", "person": "cascade-rcnn"}


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Adds what decides the rows of a run."""
    parser.add_argument(
        "source",
        metavar="SOURCE",
        type=Path,
        help="folder, tar, Parquet, list of files, PASS archive folder, or saved dataset",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="RUN", help="folder to keep the run in"
    )
    parser.add_argument("--kind", choices=KINDS, help="what the source is (default: told from it)")
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="what a list's paths are relative to"
    )
    parser.add_argument("--image-column", metavar="NAME", help="column of images in a table")
    parser.add_argument(
        "--name-column",
        metavar="NAME",
        help="column of names in a table, by which lists name its images (default: hash, if it is "
        "there; else rows are numbered)",
    )
    parser.add_argument(
        "--suffixes",
        type=_suffixes,
        default=tuple(IMAGE_SUFFIXES),
        metavar="A,B",
        help=f"endings of image files, or any (default: {','.join(IMAGE_SUFFIXES)})",
    )
    add_detectors(parser)
    parser.add_argument(
        "--all",
        dest="run_all",
        action="store_true",
        help="look for people on every image, also where a face was found",
    )
    add_thresholds(parser, "0.5")
    parser.add_argument(
        "--exclude",
        type=Path,
        metavar="FILE",
        help="opt-out list: images by path or SHA-256, one a line, that are not to be looked at",
    )
    add_strict(parser)
    parser.add_argument(
        "--max-pixels", type=positive, metavar="N", help="larger images are dropped undecoded"
    )
    parser.add_argument(
        "--shard-size", type=positive, metavar="N", help="images in a shard (default: up to 1000)"
    )


def add_detectors(parser: argparse.ArgumentParser) -> None:
    """Adds which detectors are run."""
    parser.add_argument(
        "--detectors",
        type=_targets,
        default=TARGETS,
        metavar="WHAT",
        help="face, person, or face,person (default)",
    )
    for target, name in _DEFAULT_DETECTORS.items():
        parser.add_argument(
            f"--{target}-detector", default=name, metavar="NAME", help=f"default: {name}"
        )


def _targets(text: str) -> tuple[Target, ...]:
    names = text.split(",")
    if not set(names) <= set(get_args(Target)) or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"expected face, person or face,person, found {text!r}")
    return tuple(target for target in TARGETS if target in names)


def _suffixes(text: str) -> tuple[str, ...] | None:
    return None if text == "any" else tuple(part for part in text.split(",") if part)


def chosen_settings(options: argparse.Namespace, execution: Execution) -> RunSettings:
    """What `add_settings` was told; hashes the detectors' weights, and fetches them if need be."""
    from pass_dataset.passify.runs.settings import RunSettings
    from pass_dataset.passify.sources.names import name_to_text
    from pass_dataset.passify.sources.opening import SourceSettings

    root = None if options.root is None else os.path.realpath(os.fsencode(options.root))
    source = SourceSettings(
        path=SourceSettings.of(options.source).path,
        kind=options.kind,
        root=None if root is None else name_to_text(root),
        column=options.image_column,
        name_column=options.name_column,
        suffixes=options.suffixes,
    )
    # Before weights are fetched for a folder that is not there.
    source = source.resolved()
    return RunSettings(
        source=source,
        detectors=chosen_detectors(options, execution),
        thresholds=chosen_thresholds(options, Thresholds()),
        run_all=options.run_all,
        max_pixels=options.max_pixels,
        shard_size=options.shard_size,
    )


def chosen_detectors(
    options: argparse.Namespace, execution: Execution
) -> tuple[DetectorChoice, ...]:
    """What `add_detectors` was told; hashes their weights, and fetches them if need be."""
    from pass_dataset.passify.runs.settings import DetectorChoice
    from pass_dataset.passify.steps.loading import open_named

    choices = []
    for target in options.detectors:
        name = getattr(options, f"{target}_detector")
        settings = execution.loading().settings(target)
        choices.append(DetectorChoice(target, name, open_named(name, settings).weights_sha256))
    return tuple(choices)
