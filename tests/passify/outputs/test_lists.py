from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pass_dataset.errors import RunError
from pass_dataset.passify.outputs.lists import dropped_images, listed_paths, write_lists
from pass_dataset.passify.outputs.summary import summarize
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.passify.runs.results import Results
from tests.support.passify import REASONS, SAMPLE, run, write_files

PUBLISHED = Thresholds()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("lists")
    return run(write_files(folder / "sample", SAMPLE), folder / "run", shard_size=4)


def test_dropped_parquet_has_a_reason_for_every_other_image(results: Results) -> None:
    table = pq.read_table(results.folder.dropped_path)
    assert table.column_names[:3] == ["path", "outcome", "reason"]
    found = {row["path"]: row["reason"] for row in table.to_pylist()}
    assert found == {path: reason for path, reason in REASONS.items() if reason is not None}
    assert set(table["outcome"].to_pylist()) == {"dropped"}


def test_lists_at_other_thresholds(results: Results) -> None:
    strict = Thresholds(face=0.05, person=0.05)
    assert list(listed_paths(results, strict)) == ["a/kept.png"]
    loose = Thresholds(face=0.55)
    assert list(listed_paths(results, loose)) == list(listed_paths(results, PUBLISHED))
    # b/both.png scores 0.6 for a face; people were not looked for there.
    loosest = Thresholds(face=1.0, person=1.0)
    assert list(listed_paths(results, loosest, "undecided")) == ["a/face.png", "b/both.png"]
    assert "b/both.png" not in list(listed_paths(results, loosest))


def test_opt_out_when_listing(results: Results) -> None:
    digest = hashlib.sha256(SAMPLE["kept too.png"]).hexdigest().upper()
    excluded = Exclusions(frozenset({"a/kept.png", "a/face.png"}), frozenset({digest.lower()}))
    assert list(listed_paths(results, PUBLISHED, "kept", excluded)) == ["b/half.png"]
    assert summarize(results, PUBLISHED, excluded).reasons["excluded"] == 3


def test_summary(results: Results) -> None:
    summary = summarize(results, PUBLISHED)
    assert summary.outcomes == {"kept": 3, "dropped": 8, "failed": 0, "undecided": 0}
    assert (summary.images, summary.missing) == (11, 0)
    assert summary.reasons["face"] == summary.reasons["person"] == 2
    assert summarize(results, Thresholds(face=1.0)).outcomes["undecided"] == 2


def test_dropped_images_say_why(results: Results) -> None:
    (found,) = dropped_images(results, PUBLISHED, lambda reason: reason == "not-an-image")
    assert (found.path, found.outcome) == ("c/page.jpg", "dropped")
    assert found.message
    assert found.message.startswith("begins with")


def test_lists_of_a_run_that_is_not_done(results: Results, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(results.folder.path, tmp_path / "run")
    (tmp_path / "run" / "done" / "000001.json").unlink()
    from pass_dataset.passify.runs.run_folder import RunFolder

    cut = Results(RunFolder(tmp_path / "run"))
    with pytest.raises(RunError, match="1 of 3 shards are not done"):
        write_lists(cut)
    assert summarize(cut, PUBLISHED).missing == 4
