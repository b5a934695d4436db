from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pass_dataset.errors import RunError
from pass_dataset.executors.shard_folder import CrashRecord, written_whole
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.run_folder import RunFolder, ShardStats
from pass_dataset.passify.runs.settings import DetectorChoice, RunSettings
from pass_dataset.passify.sources.opening import SourceSettings

SETTINGS = RunSettings(
    SourceSettings("/photos", "folder"),
    (DetectorChoice("person", "cascade-rcnn", "b" * 64), DetectorChoice("face", "r", "a" * 64)),
)
STATS = ShardStats(3, 16, {"kept": 16}, 16, 1.0, 0.5, {"face": 0.1}, "here", 0.0)


def listed(folder: RunFolder) -> None:
    """As if the images were listed."""
    folder.plan_path.parent.mkdir(parents=True)
    folder.plan_path.write_text("{}")


def test_settings_are_written_once_and_come_back(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    assert folder.claim(SETTINGS, None)
    listed(folder)
    assert not folder.claim(SETTINGS, None)
    assert folder.settings() == SETTINGS
    assert folder.settings().targets == ("face", "person")


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.claim(SETTINGS, None)
    listed(folder)
    other = replace(
        SETTINGS,
        source=replace(SETTINGS.source, path="/films"),
        thresholds=Thresholds(face=0.3),
        detectors=(SETTINGS.detectors[0], DetectorChoice("person", "yolo", "c" * 64)),
    )
    with pytest.raises(RunError) as caught:
        folder.claim(other, None)
    lines = str(caught.value).splitlines()
    assert lines[1:-1] == [
        "  person detector name: the run has 'cascade-rcnn', asked for is 'yolo'",
        f"  person detector weights_sha256: the run has '{'b' * 64}', asked for is '{'c' * 64}'",
        "  source path: the run has '/photos', asked for is '/films'",
        "  thresholds face: the run has 0.5, asked for is 0.3",
    ]
    assert "passify keep and passify summary take --face and --person" in lines[-1]
    assert folder.settings() == SETTINGS


def test_other_settings_before_anything_is_listed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.claim(SETTINGS, None)
    folder.items_path.parent.mkdir()
    other = replace(SETTINGS, thresholds=Thresholds(face=0.3))
    assert folder.claim(other, None)
    assert folder.settings() == other


def test_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(
        RunError, match=r"expected a new folder or that of a run, found 'thesis\.tex'"
    ):
        RunFolder(tmp_path).claim(SETTINGS, None)
    with pytest.raises(RunError, match="expected the folder of a run, found another folder"):
        RunFolder(tmp_path).settings()
    with pytest.raises(RunError, match="expected the folder of a run, found nothing"):
        RunFolder(tmp_path / "none").settings()
    with pytest.raises(RunError, match="expected a folder, found a file"):
        RunFolder(tmp_path / "thesis.tex").claim(SETTINGS, None)


def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(RunError, match=r"settings\.json: cannot be read"):
        RunFolder(tmp_path).settings()


def test_markers(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.done() == set()
    folder.mark_failed(3, "too hot")
    folder.record_crash(3, CrashRecord(2, {5: "killed"}))
    assert folder.failures() == {3: "too hot"}
    assert folder.crashes(3) == CrashRecord(2, {5: "killed"})
    folder.mark_done(STATS, stage="face")
    assert folder.done() == set()
    assert folder.done("face") == {3}
    with written_whole(folder.partial_path(3)) as file:
        file.write(b"rows")
    folder.mark_done(STATS)
    assert folder.done() == {3}
    assert folder.done("face") == set()
    assert folder.failures() == {}
    assert folder.crashes(3) == CrashRecord()
    assert not folder.partial_path(3).exists()
    assert list(folder.stats()) == [STATS]


def test_cut_marker_is_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.mark_done(STATS)
    (tmp_path / "done" / "000003.json").write_text("")
    with pytest.raises(RunError, match=r"000003\.json: cannot be read .*; remove it and run again"):
        list(folder.stats())


def test_file_gets_its_name_only_when_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "file"

    def cut() -> None:
        with written_whole(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut()
    assert list((tmp_path / "a").iterdir()) == []


def test_sweep_removes_pieces_only(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.mark_done(STATS)
    (tmp_path / "done" / ".000004.json.77.part").write_text("")
    folder.sweep()
    assert [path.name for path in (tmp_path / "done").iterdir()] == ["000003.json"]


def test_settings_check_themselves() -> None:
    assert replace(SETTINGS, detectors=()).targets == ()
    with pytest.raises(ValueError, match=r"at most one for faces .*found \['face', 'face'\]"):
        replace(SETTINGS, detectors=SETTINGS.detectors[:1] * 2)
    with pytest.raises(ValueError, match="shard_size: expected a number of 1 or more, found 0"):
        replace(SETTINGS, shard_size=0)
    with pytest.raises(ValueError, match="target: expected face or person, found 'cat'"):
        DetectorChoice("cat", "x", "y")  # type: ignore[arg-type]


def test_plan_cuts_into_shards() -> None:
    plan = Plan(100, 30, (), (), 0, {})
    assert plan.num_shards == 4
    assert [plan.bounds(shard) for shard in range(4)] == [(0, 30), (30, 60), (60, 90), (90, 100)]


def test_plan_that_cannot_be_read(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert Plan.load(folder) is None
    folder.plan_path.parent.mkdir()
    folder.plan_path.write_text(json.dumps({"images": 3}))
    with pytest.raises(RunError, match=r"plan\.json: cannot be read"):
        Plan.load(folder)
