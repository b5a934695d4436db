"""`passify verify`: what the published filter would drop of PASS today.

Exit codes: 0 every image was examined, whatever was found, or will be (`--no-wait`); 1 an error,
images that could not be examined, or more found than `--fail-over` allows.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import add_archives, add_json, add_release, positive
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.executors import add_executor, chosen_executor
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.commands.passify.arguments import (
    add_execution,
    add_thresholds,
    chosen_execution,
    chosen_thresholds,
    score,
)
from pass_dataset.commands.passify.results import print_left
from pass_dataset.commands.passify.settings import add_detectors, chosen_detectors
from pass_dataset.pages.words import count
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.progress import on_terminal
from pass_dataset.releases.release import Release

if TYPE_CHECKING:
    from pass_dataset.passify.audit.findings import Findings

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "passify verify /data/pass --sample 10000",
    )
    add_archives(parser, "archive folder", first=True)
    add_release(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for run, lists and report (default: passify-verify-… in the working folder)",
    )
    parser.add_argument(
        "--sample", type=positive, metavar="N", help="look at N images, drawn at random"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default 0)")
    add_detectors(parser)
    add_thresholds(parser, "0.5")
    parser.add_argument(
        "--fail-over",
        type=score,
        metavar="SHARE",
        help="exit 1 if more than this share (0 to 1) of the images would be dropped",
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="begin anew with images that failed"
    )
    add_json(parser)
    add_execution(parser)
    add_executor(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.archives.records import PassArchive
    from pass_dataset.folders.archive_folder import ArchiveFolder
    from pass_dataset.passify.audit.findings import list_findings, write_scores
    from pass_dataset.passify.audit.release_runs import ReleaseRun, draw_sample, run_on_release
    from pass_dataset.passify.report.document import write_report

    archives = ArchiveFolder.open(options.archives, options.release)
    release = archives.release
    execution = chosen_execution(options)
    executor = chosen_executor(options, execution)
    thresholds = chosen_thresholds(options, Thresholds())
    with on_terminal() as progress:
        archive = PassArchive(archives, progress=progress)
        drawn = options.sample is not None and options.sample < len(archive)
        run = ReleaseRun(options.out or _default_out(release, options.sample, options.seed))
        results = run_on_release(
            archive,
            run,
            detectors=chosen_detectors(options, execution),
            executor=executor,
            hashes=draw_sample(archive, options.sample, options.seed) if drawn else None,
            retry_failed=options.retry_failed,
            progress=progress,
        )
        if results.missing_shards:
            print_left(run.folder.path, results.missing_shards)
            return 0
        findings = list_findings(results, len(archive), thresholds)
        write_scores(results, thresholds, run.flagged_paths, only_flagged=True)
        write_report(results, thresholds=thresholds, out=run.report_path, progress=progress)
    tars = archive.summary.tars
    missing = [file.filename for file in release.tars if file.filename not in tars]
    if options.json:
        print_json(_json(release, findings, missing, options.seed))
    else:
        _print_findings(release, findings, options.seed)
        for path in (*run.flagged_paths, run.report_path):
            print(path)
    if missing:
        print(f"passify: not here, and not looked at: {', '.join(missing)}", file=sys.stderr)
    if findings.failed:
        failed = count(findings.failed, "image", "images")
        print(
            f"passify: {failed} could not be examined; flagged.csv names them. pass-dataset "
            "verify tells whether the archives are whole; --retry-failed tries again",
            file=sys.stderr,
        )
    too_many = options.fail_over is not None and findings.share > options.fail_over
    return 1 if findings.failed or too_many else 0


def _default_out(release: Release, sample: int | None, seed: int) -> Path:
    drawn = "" if sample is None else f"-sample-{sample}-seed-{seed}"
    return Path(f"passify-verify-{release.name}-{release.version}{drawn}")


def _print_findings(release: Release, findings: Findings, seed: int) -> None:
    which = f"a sample of {findings.images:,}, seed {seed}" if findings.is_sample else "all"
    thresholds = findings.thresholds
    print(
        f"{release.label}: {count(findings.examined, 'image', 'images')} examined ({which}); "
        f"face over {thresholds.face:g}, person from {thresholds.person:g}"
    )
    for reason, number in findings.reasons.items():
        print(f"  {number:>12,}  would be dropped: {reason}")
    print(f"  {findings.flagged:>12,}  in all: {findings.share:.4%}")
    if findings.is_sample:
        low, high = findings.bounds
        print(
            f"Of the release, with 95 % confidence: {low:.4%} to {high:.4%}, "
            f"{int(low * findings.images):,} to {int(high * findings.images) + 1:,} images"
        )


def _json(release: Release, findings: Findings, missing: list[str], seed: int) -> dict[str, object]:
    low, high = findings.bounds
    return {
        "release": release.label,
        "images": findings.images,
        "examined": findings.examined,
        "seed": seed if findings.is_sample else None,
        "failed": findings.failed,
        "face": findings.thresholds.face,
        "person": findings.thresholds.person,
        "flagged": findings.flagged,
        "reasons": findings.reasons,
        "share": findings.share,
        "share_low_95": low,
        "share_high_95": high,
        "missing_tars": missing,
    }
