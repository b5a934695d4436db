from __future__ import annotations

from pathlib import Path

import pytest

from pass_dataset.errors import RunError
from pass_dataset.executors.slurm.submissions import Submission, load_submissions


def test_records_come_back(tmp_path: Path) -> None:
    assert load_submissions(tmp_path) == []
    later = Submission(101, "person", ((0, 1), (2,)), "gpu", "2026-01-01T00:00:00")
    earlier = Submission(99, "face", ((0, 1), (2,)), None, "2026-01-01T00:00:00")
    for submission in (later, earlier):
        submission.save(tmp_path)
    assert load_submissions(tmp_path) == [earlier, later]
    assert list(later.shard_tasks()) == [(0, 0), (1, 0), (2, 1)]


def test_damaged_record_is_named(tmp_path: Path) -> None:
    Submission(7, "face", ((0,),), None, "").save(tmp_path)
    path = tmp_path / "slurm" / "jobs" / "7.json"
    path.write_text("{}")
    with pytest.raises(RunError, match=r"7\.json: expected the record of a job array"):
        load_submissions(tmp_path)
