"""`pass-curate alive`: whether photographs are still public."""

from __future__ import annotations

import argparse

from pass_dataset.commands.arguments import add_json, positive
from pass_dataset.commands.curate.step_settings import (
    Option,
    add_curation,
    add_settings,
    chosen_settings,
)
from pass_dataset.commands.curate.told import print_steps
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < 1000:
        raise argparse.ArgumentTypeError(f"expected requests a second, found {text[:40]!r}")
    return rate


_OPTIONS = {
    "ask": Option("what is asked: page or download (default page)", "ADDRESS", str),
}


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate alive curation/",
        "pass-curate alive curation/ --ask download --per-second 1",
    )
    add_curation(parser)
    add_settings(parser, "alive", _OPTIONS)
    parser.add_argument(
        "--per-second",
        type=_rate,
        default=2.0,
        metavar="N",
        help="requests to a host (default 2)",
    )
    parser.add_argument(
        "--connections",
        type=positive,
        default=2,
        metavar="N",
        help="to a host at any moment (default 2)",
    )
    parser.add_argument(
        "--accept-failures",
        action="store_true",
        help="give up those of which no answer is to be had, with that as their cause",
    )
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.alive.run import run_alive
    from pass_dataset.curate.alive.settings import AliveSettings, Politeness
    from pass_dataset.curate.folder import CurationFolder

    folder = CurationFolder.existing(options.curation)
    with on_terminal() as progress:
        step = run_alive(
            folder,
            chosen_settings(options, AliveSettings, "alive"),
            politeness=Politeness(options.per_second, options.connections),
            accept_failures=options.accept_failures,
            progress=progress,
        )
    print_steps([step], as_json=options.json)
    if options.json:
        return 0
    asked = step.details["asked"]
    print(f"asked {asked:,} from {step.details['asked_from']} to {step.details['asked_until']}")
    return 0
