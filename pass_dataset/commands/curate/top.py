"""`pass-curate top`: the images with the highest scores, as a list or on contact sheets."""

from __future__ import annotations

import argparse
from pathlib import Path

from pass_dataset.commands.arguments import add_json, names, positive
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.progress import on_terminal
from pass_dataset.shown import shown

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate top curation/",
        "pass-curate top curation/ --by plate -n 1000",
        "pass-curate top curation/ --by porn,hentai -n 500 --sheet sheets.html",
        "pass-curate top run/ --by person",
    )
    parser.add_argument(
        "scores",
        metavar="FOLDER",
        type=Path,
        help="folder of a curation, of pass-curate rank --out, or of a run of passify",
    )
    parser.add_argument(
        "--by",
        type=names,
        default=(),
        metavar="SCORES",
        help="by which scores, such as nsfw, porn, plate, text, face (default: list their names)",
    )
    parser.add_argument(
        "-n", "--top", type=positive, default=100, metavar="N", dest="count",
        help="images of each (default: 100)",
    )  # fmt: skip
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE", help="write contact sheets, as HTML, in place of text"
    )
    parser.add_argument(
        "--unblurred", action="store_true", help="pictures on the sheets can be recognised"
    )
    add_json(parser)

    def check(options: argparse.Namespace) -> None:
        if options.sheet is not None and not options.by:
            parser.error("--sheet needs --by")
        if options.unblurred and options.sheet is None:
            parser.error("--unblurred needs --sheet")

    parser.checks.append(check)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.ranking.scores import highest, open_scores

    scores = open_scores(options.scores)
    if not options.by:
        if options.json:
            print_json(scores.names())
        else:
            print("\n".join(scores.names()) or "there are no scores; pass-curate rank makes some")
        return 0
    if options.sheet is not None:
        from pass_dataset.curate.ranking.sheets import write_sheets

        with on_terminal() as progress:
            path = write_sheets(
                scores,
                options.by,
                options.count,
                options.sheet,
                what=options.scores.absolute().name,
                is_blurred=not options.unblurred,
                progress=progress,
            )
        print(path)
        return 0
    found = [(name, image) for name in options.by for image in highest(scores, name, options.count)]
    if options.json:
        print_json(
            [{"by": name, "image": image.name, "score": image.score} for name, image in found]
        )
        return 0
    for name, image in found:
        by = f"{name}\t" if len(options.by) > 1 else ""
        print(f"{by}{image.score:.6f}\t{shown(image.name)}")
    return 0
