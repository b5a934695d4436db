"""`pass-curate duplicates`: duplicates in collections, or among the photographs of a curation."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pass_dataset.commands.arguments import add_json, add_workers
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.curate.collections import add_reading, listed
from pass_dataset.commands.curate.spreading import add_device, describing, device_here
from pass_dataset.commands.curate.step_settings import Option, add_settings, chosen_settings
from pass_dataset.commands.curate.told import print_steps, print_submitted
from pass_dataset.commands.executors import add_executor, chosen_executor
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import count
from pass_dataset.progress import on_terminal

__all__ = ["add_arguments"]

_OPTIONS = {
    "radius": Option(
        "bits of 256 in which hashes of near images differ at most (default 31; -1: near images "
        "are not looked for)",
        type=int,
    ),
    "keep": Option(
        "which image of a group stays: largest, oldest (by its number at Flickr), first "
        "(default largest)",
        "RULE",
        str,
    ),
    "crops": Option(
        "look for parts of images, turned and overlaid ones too, with SSCD's weights "
        "(sscd_disc_mixup.torchvision.pt)",
        "WEIGHTS",
        str,
    ),
    "crops_sha256": Option("SHA-256 that the weights must have", "DIGEST", str),
    "crop_cosine": Option(
        "cosine that descriptors of crops have at least (default 0.75)", "X", float
    ),
}


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate duplicates photographs/ --out duplicates/",
        "pass-curate duplicates a/ b.tar --out duplicates/ --against coco.hashes",
        "pass-curate duplicates curation/ --coco instances_train2017.json",
        "pass-curate duplicates photographs/ --out duplicates/ --executor slurm",
        "pass-curate duplicates photographs/ --out duplicates/ --crops "
        "sscd_disc_mixup.torchvision.pt",
    )
    parser.add_argument(
        "sources",
        metavar="SOURCE",
        nargs="+",
        type=Path,
        help="collections that passify reads; or, without --out, the folder of a curation",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the results; hashes are kept there too, so that a later run makes only "
        "those of new images",
    )
    add_settings(parser, "duplicates", _OPTIONS)
    add_device(parser)
    for name, text in (
        ("against", "index of hashes of another set, as pass-curate hash makes it"),
        ("coco", "annotations of COCO (instances_train2017.json): its images by identity"),
    ):
        parser.add_argument(
            f"--{name}",
            dest=f"setting_{name}",
            action="append",
            metavar="FILE",
            help=f"{text}; may be given again",
        )
    parser.add_argument(
        "--as-published",
        dest="setting_as_published",
        action="store_const",
        const=True,
        help="by the rule of the tool that the paper used, for comparison",
    )
    add_reading(parser)
    parser.add_argument(
        "--no-report", action="store_true", help="do not write the page with pairs side by side"
    )
    parser.add_argument(
        "--filter-run",
        type=Path,
        metavar="RUN",
        help="a run of passify over a source: what it found is blurred in the report",
    )
    add_workers(parser)
    add_executor(parser, gpus=False, status="squeue --me")
    add_json(parser)

    def check(options: argparse.Namespace) -> None:
        if options.out is None and len(options.sources) > 1:
            parser.error("several sources need --out DIR")

    parser.checks.append(check)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.duplicates.finding import DuplicatesSettings

    settings = chosen_settings(options, DuplicatesSettings, "duplicates")
    if options.out is None:
        return _as_step(options, settings)
    return _on_its_own(options, settings)


def _as_step(options: argparse.Namespace, settings: Any) -> int:
    from pass_dataset.curate.duplicates.hash_work import Hashing
    from pass_dataset.curate.duplicates.step import run_duplicates
    from pass_dataset.curate.folder import CurationFolder

    folder = CurationFolder.existing(options.sources[0])
    executor = chosen_executor(options, Hashing(workers=options.workers))
    with on_terminal() as progress:
        step = run_duplicates(
            folder,
            settings,
            executor=executor,
            describing=describing(options, settings),
            device=device_here(options),
            progress=progress,
        )
    if step is None:
        print_submitted(as_json=options.json)
        return 0
    print_steps([step], as_json=options.json)
    return 0


def _on_its_own(options: argparse.Namespace, settings: Any) -> int:
    from pass_dataset.curate.duplicates.finding import find_duplicates
    from pass_dataset.curate.duplicates.hash_work import Hashing
    from pass_dataset.curate.duplicates.other_sets import other_sets
    from pass_dataset.curate.duplicates.results import save_results

    against = other_sets(settings)
    executor = chosen_executor(options, Hashing(workers=options.workers))
    out: Path = options.out
    with on_terminal() as progress:
        listings = [
            listed(path, name, options, progress)
            for path, name in zip(options.sources, _names(options.sources), strict=True)
        ]
        duplicates = find_duplicates(
            listings,
            out / "hashes",
            settings,
            against,
            executor=executor,
            describing=describing(options, settings),
            device=device_here(options),
            progress=progress,
        )
        if duplicates is None:
            print_submitted(as_json=options.json)
            return 0
        summary = save_results(duplicates, out)
        report = None
        if not options.no_report:
            from pass_dataset.curate.duplicates.report.document import write_report

            report = write_report(duplicates, out, run=options.filter_run, progress=progress)
    if options.json:
        print_json({"folder": str(out), **summary})
    else:
        _print(summary)
        print(out if report is None else report)
    return 1 if any(listing.unlisted for listing in listings) else 0


def _print(summary: dict[str, Any]) -> None:
    print(
        f"{count(summary['images'], 'image', 'images')}: {summary['kept']:,} stay, "
        f"{summary['dropped']:,} are duplicates, {summary['broken']:,} are broken"
    )
    for cause, number in summary["causes"].items():
        print(f"  {cause} {number:,}")
    for row in summary["pairs"]:
        pairs = count(row["pairs"], "pair", "pairs")
        print(f"  {row['source']} – {row['other_source']}: {row['tier']} {pairs}")


def _names(paths: list[Path]) -> list[str]:
    """What sources are called: their last names, with as much before as tells them apart."""
    parts = [path.absolute().parts for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(one[-length:]) for one in parts]
        if len(set(names)) == len(names):
            break
    return names
