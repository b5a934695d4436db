from __future__ import annotations

import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pass_dataset.errors import RunError
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds
from pass_dataset.passify.runs.results import Results, read_results, write_results
from pass_dataset.passify.runs.schema import ImageResult, results_schema
from tests.support.passify import many, run

ROW = ImageResult(
    source="/photos",
    path="\\caf\\xe9.jpg",
    face_max_score=0.75,
    size_bytes=124_000,
    width=500,
    height=375,
    sha256="ab" * 32,
    face_boxes=[{"x1": -3.5, "y1": 1.0, "x2": 20.25, "y2": 30.0, "score": 0.75}],
    face_detector="retinaface",
    face_weights_sha256="cd" * 32,
    processed_at=datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc),
)


def test_row_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    assert write_results(path, [ROW], Thresholds(), TARGETS) == {"dropped": 1}
    (found,) = read_results(path)
    assert (found.outcome, found.reason) == ("dropped", "face")
    found.outcome = found.reason = None
    assert found == ROW


def test_schema_is_explicit_whatever_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write_results(path, [ImageResult("/photos", "a.jpg", reason="empty")], Thresholds(), TARGETS)
    assert pq.read_schema(path).equals(results_schema(), check_metadata=False)
    assert pq.read_schema(path).metadata[b"passify.schema_version"] == b"1"


def test_other_versions_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"path": ["a"]}), path)
    with pytest.raises(RunError, match="expected results of schema version 1, found none"):
        read_results(path)


def test_missing_and_broken_files_are_named(tmp_path: Path) -> None:
    results = run(many(tmp_path / "images", 40), tmp_path / "run", face=None)
    path = results.folder.results_path(1)
    data = path.read_bytes()
    path.write_bytes(data[:100])
    with pytest.raises(RunError, match=r"000001\.parquet: cannot be read"):
        list(results.tables())
    path.unlink()
    with pytest.raises(RunError, match=r"000001\.parquet: missing, though its shard is marked"):
        list(results.tables())


def test_run_that_is_not_there_or_not_done(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected the folder of a run"):
        Results(run_folder(tmp_path / "none"))
    results = run(many(tmp_path / "images", 40), tmp_path / "run", face=None)
    (tmp_path / "run" / "done" / "000002.json").unlink()
    results = Results(results.folder)
    assert results.missing_shards == 1
    with pytest.raises(RunError, match="1 of 3 shards are not done; passify run goes on"):
        results.require_whole()
    results.folder.plan_path.unlink()
    with pytest.raises(RunError, match="the images are not listed yet"):
        Results(results.folder)


def run_folder(path: Path):  # type: ignore[no-untyped-def]
    from pass_dataset.passify.runs.run_folder import RunFolder

    return RunFolder(path)
