"""What the commands share that read the results of a run, or end with them."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.passify.arguments import add_thresholds, chosen_thresholds
from pass_dataset.errors import PassDatasetError
from pass_dataset.pages.words import count
from pass_dataset.passify.runs.outcomes import EXCLUDED, TARGETS, Thresholds, outcome_of
from pass_dataset.shown import shown

if TYPE_CHECKING:
    from pass_dataset.passify.runs.exclusions import Exclusions
    from pass_dataset.passify.runs.plan import Plan
    from pass_dataset.passify.runs.results import Results

__all__ = [
    "add_results",
    "add_strict",
    "chosen_exclusions",
    "chosen_results",
    "print_broken",
    "print_left",
    "print_summary",
    "summary_json",
    "tell_unmatched",
    "undecided_text",
    "warn_unlisted",
]

#: Broken images that are named at the end of a run; all are in dropped.parquet.
_MAX_NAMED = 20


def add_results(parser: argparse.ArgumentParser) -> None:
    """Adds which run, at which thresholds, without which images."""
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the run")
    add_thresholds(parser, "that of the run")
    parser.add_argument(
        "--exclude",
        type=Path,
        metavar="FILE",
        help="opt-out list: images by path or SHA-256, one a line, that are not to be kept",
    )
    add_strict(parser)


def add_strict(parser: argparse.ArgumentParser) -> None:
    """Adds what becomes of an opt-out list of which lines name no image."""
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse an opt-out list with lines that name no image (default: name them)",
    )


def chosen_results(
    options: argparse.Namespace,
) -> tuple[Results, Thresholds, Exclusions | None]:
    """What `add_results` was told."""
    from pass_dataset.passify.runs.results import Results
    from pass_dataset.passify.runs.run_folder import RunFolder

    results = Results(RunFolder(options.run_folder))
    exclusions = chosen_exclusions(options, results)
    return results, chosen_thresholds(options, results.settings.thresholds), exclusions


def chosen_exclusions(options: argparse.Namespace, results: Results) -> Exclusions | None:
    """The opt-out list that a command was given; says which of its lines name no image.

    Raises:
      PassDatasetError: it cannot be read; or, if asked to be strict, has such lines.
    """
    from pass_dataset.passify.runs.exclusions import Exclusions
    from pass_dataset.passify.sources.path_forms import form_of

    if options.exclude is None:
        return None
    exclusions = Exclusions.load(options.exclude, form_of(results.settings.source))
    tell_unmatched(results, exclusions, strict=options.strict)
    return exclusions


def tell_unmatched(results: Results, exclusions: Exclusions, *, strict: bool = False) -> None:
    """Names the lines of an opt-out list that name no image, once all images are known.

    Raises:
      PassDatasetError: there are such lines, or it cannot be told yet, and `strict` is true.
    """
    from pass_dataset.passify.outputs.unmatched import unmatched_lines, unmatched_text

    if strict:
        results.require_whole()
    if results.missing_shards:
        return
    left = unmatched_lines(results, exclusions)
    if left and strict:
        raise PassDatasetError(unmatched_text(exclusions, left))
    if left:
        print(f"passify: {unmatched_text(exclusions, left)}", file=sys.stderr)


def undecided_text(options: argparse.Namespace, thresholds: Thresholds, number: int) -> str:
    """Why images are undecided, and what to do about them."""
    folder = shlex.quote(os.fspath(options.run_folder))
    asked = f"{folder} --face {thresholds.face} --person {thresholds.person}"
    return (
        f"{count(number, 'image is', 'images are')} undecided at these thresholds and not kept: "
        "they pass the face detector now, and the run did not look for people where it saw a "
        "face.\n"
        f"To look for them: passify fill {asked}\n"
        f"Their names: passify dropped {asked} --outcome undecided"
    )


def print_summary(
    results: Results, thresholds: Thresholds, exclusions: Exclusions | None = None
) -> None:
    """Prints the counts of a run."""
    from pass_dataset.passify.outputs.summary import summarize

    summary = summarize(results, thresholds, exclusions)
    asked = [f"{target} {getattr(thresholds, target)}" for target in results.settings.targets]
    asked = asked or ["no detectors"]
    images = count(summary.images, "image", "images")
    print(f"{results.settings.source.path}: {images}; {', '.join(asked)}")
    print(f"  {summary.kept:>12,}  kept")
    for reason, number in summary.reasons.items():
        print(f"  {number:>12,}  {outcome_of(reason)}: {reason}")
    if summary.missing:
        print(f"  {summary.missing:>12,}  not done yet")
    for what, number in results.plan.left_out.items():
        print(f"  left out: {number:,} {what}")
    if results.plan.num_unreadable:
        unreadable = count(results.plan.num_unreadable, "folder or file", "folders or files")
        print(f"  could not be listed: {unreadable}")
        for what in results.plan.unreadable[:10]:
            print(f"    {what}")


def summary_json(
    results: Results, thresholds: Thresholds, exclusions: Exclusions | None = None
) -> dict[str, object]:
    """The counts of a run, for programs."""
    from pass_dataset.passify.outputs.summary import summarize

    summary = summarize(results, thresholds, exclusions)
    return {
        "face": thresholds.face,
        "person": thresholds.person,
        "images": summary.images,
        "missing": summary.missing,
        "outcomes": summary.outcomes,
        "reasons": summary.reasons,
    }


def print_broken(results: Results) -> int:
    """Names images that no score speaks against, the first of them; returns how many failed."""
    from pass_dataset.passify.outputs.lists import dropped_images
    from pass_dataset.passify.outputs.summary import summarize

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


def warn_unlisted(plan: Plan) -> None:
    """Says that a run is not of all images, which is why the exit code is 1."""
    print(
        f"passify: {count(plan.num_unreadable, 'folder or file', 'folders or files')} could not be "
        "listed, such as "
        f"{shown(plan.unreadable[0])}. Their images are not in this run; mend that and begin a "
        "new one with another --out",
        file=sys.stderr,
    )


def print_left(folder: Path, shards: int, *, as_json: bool = False) -> None:
    """Says how a run goes on whose shards are left to others."""
    if as_json:
        print_json({"folder": str(folder), "shards_left": shards})
        return
    place = shlex.quote(os.fspath(folder))
    print(
        f"{shards:,} {'shard is' if shards == 1 else 'shards are'} submitted. "
        f"passify status {place} says how far they are; when they are done, "
        "the same command again ends the run"
    )
