"""Arguments that several commands of `passify` have."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import positive
from pass_dataset.errors import DetectorError
from pass_dataset.passify.detectors.settings import PRECISIONS, DetectorSettings
from pass_dataset.passify.runs.outcomes import Thresholds

if TYPE_CHECKING:
    from pass_dataset.passify.steps.execution import Execution

__all__ = [
    "add_execution",
    "add_thresholds",
    "chosen_execution",
    "chosen_thresholds",
    "device",
    "score",
]


def score(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"expected a score from 0 to 1, found {text!r}")
    return value


def device(text: str) -> str:
    """``cpu``, ``cuda`` or ``cuda:N``."""
    try:
        DetectorSettings(device=text)
    except DetectorError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("device: ")) from error
    return text


def add_thresholds(parser: argparse.ArgumentParser, default: str) -> None:
    """Adds `--face` and `--person`; `default` says what holds without them."""
    parser.add_argument(
        "--face",
        type=score,
        metavar="SCORE",
        help=f"drop images with a face score over this (default: {default})",
    )
    parser.add_argument(
        "--person",
        type=score,
        metavar="SCORE",
        help=f"drop images with a person score of at least this (default: {default})",
    )


def chosen_thresholds(options: argparse.Namespace, default: Thresholds) -> Thresholds:
    """The thresholds that were asked for."""
    return Thresholds(
        default.face if options.face is None else options.face,
        default.person if options.person is None else options.person,
    )


def add_execution(parser: argparse.ArgumentParser) -> None:
    """Adds where and how fast a run is executed, none of which changes a row."""
    group = parser.add_argument_group("where and how fast (changes no result)")
    group.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="processes (default: one a core, or one a GPU)",
    )
    group.add_argument(
        "--decode-threads", type=positive, metavar="N", help="threads to decode in, a process"
    )
    group.add_argument(
        "--device", type=device, help="cpu, cuda or cuda:N (default: CUDA where there is one)"
    )
    group.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="arithmetic on CUDA (default: float32)",
    )
    group.add_argument(
        "--batch-size", type=positive, metavar="N", help="images through a network at once"
    )
    for target in ("face", "person"):
        group.add_argument(
            f"--{target}-weights",
            type=Path,
            metavar="FILE",
            help=f"weights of the {target} detector (default: the published ones, fetched once)",
        )


def chosen_execution(options: argparse.Namespace) -> Execution:
    """What `add_execution` was told."""
    from pass_dataset.passify.steps.execution import Execution

    def absolute(path: Path | None) -> str | None:
        return None if path is None else str(path.absolute())

    return Execution(
        workers=options.workers,
        decode_threads=options.decode_threads,
        device=options.device,
        precision=options.precision,
        batch_size=options.batch_size,
        face_weights=absolute(options.face_weights),
        person_weights=absolute(options.person_weights),
    )
