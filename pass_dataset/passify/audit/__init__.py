"""PASS itself, seen by the detectors that made it.

release_runs  runs of the filter over a release, all of it or a sample
findings      what it would drop today, counted and listed
comparison    what the images scored that a later release no longer has
"""

from __future__ import annotations

from pass_dataset.passify.audit.comparison import Comparison, compare_scores, removed_hashes
from pass_dataset.passify.audit.findings import Findings, list_findings, write_scores
from pass_dataset.passify.audit.release_runs import (
    ReleaseRun,
    draw_sample,
    run_on_release,
)

__all__ = [
    "Comparison",
    "Findings",
    "ReleaseRun",
    "compare_scores",
    "draw_sample",
    "list_findings",
    "removed_hashes",
    "run_on_release",
    "write_scores",
]
