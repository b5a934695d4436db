#!/usr/bin/env python3
"""PASS seen by its own filter, and what the images scored that a later release no longer has.

    python scripts/examples/reproduce_filtering.py /data/pass/1.0.0 /data/pass/3.0.0 --out filtering

runs both detectors on the later release (all of it, or `--sample N`), as `passify verify` does, and
on every image that the earlier one has and the later one has not. A high share of removed images
with scores under the thresholds is what the filter alone had missed, and humans found.

Leaves in OUT:

    later/                  as `passify verify` leaves it, with flagged.csv and report.html
    removed/scores.csv      every removed image, with its scores; scores.parquet the same
    removed/report.html     the report on them

Interrupt it any way you like; the same command continues. Exit code 0: every image was examined, or
will be (`--no-wait`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pass_dataset import PassArchive
from pass_dataset.commands.arguments import RELEASE_HELP, positive
from pass_dataset.commands.executors import add_executor, chosen_executor
from pass_dataset.commands.passify.arguments import (
    add_execution,
    add_thresholds,
    chosen_execution,
    chosen_thresholds,
)
from pass_dataset.commands.passify.results import print_left
from pass_dataset.commands.passify.settings import add_detectors, chosen_detectors
from pass_dataset.errors import PassDatasetError
from pass_dataset.passify.audit.comparison import Comparison, compare_scores, removed_hashes
from pass_dataset.passify.audit.findings import Findings, list_findings, write_scores
from pass_dataset.passify.audit.release_runs import ReleaseRun, draw_sample, run_on_release
from pass_dataset.passify.report.document import write_report
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.progress import on_terminal


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the script; returns its exit code."""
    options = _parser().parse_args(argv)
    try:
        return _reproduce(options)
    except PassDatasetError as error:
        print(f"reproduce_filtering.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nreproduce_filtering.py: interrupted; the same command goes on", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="reproduce_filtering.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in ("earlier", "later"):
        parser.add_argument(name, metavar=name.upper(), type=Path, help="archive folder")
        parser.add_argument(
            f"--{name}-release", help=f"{RELEASE_HELP} (default: told from the folder)"
        )
    parser.add_argument("--out", type=Path, required=True, metavar="OUT", help="folder to write")
    parser.add_argument(
        "--sample", type=positive, metavar="N", help="look at N images of the later release"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default 0)")
    add_detectors(parser)
    add_thresholds(parser, "0.5")
    add_execution(parser)
    add_executor(parser)
    return parser


def _reproduce(options: argparse.Namespace) -> int:
    execution = chosen_execution(options)
    thresholds = chosen_thresholds(options, Thresholds())
    executor = chosen_executor(options, execution)
    detectors = chosen_detectors(options, execution)
    runs = {name: ReleaseRun(options.out / name) for name in ("removed", "later")}
    with on_terminal() as progress:
        earlier, later = (
            PassArchive(folder, release, progress=progress)
            for folder, release in (
                (options.earlier, options.earlier_release),
                (options.later, options.later_release),
            )
        )
        gone = removed_hashes(earlier, later)
        if not gone:
            raise PassDatasetError(
                f"{later.release.label} has every image of {earlier.release.label}: there is "
                "nothing to compare. The earlier release comes first"
            )
        drawn = options.sample is not None and options.sample < len(later)
        hashes = {
            "removed": gone,
            "later": draw_sample(later, options.sample, options.seed) if drawn else None,
        }
        # The removed images first: they are few, and what one wants to know.
        results = {
            name: run_on_release(
                {"removed": earlier, "later": later}[name],
                run,
                detectors=detectors,
                executor=executor,
                hashes=hashes[name],
                progress=progress,
            )
            for name, run in runs.items()
        }
        left = {name: n for name, found in results.items() if (n := found.missing_shards)}
        for name, shards in left.items():
            print_left(runs[name].folder.path, shards)
        if left:
            return 0
        for name, run in runs.items():
            write_report(
                results[name], thresholds=thresholds, out=run.report_path, progress=progress
            )
    write_scores(results["removed"], thresholds, runs["removed"].scores_paths, only_flagged=False)
    write_scores(results["later"], thresholds, runs["later"].flagged_paths, only_flagged=True)
    removed = list_findings(results["removed"], len(gone), thresholds)
    stayed = list_findings(results["later"], len(later), thresholds)
    _print_counts(earlier, later, removed, stayed)
    _print_comparison(compare_scores(results["removed"], results["later"]))
    for path in (
        *runs["removed"].scores_paths,
        *runs["later"].flagged_paths,
        *(run.report_path for run in runs.values()),
    ):
        print(path)
    failed = removed.failed + stayed.failed
    if failed:
        print(f"{failed:,} images could not be examined; the lists name them", file=sys.stderr)
    return 1 if failed else 0


def _print_counts(
    earlier: PassArchive, later: PassArchive, removed: Findings, stayed: Findings
) -> None:
    added = len(later) - (len(earlier) - removed.images)
    print(f"{earlier.release.label}: {len(earlier):,} images")
    print(f"{later.release.label}: {len(later):,} images, {removed.images:,} fewer, {added:,} new")
    print(
        f"Of the removed, the filter would drop {removed.flagged:,} today ({removed.share:.2%}): "
        f"{_reasons(removed)}"
    )
    low, high = stayed.bounds
    bounds = f", with 95 % confidence {low:.2%} to {high:.2%}" if stayed.is_sample else ""
    print(
        f"Of {stayed.examined:,} that stayed: {stayed.flagged:,} ({stayed.share:.2%}{bounds}): "
        f"{_reasons(stayed)}"
    )


def _reasons(findings: Findings) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in findings.reasons.items()) or "none"


def _print_comparison(found: Comparison) -> None:
    print(f"\n{'':>9}  {f'removed ({found.removed:,})':>26}  {f'stayed ({found.stayed:,})':>26}")
    print(f"{'score':>9}" + 2 * f"  {'face':>8} {'person':>8} {'either':>8}")
    for gone, stayed in zip(found.removed_counts, found.stayed_counts, strict=True):
        columns = [
            "  " + " ".join(f"{number / max(1, n):8.2%}" for number in (c.face, c.person, c.either))
            for c, n in ((gone, found.removed), (stayed, found.stayed))
        ]
        print(f"{f'over {gone.threshold:g}':>9}{''.join(columns)}")
    print()


if __name__ == "__main__":
    sys.exit(main())
