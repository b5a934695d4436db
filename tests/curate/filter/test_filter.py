"""Photographs looked at: passify's verdicts as causes, and every photograph accounted for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.curate.filter.run import run_filter
from pass_dataset.curate.filter.settings import FilterSettings
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.errors import CurationError, SourceError
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.passify.runs.results import read_results, write_results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.steps.execution import Execution
from tests.support.fetched import fetched_curation, photograph_hash, write_tar
from tests.support.passify import FACES, PEOPLE, SAMPLE, picture

#: With detectors of painted squares.
PAINTED = FilterSettings(face_detector=FACES, person_detector=PEOPLE)
ONE = Execution(workers=1)

#: Two shards; what becomes of each photograph, and of those that were not fetched.
PHOTOGRAPHS: tuple[list[bytes | str], ...] = (
    [
        SAMPLE["a/kept.png"],
        SAMPLE["a/face.png"],
        "missing",
        SAMPLE["a/person.png"],
        SAMPLE["c/empty.jpg"],
        SAMPLE["c/cut.png"],
    ],
    ["gone", SAMPLE["c/grey.png"], SAMPLE["kept too.png"], SAMPLE["b/both.png"]],
)
CAUSES: dict[int, str | None] = {
    0: None,
    1: "face",
    2: "missing",
    3: "person",
    4: "empty",
    5: "truncated",
    6: "gone",
    7: "single-colour",
    8: None,
    9: "face",
}


@pytest.fixture
def curation(tmp_path: Path) -> CurationFolder:
    return fetched_curation(tmp_path / "curation", *PHOTOGRAPHS)


def filtered(
    curation: CurationFolder, settings: FilterSettings = PAINTED, **more: Any
) -> StepRecord:
    step = run_filter(curation, settings, execution=more.pop("execution", ONE), **more)
    assert step is not None
    return step


def everyone(curation: CurationFolder) -> Iterator[dict[str, Any]]:
    ledger = Ledger(curation)
    for shard in range(ledger.shards()):
        yield from ledger.everyone(shard).to_pylist()


def causes(curation: CurationFolder) -> dict[int, str | None]:
    return {row["row"]: row["cause"] for row in everyone(curation)}


def ledger_bytes(curation: CurationFolder) -> dict[str, bytes]:
    """What these steps wrote into the ledger."""
    return {
        str(path.relative_to(curation.path)): path.read_bytes()
        for step in ("sound", "filter")
        for path in sorted(curation.step_path(step).glob("*.parquet"))
    }


# --- what is said ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> CurationFolder:
    """A curation that is filtered, to be looked at only."""
    made = fetched_curation(tmp_path_factory.mktemp("done") / "curation", *PHOTOGRAPHS)
    filtered(made)
    return made


def test_verdicts_are_causes(done: CurationFolder) -> None:
    assert causes(done) == CAUSES
    select, fetch, sound, last = Ledger(done).steps()
    assert (select.name, fetch.name, sound.name, last.name) == (
        *("select", "fetch"),
        *("sound", "filter"),
    )
    assert (sound.came, sound.causes, sound.left) == (
        8,
        {"empty": 1, "single-colour": 1, "truncated": 1},
        5,
    )
    assert (last.came, last.causes, last.left) == (5, {"face": 2, "person": 1}, 2)
    assert sound.details == {"examined": 8}
    # What decided stands in the ledger.
    assert sound.settings == {"max_pixels": None, "opt_outs_sha256": None}
    assert [choice["target"] for choice in last.settings["detectors"]] == ["face", "person"]
    assert (last.settings["face"], last.settings["person"]) == (0.5, 0.5)


def test_sizes_and_scores(done: CurationFolder) -> None:
    rows = {row["row"]: row for row in everyone(done)}
    assert (rows[0]["width"], rows[0]["height"]) == (40, 50)
    assert rows[3]["person_score"] == pytest.approx(0.8)
    assert rows[1]["face_score"] == pytest.approx(0.8)
    # A face is enough: people were not looked for.
    assert rows[1]["person_score"] is None
    # What was not fetched was not looked at.
    assert rows[2]["width"] is rows[2]["face_score"] is None
    assert rows[2]["stage"] == "fetch"


def test_second_call_has_nothing_to_do(
    done: CurationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pass_dataset.curate.filter.run.run_passify", None)
    before = ledger_bytes(done)
    assert filtered(done) == Ledger(done).record("filter")
    assert ledger_bytes(done) == before


def test_other_settings_are_refused(done: CurationFolder) -> None:
    with pytest.raises(CurationError, match=r"filter has other settings:\s+face: it was begun"):
        filtered(done, replace(PAINTED, face=0.7))


def test_other_thresholds(curation: CurationFolder) -> None:
    step = filtered(curation, replace(PAINTED, face=0.7, person=0.9))
    assert step.causes == {"face": 1}


def test_number_of_workers_changes_no_byte(done: CurationFolder, curation: CurationFolder) -> None:
    filtered(curation, execution=Execution(workers=2))
    assert ledger_bytes(curation) == ledger_bytes(done)


# --- without detectors ----------------------------------------------------------------------------


def test_sound_alone(curation: CurationFolder) -> None:
    step = filtered(curation, replace(PAINTED, detectors=()))
    assert step.name == "sound"
    people = {row: None if why in ("face", "person") else why for row, why in CAUSES.items()}
    assert causes(curation) == people
    assert filtered(curation, replace(PAINTED, detectors=())) == step
    # Whoever wants to know of people after all goes on from there.
    assert filtered(curation).name == "filter"
    assert causes(curation) == CAUSES


def test_one_detector(curation: CurationFolder) -> None:
    step = filtered(curation, replace(PAINTED, detectors=("person",)))
    assert step.causes == {"person": 1}
    assert {row["face_score"] for row in everyone(curation)} == {None}


# --- what was given -------------------------------------------------------------------------------


def test_only_what_was_let_through_is_looked_at(tmp_path: Path) -> None:
    """A placeholder may lie in the tar: its cause is known, and nothing else is said of it."""
    curation = fetched_curation(tmp_path / "curation", [picture(seed=1), "placeholder"])
    tar = curation.work_path("fetch") / "tars" / "000000.tar"
    write_tar(tar, 0, {photograph_hash(0): picture(seed=1), photograph_hash(1): picture(face=0.8)})
    step = filtered(curation)
    assert (step.came, step.causes) == (1, {})
    stats = list(RunFolder(curation.work_path("filter")).stats())
    assert [marker.images for marker in stats] == [1]


def test_nothing_was_fetched(tmp_path: Path) -> None:
    curation = fetched_curation(tmp_path / "curation", ["gone"], ["missing", "gone"])
    step = filtered(curation)
    assert (step.came, step.left) == (0, 0)


def test_fetch_comes_first(tmp_path: Path) -> None:
    curation = CurationFolder(tmp_path / "curation")
    with pytest.raises(CurationError, match="sound needs fetch to be done first"):
        run_filter(curation, PAINTED, execution=ONE)


def test_tar_of_other_photographs(curation: CurationFolder) -> None:
    tar = curation.work_path("fetch") / "tars" / "000001.tar"
    write_tar(tar, 1, {photograph_hash(9): picture(seed=3)})
    with pytest.raises(CurationError, match=r"000001\.tar: expected [0-9a-f]+\.jpg, as the ledger"):
        filtered(curation)


def test_tar_that_moved(curation: CurationFolder) -> None:
    tar = curation.work_path("fetch") / "tars" / "000001.tar"
    names = {photograph_hash(row): PHOTOGRAPHS[1][row - 6] for row in (8, 7, 9)}
    write_tar(tar, 1, {name: data for name, data in names.items() if isinstance(data, bytes)})
    with pytest.raises(CurationError, match="is another one than was fetched"):
        filtered(curation)


def test_other_bytes_than_were_fetched(curation: CurationFolder) -> None:
    tar = curation.work_path("fetch") / "tars" / "000000.tar"
    data = bytearray(tar.read_bytes())
    place = data.index(PHOTOGRAPHS[0][0])
    data[place + 45] ^= 1
    tar.write_bytes(data)
    with pytest.raises(CurationError, match=r"has other bytes than were fetched: expected SHA-256"):
        filtered(curation)


def test_tar_is_missing(curation: CurationFolder) -> None:
    (curation.work_path("fetch") / "tars" / "000001.tar").unlink()
    with pytest.raises(CurationError, match=r"000001\.tar: No such file"):
        filtered(curation)


# --- what could not be examined -------------------------------------------------------------------


class Interrupted(LocalExecutor):
    """Ends with all shards done."""

    def execute(self, *arguments: Any) -> Any:
        yield from super().execute(*arguments)
        raise KeyboardInterrupt


def spoil(curation: CurationFolder, reason: str) -> None:
    """As if something had gone wrong with the second photograph."""
    run = RunFolder(curation.work_path("filter"))
    rows = read_results(run.results_path(0))
    rows[1].reason, rows[1].message = reason, "the disk did not answer"
    rows[1].face_max_score = rows[1].person_max_score = None
    outcomes = write_results(run.results_path(0), rows, Thresholds(), ("face", "person"))
    (stats,) = run.stats()
    run.mark_done(replace(stats, outcomes=outcomes))


def test_passing_failure_is_no_cause(done: CurationFolder, tmp_path: Path) -> None:
    again = CurationFolder(tmp_path / "again")
    fetched_curation(again.path, *PHOTOGRAPHS)
    # As if it had been killed when the run was done and nothing of it was in the ledger.
    with pytest.raises(KeyboardInterrupt):
        filtered(again, executor=Interrupted(ONE))
    spoil(again, "unreadable")
    name = photograph_hash(1)
    with pytest.raises(CurationError, match=rf"1 photographs could not .*{name}.jpg \(unreadable"):
        filtered(again)
    assert Ledger(again).record("sound") is None
    filtered(again, retry_failed=True)
    assert ledger_bytes(again) == ledger_bytes(done)


def test_given_up(curation: CurationFolder) -> None:
    deadly = replace(PAINTED, face_detector="python:tests.support.detectors:Raising")
    wide = fetched_curation(
        curation.path.parent / "wide", [picture(seed=1), picture(seed=2, wide=True)]
    )
    with pytest.raises(CurationError, match="detector-failed"):
        filtered(wide, deadly)
    filtered(wide, deadly, give_up_failed=True)
    assert causes(wide) == {0: None, 1: "detector-failed"}


# --- opt-outs -------------------------------------------------------------------------------------


def test_opted_out(curation: CurationFolder, tmp_path: Path) -> None:
    listed = tmp_path / "opt-out.txt"
    kept = PHOTOGRAPHS[1][2]
    assert isinstance(kept, bytes)
    listed.write_text(
        f"PASS_dataset/0/{photograph_hash(1)}.jpg\nsha256:{hashlib.sha256(kept).hexdigest()}\n"
    )
    filtered(curation, exclude=listed)
    assert causes(curation) == {**CAUSES, 1: "opted-out", 8: "opted-out"}
    rows = {row["row"]: row for row in everyone(curation)}
    assert rows[1]["width"] is rows[1]["face_score"] is None
    assert rows[1]["stage"] == "sound"
    # The list belongs to what was decided.
    with pytest.raises(CurationError, match="opt_outs_sha256"):
        filtered(curation)


def test_opt_outs_that_name_nothing(
    curation: CurationFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    listed = tmp_path / "opt-out.txt"
    listed.write_text(f"{photograph_hash(1)}\n{photograph_hash(999)}\n")
    with pytest.raises(CurationError, match=r"1 of 2 lines .* Nothing was written"):
        filtered(curation, exclude=listed, strict=True)
    assert Ledger(curation).begun() is None
    filtered(curation, exclude=listed)
    assert "name no photograph that was fetched" in caplog.text


def test_list_that_cannot_be_read(curation: CurationFolder, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        filtered(curation, exclude=tmp_path / "nothing.txt")


def test_removal_list_counts_too(
    curation: CurationFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removals = tmp_path / "removals.txt"
    removals.write_text(f"{photograph_hash(0)}\n")
    monkeypatch.setenv("PASS_REMOVALS", str(removals))
    filtered(curation)
    assert causes(curation) == {**CAUSES, 0: "opted-out"}


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"detectors": ("face", "face")}, "detectors: expected each once"),
        ({"face": 1.5}, "face: expected a score from 0 to 1"),
        ({"max_pixels": 0}, "max_pixels: expected a number of 1 or more"),
    ],
)
def test_settings_check_themselves(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FilterSettings(**changes)


def test_order_of_detectors_is_one() -> None:
    assert FilterSettings(detectors=("person", "face")) == FilterSettings()
