"""Commands that answer from what a run has found: `keep`, `dropped`, `summary`, `export`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from itertools import islice
from pathlib import Path

from pass_dataset.commands.arguments import Commands, command, positive
from pass_dataset.commands.passify.arguments import (
    add_thresholds,
    chosen_thresholds,
)
from pass_dataset.passify.outputs.lists import dropped_images, listed_paths
from pass_dataset.passify.outputs.summary import summarize
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.runs.outcomes import EXCLUDED, OUTCOMES, TARGETS, Thresholds, outcome_of
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder

__all__ = ["add_dropped", "add_export", "add_keep", "add_summary", "print_broken", "print_summary"]

#: Broken images that are named at the end of a run; all are in dropped.parquet.
_MAX_NAMED = 20


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the run")
    add_thresholds(parser, "that of the run")
    parser.add_argument(
        "--exclude",
        type=Path,
        metavar="FILE",
        help="opt-out list: images by path or SHA-256, one a line, that are not to be kept",
    )


def _opened(options: argparse.Namespace) -> tuple[Results, Thresholds, Exclusions | None]:
    results = Results(RunFolder(options.run_folder))
    exclusions = None if options.exclude is None else Exclusions.load(options.exclude)
    return results, chosen_thresholds(options, results.settings.thresholds), exclusions


# --- keep -----------------------------------------------------------------------------------------


def add_keep(commands: Commands) -> None:
    """Adds `passify keep`."""
    parser = command(commands, "keep", "list the images that are kept, at these thresholds")
    _add_common(parser)
    parser.add_argument(
        "-0",
        "--null",
        action="store_true",
        help="end each name with a NUL and escape none, for xargs -0",
    )
    parser.set_defaults(run=_keep)


def _keep(options: argparse.Namespace) -> int:
    from pass_dataset.passify.sources.names import text_to_name

    results, thresholds, exclusions = _opened(options)
    results.require_whole()
    out = sys.stdout.buffer
    for path in listed_paths(results, thresholds, "kept", exclusions):
        out.write(text_to_name(path) + b"\0" if options.null else path.encode() + b"\n")
    out.flush()
    undecided = summarize(results, thresholds, exclusions).count("undecided")
    if undecided:
        print(f"passify: {_undecided(options, thresholds, undecided)}", file=sys.stderr)
    return 1 if undecided else 0


def _undecided(options: argparse.Namespace, thresholds: Thresholds, number: int) -> str:
    folder = shlex.quote(os.fspath(options.run_folder))
    asked = f"{folder} --face {thresholds.face} --person {thresholds.person}"
    return (
        f"{number:,} images are undecided at these thresholds and not kept: they pass the face "
        "detector now, and the run did not look for people where it saw a face.\n"
        f"To look for them: passify fill {asked}\n"
        f"Their names: passify dropped {asked} --outcome undecided"
    )


# --- dropped --------------------------------------------------------------------------------------


def add_dropped(commands: Commands) -> None:
    """Adds `passify dropped`."""
    parser = command(
        commands, "dropped", "list every other image: path, outcome, reason, scores, message"
    )
    _add_common(parser)
    parser.add_argument("--outcome", choices=OUTCOMES[1:], help="only images with this outcome")
    parser.add_argument("--reason", help="only images dropped for this reason")
    parser.set_defaults(run=_dropped)


def _dropped(options: argparse.Namespace) -> int:
    def accept(reason: str) -> bool:
        by_outcome = options.outcome in (None, outcome_of(reason))
        return by_outcome and options.reason in (None, reason)

    results, thresholds, exclusions = _opened(options)
    for image in dropped_images(results, thresholds, accept, exclusions):
        scores = [_score(image.face_max_score), _score(image.person_max_score)]
        message = " ".join((image.message or "").split())
        line = "\t".join([image.path, image.outcome, image.reason, *scores, message])
        sys.stdout.buffer.write(line.encode(errors="backslashreplace") + b"\n")
    sys.stdout.flush()
    return 1 if results.missing_shards else 0


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


# --- summary --------------------------------------------------------------------------------------


def add_summary(commands: Commands) -> None:
    """Adds `passify summary`."""
    parser = command(commands, "summary", "count images by outcome and reason, at these thresholds")
    _add_common(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_summary)


def _summary(options: argparse.Namespace) -> int:
    results, thresholds, exclusions = _opened(options)
    summary = summarize(results, thresholds, exclusions)
    if options.json:
        content = {
            "face": thresholds.face,
            "person": thresholds.person,
            "images": summary.images,
            "missing": summary.missing,
            "outcomes": summary.outcomes,
            "reasons": summary.reasons,
        }
        print(json.dumps(content, indent=1))
    else:
        print_summary(results, thresholds, exclusions)
        undecided = summary.count("undecided")
        if undecided:
            print(_undecided(options, thresholds, undecided), file=sys.stderr)
    return 1 if summary.missing else 0


def print_summary(
    results: Results, thresholds: Thresholds, exclusions: Exclusions | None = None
) -> None:
    """Prints the counts of a run."""
    summary = summarize(results, thresholds, exclusions)
    asked = [f"{target} {getattr(thresholds, target)}" for target in results.settings.targets]
    print(f"{results.settings.source.path}: {summary.images:,} images; {', '.join(asked)}")
    print(f"  {summary.kept:>12,}  kept")
    for reason, number in summary.reasons.items():
        print(f"  {number:>12,}  {outcome_of(reason)}: {reason}")
    if summary.missing:
        print(f"  {summary.missing:>12,}  not done yet")
    for what, number in results.plan.left_out.items():
        print(f"  left out: {number:,} {what}")
    if results.plan.num_unreadable:
        print(f"  could not be listed: {results.plan.num_unreadable:,} folders or files")
        for what in results.plan.unreadable[:10]:
            print(f"    {what}")


def print_broken(results: Results) -> int:
    """Names images that no score speaks against, the first of them; returns how many failed."""

    def is_broken(reason: str) -> bool:
        return outcome_of(reason) != "undecided" and reason not in (*TARGETS, EXCLUDED)

    thresholds = results.settings.thresholds
    broken = dropped_images(results, thresholds, is_broken)
    for image in islice(broken, _MAX_NAMED):
        print(f"  {image.path}: {image.reason}{f' ({image.message})' if image.message else ''}")
    rest = sum(1 for _ in broken)
    if rest:
        folder = shlex.quote(os.fspath(results.folder.path))
        print(f"  and {rest:,} more: passify dropped {folder}")
    return summarize(results, thresholds).count("failed")


# --- export ---------------------------------------------------------------------------------------


def add_export(commands: Commands) -> None:
    """Adds `passify export`."""
    from pass_dataset.passify.outputs.export import EXPORT_KINDS

    parser = command(
        commands, "export", "put the images that are kept in a place of their own; continues if cut"
    )
    _add_common(parser)
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder to fill")
    parser.add_argument("--as", dest="kind", choices=EXPORT_KINDS, required=True, help="how")
    parser.add_argument(
        "--shard-size",
        type=positive,
        default=1000,
        metavar="N",
        help="images in a tar (default: 1000)",
    )
    parser.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    from pass_dataset.passify.outputs.export import Export
    from pass_dataset.progress import on_terminal

    results, thresholds, exclusions = _opened(options)
    export = Export(options.to, options.kind, thresholds, options.shard_size, exclusions)
    with on_terminal() as progress:
        report = export.run(results, progress)
    print(f"{options.to}: {report.images:,} images")
    if report.changed:
        print(
            f"passify: {report.changed:,} images are left out: their files have changed since they "
            "were examined, or are gone",
            file=sys.stderr,
        )
    if report.undecided:
        print(f"passify: {_undecided(options, thresholds, report.undecided)}", file=sys.stderr)
    return 1 if report.changed or report.undecided else 0
