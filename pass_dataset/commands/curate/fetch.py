"""`pass-curate fetch`: photographs fetched into tars."""

from __future__ import annotations

import argparse
from dataclasses import replace

from pass_dataset.commands.arguments import add_json, names, positive, speed
from pass_dataset.commands.curate.spreading import fetching
from pass_dataset.commands.curate.step_settings import (
    Option,
    add_curation,
    add_settings,
    chosen_settings,
)
from pass_dataset.commands.curate.told import print_steps, print_submitted
from pass_dataset.commands.executors import add_executor, chosen_executor
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]


def _connections(text: str) -> int:
    number = positive(text)
    if number > 512:
        raise argparse.ArgumentTypeError(f"expected at most 512, found {number}")
    return number


_OPTIONS = {
    "sources": Option(
        "where photographs are looked for, in this order: path, bucket, download "
        "(default path,bucket)",
        "NAMES",
        names,
    ),
    "bucket": Option("base address of the copy of YFCC100M", "URL", str),
    "redirect_hosts": Option(
        "hosts that redirects may lead to (default flickr.com,staticflickr.com; *: any)",
        "HOSTS",
        names,
    ),
    "max_bytes": Option("of a photograph (default 67108864)", "N", positive),
    "doubtful_tries": Option(
        "times an answer that may be an accident is asked for (default 3)", "N", positive
    ),
    "placeholder_copies": Option(
        "photographs of the same bytes from which on these are a placeholder (default 20; 0: never)"
    ),
}


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate fetch curation/",
        "pass-curate fetch curation/ --connections 64",
        "pass-curate fetch curation/ --sources path,download --accept-failures",
    )
    add_curation(parser)
    add_settings(parser, "fetch", _OPTIONS)
    parser.add_argument(
        "--connections",
        type=_connections,
        default=16,
        metavar="N",
        help="to a host at any moment, of all tasks of a cluster together (default 16)",
    )
    parser.add_argument(
        "--tries",
        type=positive,
        default=6,
        metavar="N",
        help="for a photograph, where something goes wrong that may pass (default 6)",
    )
    parser.add_argument(
        "--min-speed",
        type=speed,
        metavar="N",
        help="bytes/s below which an answer is given up, and asked for again (default 2000)",
    )
    parser.add_argument(
        "--accept-failures",
        action="store_true",
        help="give up what could not be had after all tries, with its cause in the ledger",
    )
    add_executor(parser, gpus=False, status="pass-curate status CURATION")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.fetch.run import run_fetch
    from pass_dataset.curate.fetch.settings import FetchSettings
    from pass_dataset.curate.folder import CurationFolder

    folder = CurationFolder.existing(options.curation)
    settings = chosen_settings(options, FetchSettings, "fetch")
    work = fetching(options, folder, settings, connections=options.connections, tries=options.tries)
    if options.min_speed is not None:
        work = replace(work, min_bytes_per_s=options.min_speed)
    with on_terminal() as progress:
        step = run_fetch(
            folder,
            settings,
            pace=work.pace(),
            accept_failures=options.accept_failures,
            executor=None if options.executor == "local" else chosen_executor(options, work),
            progress=progress,
        )
    if step is None:
        print_submitted(as_json=options.json)
        return 0
    print_steps([step], as_json=options.json)
    return 0
