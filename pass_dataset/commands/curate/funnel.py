"""`pass-curate funnel`: what became of all photographs, by cause at every stage."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json, write_out
from pass_dataset.commands.curate.step_settings import add_curation
from pass_dataset.commands.parser import CommandParser, examples

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate funnel curation/",
        "pass-curate funnel curation/ --profile pass-2021",
        "pass-curate funnel curation/ --html funnel.html --svg funnel.svg",
    )
    add_curation(parser)
    parser.add_argument(
        "--profile",
        metavar="NAME",
        help="set the published numbers of this profile beside ours "
        "(default: that of the curation's settings, if any)",
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the figure")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.funnel.counts import funnel_of
    from pass_dataset.curate.funnel.listing import funnel_content, text_lines
    from pass_dataset.curate.funnel.page import draw, render_page
    from pass_dataset.curate.ledger import Ledger
    from pass_dataset.curate.profiles.profile import published_for

    folder = CurationFolder.existing(options.curation)
    funnel = funnel_of(Ledger(folder), published_for(folder, options.profile))
    if options.html is not None:
        write_out([render_page(funnel, folder.path.name)], options.html)
    if options.svg is not None:
        write_out([draw(funnel, alone=True)], options.svg)
    if options.json:
        print_json(funnel_content(funnel))
    elif options.html is None and options.svg is None:
        for line in text_lines(funnel):
            print(line)
    return 0 if funnel.begun is None else 1
