"""`pass-curate review`: people look at images, on a page of this machine."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pass_dataset.commands.arguments import RELEASE_HELP, add_json, number, positive
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.errors import CurationError
from pass_dataset.pages.words import count
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    from pass_dataset.curate.review.folder import ReviewFolder
    from pass_dataset.curate.review.settings import ReviewSettings

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate review curation/",
        "pass-curate review photographs/ --out review/",
        "pass-curate review run/ --out review/ --queue risk:face_score --gold-bad found-later/",
        "pass-curate review curation/ --queue flagged",
        "pass-curate review curation/ --status",
        "pass-curate review curation/ --finish",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        type=Path,
        help="a curation, a run of passify, a PASS archive folder, or anything that passify reads",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="REVIEW",
        help="folder of the review (of a curation: work/review in it)",
    )
    parser.add_argument(
        "--queue",
        default="all",
        help="what is looked at: all, risk, risk:SCORE, sample:N, sample:N:SCORE, flagged (a "
        "second look), or disagreements (default: all)",
    )
    parser.add_argument(
        "--release",
        help=f"what a PASS archive folder holds: {RELEASE_HELP} (default: told from it)",
    )
    _add_settings(parser)
    _add_serving(parser)
    _add_answers(parser)
    parser.set_defaults(run=_run)


def _add_settings(parser: CommandParser) -> None:
    group = parser.add_argument_group("settings, which stay as the review was begun with them")
    group.add_argument("--settings", type=Path, metavar="FILE", help="TOML with a table [review]")
    group.add_argument("--seed", type=number, metavar="SEED", help="of orders and shares")
    group.add_argument(
        "--flag",
        action="append",
        metavar="NAME=KEY",
        help="a flag and its key; given again, all flags there are (default: person=1, …)",
    )
    group.add_argument(
        "--block", type=positive, metavar="N", help="images a reviewer takes at once"
    )
    group.add_argument("--overlap", type=float, metavar="SHARE", help="of blocks that several see")
    group.add_argument("--looks", type=positive, metavar="N", help="how many see those (default 2)")
    group.add_argument("--gold", type=float, metavar="SHARE", help="of known images (default 0.02)")
    group.add_argument(
        "--gold-bad", type=Path, metavar="SOURCE", help="known images that must be flagged"
    )
    group.add_argument("--gold-good", type=Path, metavar="SOURCE", help="known images that are OK")
    group.add_argument(
        "--unseen",
        choices=("refuse", "keep", "drop"),
        help="what becomes of images that nobody looked at (default: refuse)",
    )


def _add_serving(parser: CommandParser) -> None:
    group = parser.add_argument_group("the page")
    group.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at; any but this machine's own is a risk, and is warned of",
    )
    group.add_argument("--port", type=number, help="(default 8717; 0: any that is free)")
    group.add_argument(
        "--host-name",
        action="append",
        default=[],
        metavar="HOST",
        help="another name that browsers call this machine by",
    )
    group.add_argument(
        "--workers", type=positive, metavar="N", help="processes that make thumbnails"
    )
    group.add_argument(
        "--cache-mb", type=positive, default=4096, metavar="MB", help="thumbnails kept (4096)"
    )


def _add_answers(parser: CommandParser) -> None:
    group = parser.add_argument_group("in place of the page")
    what = group.add_mutually_exclusive_group()
    what.add_argument("--status", action="store_true", help="say how far it is")
    what.add_argument(
        "--finish",
        action="store_true",
        help="write the answer: lists and a receipt; of a curation, the step in its ledger",
    )
    what.add_argument("--decisions", type=Path, metavar="FILE", help="write all decisions as CSV")
    what.add_argument(
        "--give-back", metavar="REVIEWER", help="give blocks back that a reviewer did not begin"
    )
    what.add_argument(
        "--to-via", type=Path, metavar="DIR", help="write the queue as projects of VIA 2"
    )
    what.add_argument("--to-via3", type=Path, metavar="DIR", help="the same for VIA 3")
    what.add_argument(
        "--to-label-studio", type=Path, metavar="DIR", help="the same as tasks of Label Studio"
    )
    what.add_argument(
        "--take-in",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="take decisions in from files of VIA (JSON, CSV) or Label Studio",
    )
    group.add_argument("--reviewer", help="whose decisions are taken in")
    add_json(parser)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.review.listing import Gold, begin_review

    folder = _folder(options)
    settings = _settings(options, folder)
    with on_terminal() as progress:
        begin_review(
            folder,
            options.source,
            settings,
            Gold(options.gold_bad, options.gold_good),
            release=options.release,
            progress=progress,
        )
    if options.status:
        return _status(options, folder)
    if options.finish:
        return _finish(options, folder)
    if options.decisions is not None:
        return _decisions(options, folder)
    if options.give_back is not None:
        return _give_back(options, folder)
    for tool in ("via", "via3", "label_studio"):
        if getattr(options, f"to_{tool}") is not None:
            return _write_projects(options, folder, tool, getattr(options, f"to_{tool}"))
    if options.take_in is not None:
        return _take_in(options, folder)
    return _serve(options, folder)


def _folder(options: argparse.Namespace) -> ReviewFolder:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.review.folder import ReviewFolder

    curation = CurationFolder(options.source)
    if options.out is not None:
        return ReviewFolder(options.out)
    if not curation.ledger_path.is_dir():
        options.parser.error("name the folder of the review: --out REVIEW")
    return ReviewFolder(curation.work_path("review"))


def _settings(options: argparse.Namespace, folder: ReviewFolder) -> ReviewSettings:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.review.record import load_record
    from pass_dataset.curate.review.settings import ReviewSettings
    from pass_dataset.curate.settings import as_content, load_settings, section

    content: dict[str, Any] = {}
    path = options.settings
    if folder.is_begun:
        # What is not said is as it was.
        content = as_content(load_record(folder).settings)
    elif path is None:
        # What `pass-curate run` was told, for the curation's own review.
        curation = CurationFolder(options.source)
        is_own = folder.path == curation.work_path("review")
        path = curation.settings_path if is_own and curation.settings_path.is_file() else None
    if path is not None:
        content |= load_settings(path).get("review", {})
    for name in ("seed", "block", "overlap", "looks", "gold", "unseen"):
        if getattr(options, name) is not None:
            content[name] = getattr(options, name)
    if options.flag is not None:
        pairs = [text.partition("=") for text in options.flag]
        content["flags"] = {name: key for name, _, key in pairs}
    return section(ReviewSettings, content, "review" if path is None else f"{path} [review]")


def _serve(options: argparse.Namespace, folder: ReviewFolder) -> int:
    from pass_dataset.curate.review.serving import DEFAULT_PORT, Address, serve
    from pass_dataset.workers.cores import available_cores

    port = DEFAULT_PORT if options.port is None else options.port
    try:
        for link in serve(
            folder,
            options.queue,
            Address(options.host, port),
            workers=options.workers or max(1, available_cores() - 1),
            cache_bytes=options.cache_mb << 20,
            names=tuple(options.host_name),
        ):
            print(f"{link}\nOpen this link. Ctrl+C ends the server; every decision is kept.")
            sys.stdout.flush()
    except KeyboardInterrupt:
        pass
    return 0


def _status(options: argparse.Namespace, folder: ReviewFolder) -> int:
    from pass_dataset.curate.review.verdicts import collect

    verdicts = collect(folder)
    if options.json:
        print_json(verdicts.receipt())
    else:
        print("\n".join(verdicts.lines()))
    return 0 if verdicts.is_whole else 1


def _finish(options: argparse.Namespace, folder: ReviewFolder) -> int:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.review.step import is_later_look, run_review
    from pass_dataset.curate.review.verdicts import collect, write_answer

    verdicts = collect(folder)
    curation = CurationFolder(options.source)
    is_curation = curation.ledger_path.is_dir()
    is_later = is_curation and is_later_look(curation, verdicts.record)
    if is_curation and not is_later:
        with on_terminal() as progress:
            run_review(curation, verdicts, progress=progress)
    write_answer(folder, verdicts)
    if options.json:
        print_json(verdicts.receipt())
    else:
        print("\n".join(verdicts.lines()))
        print(f"{folder.kept_path}\n{folder.removals_path}\n{folder.receipt_path}")
        if is_later:
            print(
                f"{curation.path}: its review is done and stays; {folder.removals_path.name} is "
                "for pass-curate release --exclude"
            )
    return 0


def _decisions(options: argparse.Namespace, folder: ReviewFolder) -> int:
    from pass_dataset.curate.review.verdicts import collect, write_decisions

    rows = write_decisions(collect(folder), options.decisions)
    print(f"{options.decisions}: {count(rows, 'decision', 'decisions')}")
    return 0


def _give_back(options: argparse.Namespace, folder: ReviewFolder) -> int:
    from pass_dataset.curate.review.serving import open_desk

    with open_desk(folder) as desk:
        given = desk.give_back(options.give_back)
    print(f"{options.give_back}: {count(given, 'block', 'blocks')} given back")
    return 0


def _write_projects(options: argparse.Namespace, folder: ReviewFolder, tool: str, out: Path) -> int:
    from pass_dataset.curate.review.projects import write_projects

    files = write_projects(folder, options.queue, tool, out)
    print(f"{out}: {count(len(files), 'project', 'projects')}, such as {os.fspath(files[0].name)}")
    return 0


def _take_in(options: argparse.Namespace, folder: ReviewFolder) -> int:
    from pass_dataset.curate.review.projects import take_in

    if options.reviewer is None:
        raise CurationError("whose decisions are these? --reviewer NAME says it")
    for path in options.take_in:
        taken = take_in(folder, path, options.reviewer, options.queue)
        print(
            f"{path}: {count(taken.images, 'image', 'images')} taken in, "
            f"{count(taken.flagged, 'flag', 'flags')}"
        )
        if taken.unknown:
            print(f"{path}: {count(taken.unknown, 'image is', 'images are')} none of this review")
    return 0
