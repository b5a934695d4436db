"""Who holds a folder goes on holding it: what it calls meanwhile does not wait for it."""

from __future__ import annotations

from pathlib import Path

from pass_dataset.folders.lock import hold, holder


def test_nested(tmp_path: Path) -> None:
    with hold(tmp_path):
        with hold(tmp_path / ".." / tmp_path.name, wait=False):
            pass
        assert holder(tmp_path) is not None
    assert holder(tmp_path) is None
