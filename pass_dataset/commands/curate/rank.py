"""`pass-curate rank`: images shown to rankers, whose scores say what people look at first."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import add_json, add_workers, names, positive
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.curate.collections import add_reading
from pass_dataset.commands.curate.step_settings import Option, add_settings, chosen_settings
from pass_dataset.commands.curate.told import print_steps, print_submitted
from pass_dataset.commands.executors import add_executor, chosen_executor
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.passify.arguments import device
from pass_dataset.pages.words import count
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.ranking.settings import RankSettings
    from pass_dataset.curate.ranking.work import RankWork

__all__ = ["add_arguments"]


_OPTIONS = {
    "rankers": Option(
        "who is asked: opennsfw (default), nsfw, text, or others that are installed", "NAMES",
        names,
    ),
    "classes": Option(
        "store classes too, by torchvision:MODEL, timm:MODEL or transformers:MODEL", "MODEL", str
    ),
    "vehicles": Option(
        "with text: look for vehicles, by this detector of passify, where a text is like a number "
        "plate, and put plates on these first: cascade-rcnn, torchvision:MODEL …", "DETECTOR", str
    ),
    "max_pixels": Option("larger images are not decoded", "N", positive),
}  # fmt: skip


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate rank curation/",
        "pass-curate rank curation/ --rankers opennsfw,nsfw,text",
        "pass-curate rank photographs/ --out ranking/",
        "pass-curate rank curation/ --classes torchvision:mobilenet_v3_large",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        type=Path,
        help="folder of a curation; or, with --out, the folder of a run of passify, or what "
        "passify reads: a folder, tars, Parquet, a list, PASS archives",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for the scores of what is no curation"
    )
    add_settings(parser, "rank", _OPTIONS)
    add_reading(parser)
    add_workers(parser)
    parser.add_argument(
        "--device", type=device, help="where classifiers compute: cpu (default), cuda or cuda:N"
    )
    add_executor(parser, gpus=False, status="squeue --me")
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.ranking.settings import RankSettings
    from pass_dataset.curate.ranking.work import RankWork

    settings = chosen_settings(options, RankSettings, "rank")
    work = RankWork(workers=options.workers, device=options.device, rankers=settings.names)
    if options.out is None:
        folder = CurationFolder.existing(options.source)
        return _as_step(options, folder, settings, work)
    return _on_its_own(options, settings, work)


def _as_step(
    options: argparse.Namespace, folder: CurationFolder, settings: RankSettings, work: RankWork
) -> int:
    from pass_dataset.curate.ranking.step import run_rank

    with on_terminal() as progress:
        step = run_rank(
            folder, settings, executor=chosen_executor(options, work), progress=progress
        )
    if step is None:
        print_submitted(as_json=options.json)
        return 0
    if options.json:
        print_steps([step], as_json=True)
        return 0
    photographs = count(step.came, "photograph", "photographs")
    print(f"{step.name}: {photographs} came, all went on; {step.details['ranked']:,} have scores")
    _print_problems(step.details.get("problems", {}))
    return 0


def _on_its_own(options: argparse.Namespace, settings: RankSettings, work: RankWork) -> int:
    from dataclasses import replace

    from pass_dataset.curate.ranking.folder import RankFolder
    from pass_dataset.curate.ranking.run import rank_source
    from pass_dataset.passify.runs.run_folder import RunFolder
    from pass_dataset.passify.sources.opening import SourceSettings

    run = RunFolder(options.source)
    is_run = run.plan_path.is_file() and run.settings_path.is_file()
    source = run if is_run else replace(
        SourceSettings.of(options.source),
        kind=options.kind,
        column=options.image_column,
        name_column=options.name_column,
    )  # fmt: skip
    folder = RankFolder(options.out)
    with on_terminal() as progress:
        report = rank_source(
            folder, source, settings, chosen_executor(options, work), progress=progress
        )
    if report.shards_left:
        print_submitted(as_json=options.json)
        return 0
    if options.json:
        scores = str(folder.scores_path)
        print_json({"images": report.images, "problems": report.problems, "scores": scores})
        return 0
    images = count(report.images, "image", "images")
    ranked = report.images - sum(report.problems.values())
    print(f"{images}: {ranked:,} have scores")
    _print_problems(report.problems)
    print(folder.scores_path)
    return 0


def _print_problems(problems: dict[str, int]) -> None:
    for name, number in problems.items():
        print(f"  {name} {number:,}")
