"""`pass-curate filter`: photographs looked at by passify, its verdicts taken into the ledger."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.arguments import add_json, positive
from pass_dataset.commands.curate.spreading import add_failed
from pass_dataset.commands.curate.step_settings import (
    Option,
    add_curation,
    add_settings,
    chosen_settings,
)
from pass_dataset.commands.curate.told import print_steps, print_submitted
from pass_dataset.commands.executors import add_executor, chosen_executor
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.passify.arguments import add_execution, chosen_execution, score
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]


def _targets(text: str) -> tuple[str, ...]:
    return () if text == "none" else tuple(name.strip() for name in text.split(","))


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"expected yes or no, found {text!r}")
    return text == "yes"


_OPTIONS = {
    "detectors": Option(
        "what is looked for: face, person, or face,person (default); none: only whether "
        "photographs are sound",
        "WHAT",
        _targets,
    ),
    "face_detector": Option("default: retinaface", "NAME", str),
    "person_detector": Option("default: cascade-rcnn", "NAME", str),
    "face": Option("faces count with a score over this (default 0.5)", "SCORE", score),
    "person": Option("people count from this score on (default 0.5)", "SCORE", score),
    "run_all": Option("look for people also where a face was found: yes or no", "YES", _yes),
    "max_pixels": Option("larger photographs are out undecoded", "N", positive),
}


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate filter curation/",
        "pass-curate filter curation/ --exclude opt-out.txt",
        "pass-curate filter curation/ --executor slurm --slurm-partition cpu",
        "pass-curate filter curation/ --detectors none",
    )
    add_curation(parser)
    add_settings(parser, "filter", _OPTIONS)
    parser.add_argument(
        "--exclude",
        type=Path,
        metavar="FILE",
        help="opt-out list: photographs by hash, or by SHA-256 of the file, one a line, that are "
        "not to be looked at",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse an opt-out list with lines that name no photograph",
    )
    add_failed(parser)
    add_execution(parser)
    add_executor(parser, status="passify status CURATION/work/filter")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.filter.run import SOUND, run_filter
    from pass_dataset.curate.filter.settings import FilterSettings
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.ledger import Ledger

    folder = CurationFolder.existing(options.curation)
    settings = chosen_settings(options, FilterSettings, "filter")
    execution = chosen_execution(options)
    # First: what is not installed is better known before weights are fetched.
    executor = chosen_executor(options, execution)
    with on_terminal() as progress:
        step = run_filter(
            folder,
            settings,
            execution=execution,
            executor=executor,
            exclude=options.exclude,
            strict=options.strict,
            retry_failed=options.retry_failed,
            give_up_failed=options.give_up_failed,
            progress=progress,
        )
    if step is None:
        print_submitted(as_json=options.json)
        return 0
    sound = Ledger(folder).record(SOUND)
    before = [] if sound is None or step.name == SOUND else [sound]
    print_steps([*before, step], as_json=options.json)
    return 0
