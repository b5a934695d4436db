"""The funnel: every image leaves it once, in the order of the filter."""

from __future__ import annotations

import itertools
from typing import get_args

from pass_dataset.images.outcomes import OUTCOMES
from pass_dataset.passify.report.reasons import funnel, title_of
from pass_dataset.passify.runs.outcomes import EXCLUDED, FAILED_REASONS, REASONS, TARGETS, UNKNOWN


def test_every_reason_has_its_stage() -> None:
    reasons: dict[str | None, int] = {None: 5}
    for name in (
        *OUTCOMES[1:],
        *FAILED_REASONS,
        *TARGETS,
        EXCLUDED,
        "face-unknown",
        "person-unknown",
    ):
        reasons[name] = 2
    stages = funnel(reasons, TARGETS)
    assert [stage.name for stage in stages] == [
        "Listed",
        "Not on the opt-out list",
        "Read and examined",
        "Decoded",
        "Without faces",
        "Without people",
        "Decided",
    ]
    assert stages[0].left == sum(reasons.values())
    assert stages[-1].left == 5
    lost = [name for stage in stages for name in stage.lost]
    assert sorted(lost) == sorted(name for name in reasons if name)
    for before, after in itertools.pairwise(stages):
        assert before.left - after.left == sum(after.lost.values())


def test_only_what_happened() -> None:
    assert [(stage.name, stage.left) for stage in funnel({None: 3, "face": 1}, TARGETS)] == [
        ("Listed", 4),
        ("Decoded", 4),
        ("Without faces", 3),
        ("Without people", 3),
    ]


def test_only_what_was_looked_for() -> None:
    assert [stage.name for stage in funnel({None: 3}, ["face"])] == [
        "Listed",
        "Decoded",
        "Without faces",
    ]


def test_titles() -> None:
    from pass_dataset.images.outcomes import Outcome

    names = {*get_args(Outcome)[1:], *FAILED_REASONS, *TARGETS, EXCLUDED, *UNKNOWN.values()}
    assert set(REASONS) == names
    for name in REASONS:
        assert title_of(name) != name
    assert title_of("of a later version") == "of a later version"
