"""`pass-curate audit`: what a look at some images proves, and how many to look at."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pass_dataset.commands.arguments import add_json, number, positive
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.pages.words import count

if TYPE_CHECKING:
    from pass_dataset.curate.audit.strata import Estimate

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-curate audit --found 2 --checked 2000",
        "pass-curate audit --claim 0.1%",
        "pass-curate audit --good 0.02% --bad 0.1%",
        "pass-curate audit curation/ --queue sample:3000:face_score --out audit.json",
    )
    parser.add_argument(
        "review",
        nargs="?",
        type=Path,
        metavar="REVIEW",
        help="folder of a review, or a curation that was reviewed",
    )
    parser.add_argument("--queue", help="the sample that was looked at, such as sample:3000")
    parser.add_argument("--found", type=number, metavar="N", help="bad images that were found")
    parser.add_argument("--checked", type=positive, metavar="N", help="images that were looked at")
    parser.add_argument(
        "--claim", type=_share, metavar="SHARE", help="plan: how many to look at for this claim"
    )
    parser.add_argument(
        "--good", type=_share_or_none, metavar="SHARE", help="plan: accept a set of so many bad"
    )
    parser.add_argument("--bad", type=_share, metavar="SHARE", help="plan: refuse one of so many")
    parser.add_argument(
        "--confidence", type=_share, default=0.95, metavar="SHARE", help="(default 95%%)"
    )
    parser.add_argument(
        "--images", type=positive, metavar="N", help="of the whole set, for numbers in it"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write what is known: as pass_review.json beside archives it is shown on the "
        "statistics page and the dataset card",
    )
    add_json(parser)
    parser.checks.append(lambda options: _check(parser, options))
    parser.set_defaults(run=_run)


def _check(parser: CommandParser, options: argparse.Namespace) -> None:
    asked = {
        "a REVIEW": options.review is not None,
        "--found and --checked": options.found is not None or options.checked is not None,
        "--claim": options.claim is not None,
        "--good and --bad": options.good is not None or options.bad is not None,
    }
    if sum(asked.values()) != 1:
        parser.error(f"give one of: {', '.join(asked)}")
    for one, other in (("found", "checked"), ("good", "bad")):
        if (getattr(options, one) is None) != (getattr(options, other) is None):
            parser.error(f"--{one} and --{other} belong together")
    if options.found is not None and options.found > options.checked:
        parser.error("--found cannot be more than --checked")
    if options.out is not None and options.found is None and options.review is None:
        parser.error("--out is for what was looked at")
    if options.queue is not None and options.review is None:
        parser.error("--queue is of a REVIEW")
    if options.images is not None and options.found is None and options.queue is None:
        parser.error("--images is for what was looked at")
    if options.images is not None and options.images < (options.checked or 0):
        parser.error("--images cannot be fewer than --checked")
    if options.good is not None and options.good >= options.bad:
        parser.error("--good has to be less than --bad")


def _share(text: str) -> float:
    value = _number(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"expected a share such as 0.1% or 0.001, found {text!r}")
    return value


def _share_or_none(text: str) -> float:
    return 0.0 if _number(text) == 0 else _share(text)


def _number(text: str) -> float:
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return -1.0


def _run(options: argparse.Namespace) -> int:
    if options.claim is not None:
        return _plan(options)
    if options.bad is not None:
        return _acceptance(options)
    if options.review is not None:
        return _of_review(options)
    return _of_counts(options)


def _plan(options: argparse.Namespace) -> int:
    from pass_dataset.curate.audit.plans import images_to_claim, images_to_meet_one
    from pass_dataset.folders.review_receipt import in_percent

    rows = [
        {
            "allowed": allowed,
            "images": images_to_claim(options.claim, found=allowed, confidence=options.confidence),
            "images_one_sided": images_to_claim(
                options.claim, found=allowed, confidence=options.confidence, sides=1
            ),
        }
        for allowed in (0, 1, 2, 5)
    ]
    meets = images_to_meet_one(options.claim, chance=options.confidence)
    if options.json:
        print_json({"claim": options.claim, "plans": rows, "images_to_meet_one": meets})
        return 0
    claim, sure = in_percent(options.claim), in_percent(options.confidence)
    print(f"To claim less than {claim} with {sure} confidence, of images drawn at random:")
    for row in rows:
        found = "none" if row["allowed"] == 0 else f"{row['allowed']:,} at most"
        print(
            f"  look at {row['images']:,} and find {found} (one-sided {row['images_one_sided']:,})"
        )
    print(f"To meet one at all with {sure} chance, if {claim} are bad: {meets:,}")
    return 0


def _acceptance(options: argparse.Namespace) -> int:
    from pass_dataset.curate.audit.plans import acceptance_plan
    from pass_dataset.folders.review_receipt import in_percent

    risk = 1 - options.confidence
    plan = acceptance_plan(options.good, options.bad, refused_if_good=risk, accepted_if_bad=risk)
    chances = plan.chance(options.good), plan.chance(options.bad)
    if options.json:
        good, bad = chances
        print_json({**asdict(plan), "accepted_if_good": good, "accepted_if_bad": bad})
        return 0
    print(f"Look at {plan.images:,}, and accept if {plan.allowed:,} or fewer are bad:")
    for share, chance in zip((options.good, options.bad), chances, strict=True):
        of_all, times = in_percent(share), in_percent(chance)
        print(f"  a set of which {of_all} are bad is accepted in {times} of times")
    return 0


def _of_counts(options: argparse.Namespace) -> int:
    from pass_dataset.pages.intervals import two_sided

    low, high = two_sided(options.found, options.checked, options.confidence)
    content = {
        "checked": options.checked,
        "found": options.found,
        "low": low,
        "high": high,
        "confidence": options.confidence,
        "method": "Clopper-Pearson",
    }
    _told(options, content)
    return 0


def _told(options: argparse.Namespace, content: dict[str, Any]) -> None:
    from pass_dataset.folders.review_receipt import (
        ReviewReceipt,
        in_percent,
        save_review_receipt,
    )

    if options.out is not None:
        save_review_receipt(options.out, ReviewReceipt(**content))
    if options.json:
        print_json(content)
        return
    print(
        f"{content['found']:,} of {count(content['checked'], 'image', 'images')}: "
        f"{in_percent(content['low'])} to {in_percent(content['high'])} "
        f"with {in_percent(content['confidence'])} confidence"
    )
    if options.images is not None:
        low, high = (options.images * content[end] for end in ("low", "high"))
        print(f"  of {options.images:,} images: {low:,.0f} to {high:,.0f}")
    if options.out is not None:
        print(options.out)


def _of_review(options: argparse.Namespace) -> int:
    from pass_dataset.curate.audit.strata import estimate
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.curate.review.folder import ReviewFolder
    from pass_dataset.curate.review.verdicts import collect

    curation = CurationFolder(options.review)
    is_curation = curation.ledger_path.is_dir()
    folder = ReviewFolder(curation.work_path("review") if is_curation else options.review)
    verdicts = collect(folder)
    content: dict[str, Any] = verdicts.receipt()
    if options.queue is None:
        if options.out is not None:
            options.parser.error("--out needs --queue: the sample that was looked at")
        if options.json:
            print_json(content)
        else:
            print("\n".join([*verdicts.lines(), *_agreement(verdicts.agreements())]))
        return 0
    strata = verdicts.strata(folder, options.queue)
    found = estimate(strata, options.confidence)
    if not options.json:
        for stratum in strata:
            print(
                f"{stratum.name}: {stratum.checked:,} of "
                f"{count(stratum.images, 'image', 'images')} looked at, {stratum.found:,} bad"
            )
    _told(options, _receipt_of(found, len(strata)))
    return 0 if all(stratum.checked for stratum in strata) else 1


def _receipt_of(found: Estimate, strata: int) -> dict[str, Any]:
    return {
        "checked": found.checked,
        "found": found.found,
        "low": found.low,
        "high": found.high,
        "confidence": found.confidence,
        "method": "Clopper-Pearson, of a finite set"
        + (f", {strata} strata weighted back (Bonferroni)" if strata > 1 else ""),
    }


def _agreement(agreements: Any) -> list[str]:
    from pass_dataset.folders.review_receipt import in_percent

    lines = []
    for (one, other), two in agreements.items():
        value, low, high = two.positive()
        line = f"{one} and {other}, {count(two.images, 'image', 'images')}: "
        if value is None:
            line += "neither flagged any"
        else:
            bounds = f"{in_percent(low)} to {in_percent(high)}"
            line += f"positive agreement {in_percent(value)} ({bounds})"
        if two.kappa is not None:
            line += f", kappa {two.kappa:.2f}"
        lines.append(line)
    if lines:
        lines.append(
            "Positive agreement says nothing of what both miss; kappa is low where little is bad, "
            "however well both work."
        )
    return lines
