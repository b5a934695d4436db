"""`passify dropped`: every image that is not kept."""

from __future__ import annotations

import argparse
import sys

from pass_dataset.commands.command_line import write_line
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.passify.results import add_results, chosen_results
from pass_dataset.passify.runs.outcomes import OUTCOMES, REASONS, outcome_of
from pass_dataset.shown import shown

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "passify dropped run/ --reason person | head",
    )
    add_results(parser)
    parser.add_argument("--outcome", choices=OUTCOMES[1:], help="only images with this outcome")
    parser.add_argument(
        "--reason",
        choices=REASONS,
        metavar="REASON",
        help=f"only images with this reason: {', '.join(REASONS)}",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.passify.outputs.lists import dropped_images

    def accept(reason: str) -> bool:
        by_outcome = options.outcome in (None, outcome_of(reason))
        return by_outcome and options.reason in (None, reason)

    results, thresholds, exclusions = chosen_results(options)
    for image in dropped_images(results, thresholds, accept, exclusions):
        scores = [_score(image.face_max_score), _score(image.person_max_score)]
        message = shown(" ".join((image.message or "").split()))
        line = "\t".join([image.path, image.outcome, image.reason, *scores, message])
        write_line(line.encode(errors="backslashreplace"))
    sys.stdout.flush()
    return 1 if results.missing_shards else 0


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
