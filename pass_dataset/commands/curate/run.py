"""`pass-curate run`: a whole curation by one settings file."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import add_json, add_workers
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.curate.spreading import add_failed, spread
from pass_dataset.commands.curate.told import print_released, print_step, released_content
from pass_dataset.commands.executors import add_executor
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    from pass_dataset.curate.program.plan import Plan
    from pass_dataset.curate.release.writing import Released

__all__ = ["WAITS", "add_arguments"]

#: Exit code where a step waits for people, or for others.
WAITS = 3


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate run settings.toml --out curation/",
        "pass-curate run --profile pass-2021 yfcc100m_dataset.bz2 --out curation/",
        "pass-curate run settings.toml --out curation/ --executor slurm --slurm-partition cpu",
        "",
        "The same command goes on where it was. It stops with exit code 3 at a step that people",
        "do (review), and says how to go on.",
    )
    parser.add_argument(
        "sources",
        metavar="SETTINGS|METADATA",
        nargs="*",
        help="settings as TOML, and metadata in place of theirs; with --profile metadata alone",
    )
    parser.add_argument(
        "--profile", metavar="NAME", help="settings that ship: pass-curate profiles"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="CURATION", help="folder of the curation"
    )
    parser.add_argument(
        "--release-dir",
        type=Path,
        metavar="DIR",
        help="folder of the release (default: CURATION/release)",
    )
    parser.add_argument(
        "--exclude",
        type=Path,
        metavar="FILE",
        help="opt-out list: photographs that the filter does not look at, and the release leaves "
        "out; it may grow, and the filter keeps what it began with",
    )
    parser.add_argument(
        "--strict", action="store_true", help="refuse metadata with rows that cannot be used"
    )
    parser.add_argument(
        "--accept-failures",
        action="store_true",
        help="give up what cannot be had after all tries, with its cause in the ledger",
    )
    add_failed(parser)
    add_workers(parser)
    add_executor(parser, status="pass-curate status CURATION")

    def check(options: argparse.Namespace) -> None:
        if options.profile is None and not options.sources:
            parser.error("give settings as TOML, or --profile NAME and metadata")

    parser.checks.append(check)
    add_json(parser)
    parser.set_defaults(run=_run)


def _plan(options: argparse.Namespace) -> Plan:
    from pass_dataset.curate.profiles.profile import open_profile
    from pass_dataset.curate.program.plan import read_plan
    from pass_dataset.curate.settings import read_settings_text

    if options.profile is not None:
        text, where = open_profile(options.profile).text, f"profile {options.profile}"
        return read_plan(text, where, Path.cwd(), options.sources)
    path = Path(options.sources[0])
    return read_plan(read_settings_text(path), str(path), path.parent, options.sources[1:])


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.archives.removals import RemovalList, read_removals
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.profiles.profile import published_in
    from pass_dataset.curate.program.running import Circumstances, Waits, run_plan
    from pass_dataset.curate.step_record import StepRecord

    plan = _plan(options)
    folder = CurationFolder(options.out)
    circumstances = Circumstances(
        metadata=plan.metadata,
        out=options.release_dir or folder.path / "release",
        exclude=read_removals(options.exclude) if options.exclude else RemovalList(),
        opt_outs=options.exclude,
        published=published_in(plan.text, plan.where),
        strict=options.strict,
        accept_failures=options.accept_failures,
        retry_failed=options.retry_failed,
        give_up_failed=options.give_up_failed,
        workers=options.workers,
        executor_of=spread(options, folder),
    )
    steps: list[StepRecord] = []
    waits: Waits | None = None
    released: Released | None = None
    with on_terminal() as progress:
        for done in run_plan(folder, plan, circumstances, progress=progress):
            if isinstance(done, Waits):
                waits = done
            elif isinstance(done, StepRecord):
                steps.append(done)
                if not options.json:
                    print_step(done)
            else:
                released = done
    if options.json:
        print_json(
            {
                "steps": [asdict(step) for step in steps],
                "waits": None if waits is None else waits.step,
                "release": None if released is None else released_content(released),
            }
        )
    elif waits is not None:
        print(f"{waits.step} waits: {waits.how}")
        print("When it is done, the same command goes on.")
    elif released is not None:
        print_released(released)
    return 0 if waits is None else WAITS
