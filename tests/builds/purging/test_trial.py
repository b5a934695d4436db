"""Readers beside removals and purges: see `tests.support.trial`, which also runs longer ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.trial import KINDS, run


@pytest.mark.slow
def test_no_wrong_byte_and_no_removed_image(tmp_path: Path) -> None:
    for module in ("torch", "datasets", "tensorflow_datasets"):
        pytest.importorskip(module)
    tallies = run(tmp_path, rounds=6, kinds=list(KINDS))
    assert {kind: tally.failed for kind, tally in tallies.items() if not tally.is_right} == {}
    assert all(tally.read for tally in tallies.values()), tallies
