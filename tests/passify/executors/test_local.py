"""Runs in worker processes: what they find, what becomes of failures, and of processes that die."""

from __future__ import annotations

import hashlib
import logging
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pass_dataset.errors import (
    DetectorError,
    FolderLockedError,
    PassDatasetError,
    RunError,
    WeightsError,
)
from pass_dataset.executors import local, pool
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.executors.pool import ShardFailure, do_shards
from pass_dataset.folders.lock import hold
from pass_dataset.passify.filtering import fill_run, plan_run, run_filter
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds
from pass_dataset.passify.runs.results import Results, read_results, write_results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.settings import DetectorChoice, RunSettings
from pass_dataset.passify.sources.opening import SourceSettings
from pass_dataset.passify.steps.execution import Execution
from pass_dataset.passify.steps.job import FilterJob
from tests.support.passify import (
    DETECTORS,
    FACES,
    REASONS,
    SAMPLE,
    many,
    passify,
    picture,
    processes_with,
    reasons,
    rows,
    run,
    settings_for,
    start_passify,
    write_files,
)
from tests.support.waiting import wait_until


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return write_files(tmp_path / "sample", SAMPLE)


# --- what is found --------------------------------------------------------------------------------


def test_every_image_has_its_row(sample: Path, tmp_path: Path) -> None:
    results = run(sample, tmp_path / "run")
    assert reasons(results) == REASONS
    by_path = {row["path"]: row for row in rows(results)}
    assert by_path["a/face.png"]["person_max_score"] is None  # a face is enough
    assert by_path["a/person.png"]["person_max_score"] == pytest.approx(0.8)
    assert by_path["a/kept.png"]["face_detector"] == FACES
    assert by_path["c/empty.jpg"]["sha256"] == hashlib.sha256(b"").hexdigest()
    kept = results.folder.kept_path.read_text().splitlines()
    assert kept == [path for path, reason in REASONS.items() if reason is None]


def test_number_of_workers_and_shards_changes_no_row(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 100)
    expected = rows(run(images, tmp_path / "one", shard_size=1000))
    assert rows(run(images, tmp_path / "many", workers=3, shard_size=7)) == expected


def test_every_detector_on_every_image(sample: Path, tmp_path: Path) -> None:
    results = run(sample, tmp_path / "run", run_all=True)
    assert reasons(results) == REASONS
    scored = [row for row in rows(results) if row["reason"] in (None, "face", "person")]
    assert len(scored) == 7
    assert all(row["person_max_score"] is not None for row in scored)


@pytest.mark.parametrize("left_out", ["face", "person"])
def test_one_detector_alone(sample: Path, tmp_path: Path, left_out: str) -> None:
    results = run(sample, tmp_path / "run", **{left_out: None})
    found = reasons(results)
    assert left_out not in found.values()
    assert found["b/both.png"] == ("face" if left_out == "person" else None)


def test_no_detector_tells_what_is_sound(sample: Path, tmp_path: Path) -> None:
    results = run(sample, tmp_path / "run", face=None, person=None)
    people = {path: None if why in TARGETS else why for path, why in REASONS.items()}
    assert reasons(results) == people
    assert {row["face_max_score"] for row in rows(results)} == {None}
    assert passify("summary", tmp_path / "run").stdout.splitlines()[0].endswith("; no detectors")


def test_opt_out_list(sample: Path, tmp_path: Path) -> None:
    listed = tmp_path / "out.txt"
    digest = hashlib.sha256(SAMPLE["kept too.png"]).hexdigest()
    listed.write_text(f"a/kept.png\nsha256:{digest}\nnot there.jpg\n")
    results = run(sample, tmp_path / "run", exclusions=listed)
    expected = {**REASONS, "a/kept.png": "excluded", "kept too.png": "excluded"}
    assert reasons(results) == expected
    (row,) = (row for row in rows(results) if row["path"] == "a/kept.png")
    assert row["sha256"] is row["face_max_score"] is None  # it was not even read
    with pytest.raises(RunError, match="exclusions_sha256: the run has"):
        run(sample, tmp_path / "run")


# --- another time ---------------------------------------------------------------------------------


def test_rerun_does_only_what_is_missing(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 60)
    first = run(images, tmp_path / "run", shard_size=10)
    before = rows(first)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "run" / "results").iterdir()}
    first.folder.results_path(3).unlink()
    (tmp_path / "run" / "done" / "000003.json").unlink()
    assert rows(run(images, tmp_path / "run", shard_size=10)) == before
    changed = [path for path, at in times.items() if path.stat().st_mtime_ns != at]
    assert changed == [first.folder.results_path(3)]


def test_checkpoint_is_gone_on_with(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 20)
    results = run(images, tmp_path / "run", shard_size=20)
    expected = rows(results)
    folder = results.folder
    stored = read_results(folder.results_path(0))
    stored[4].message = "from the checkpoint"
    write_results(folder.partial_path(0), stored[2:7], Thresholds(), TARGETS)
    folder.results_path(0).unlink()
    (tmp_path / "run" / "done" / "000000.json").unlink()
    found = rows(run(images, tmp_path / "run", shard_size=20))
    expected[4]["message"] = "from the checkpoint"
    assert found == expected
    (stats,) = folder.stats()
    assert stats.worked_on == 15


def test_failed_images_are_tried_again_when_asked(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 40)
    away = tmp_path / "away.png"
    path = sorted(images.rglob("*.png"))[25]
    settings = {"shard_size": 10}
    folder = RunFolder(tmp_path / "run")
    # It goes between listing and reading.
    from pass_dataset.passify.runs.plan import make_plan
    from pass_dataset.passify.sources.opening import open_source
    from pass_dataset.progress import Silent

    made = settings_for(images, **settings)
    folder.path.mkdir()
    folder.claim(made, None)
    make_plan(folder, open_source(made.source), made, Silent())
    path.rename(away)
    results = run(images, tmp_path / "run", **settings)
    name = str(path.relative_to(images))
    assert [where for where, why in reasons(results).items() if why == "unreadable"] == [name]
    away.rename(path)
    assert reasons(run(images, tmp_path / "run", **settings))[name] == "unreadable"
    results = run(images, tmp_path / "run", retry_failed=True, **settings)
    assert "unreadable" not in reasons(results).values()
    assert {stats.shard: stats.worked_on for stats in results.folder.stats()}[2] == 1
    assert rows(results) == rows(run(images, tmp_path / "other", **settings))


def test_stricter_faces_leave_images_undecided_until_filled(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 36, shares=(0.0, 0.6))
    results = run(images, tmp_path / "run", shard_size=9)
    loose = Thresholds(face=0.7)
    judged = [reason for _, column in results.judged(loose) for reason in column.to_pylist()]
    assert judged.count("person-unknown") == 12
    report = fill_run(results.folder, loose, LocalExecutor(Execution(workers=1)))
    assert report.images == 12
    judged = [reason for _, column in results.judged(loose) for reason in column.to_pylist()]
    assert "person-unknown" not in judged
    # The scores are now those of a run that looked for people everywhere.
    everywhere = run(images, tmp_path / "all", shard_size=9, run_all=True)
    assert rows(results) == rows(everywhere)
    assert fill_run(results.folder, loose, LocalExecutor(Execution(workers=1))).images == 0


@pytest.mark.slow
def test_faces_on_one_partition_and_people_on_another(tmp_path: Path) -> None:
    """As the published scripts had it: a job may run faces alone and leave the rest to another."""
    images = many(tmp_path / "images", 30)
    expected = run(images, tmp_path / "expected", shard_size=10)
    folder = RunFolder(tmp_path / "run")

    class Staged(LocalExecutor):
        def execute(self, folder, jobs, told):  # type: ignore[no-untyped-def]
            faces = [replace(job, targets=("face",)) for job in jobs]
            assert all(stats.outcomes for stats in super().execute(folder, faces, told))
            assert folder.done("face") == {0, 1, 2}
            assert folder.done() == set()
            people = [replace(job, targets=("person",)) for job in jobs]
            yield from super().execute(folder, people, told)

    run_filter(folder, settings_for(images, shard_size=10), Staged(Execution(workers=1)))
    assert rows(Results(folder)) == rows(expected)
    assert folder.done("face") == set()


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 5)
    (tmp_path / "run").mkdir()
    # Who holds a folder may hold it again: another thread is another holder.
    with (
        ThreadPoolExecutor(1) as other,
        hold(tmp_path / "run"),
        pytest.raises(FolderLockedError, match="is in use by process"),
    ):
        other.submit(run, images, tmp_path / "run").result()


# --- failures -------------------------------------------------------------------------------------

RAISING = "python:tests.support.detectors:Raising"
DEADLY = "python:tests.support.detectors:Deadly"


def with_wide(folder: Path, count: int, *wide: int) -> Path:
    for number in range(count):
        data = picture(0.7 if number % 2 else 0.0, seed=number, wide=number in wide)
        (folder / f"{number:03}.png").parent.mkdir(exist_ok=True)
        (folder / f"{number:03}.png").write_bytes(data)
    return folder


def test_detector_that_raises(tmp_path: Path) -> None:
    images = with_wide(tmp_path / "images", 20, 3, 15)
    results = run(images, tmp_path / "run", face=RAISING, shard_size=10)
    found = reasons(results)
    assert [path for path, why in found.items() if why == "detector-failed"] == [
        "003.png",
        "015.png",
    ]
    (row,) = (row for row in rows(results) if row["path"] == "003.png")
    assert row["message"] == f"{RAISING}: FloatingPointError: an image wider than it should be"
    assert row["outcome"] == "failed"
    assert found["005.png"] == "face"


def test_detector_that_always_raises_fails_the_run(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 30)
    with pytest.raises(RunError) as caught:
        run(images, tmp_path / "run", face="python:tests.support.detectors:AlwaysRaising")
    lines = str(caught.value).splitlines()
    assert "2 of 2 shards failed, though they were tried again" in lines[0]
    assert lines[1] == (
        "  shard 0 (images 0 to 15): the detector python:tests.support.detectors:AlwaysRaising "
        "failed on all 16 images that it was given; the last time: FloatingPointError: the network "
        "is broken"
    )
    assert set(RunFolder(tmp_path / "run").failures()) == {0, 1}


def planned_faces(tmp_path: Path, shared: Path) -> tuple[RunFolder, Execution]:
    """A run of three shards, and how it is done on a device that CUDA never has."""
    weights = shared / "weights" / "mobilenet0.25_Final.pth"
    execution = Execution(workers=1, device="cuda:99", face_weights=str(weights))
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    choice = DetectorChoice("face", "retinaface", digest)
    settings = RunSettings(
        SourceSettings.of(many(tmp_path / "images", 6)).resolved(), (choice,), shard_size=2
    )
    folder = RunFolder(tmp_path / "run")
    plan_run(folder, settings)
    return folder, execution


NOT_THERE = "device: cuda:99 was asked for, and this torch .* CUDA devices; use device cpu"


def test_a_device_that_is_not_there_ends_a_run_before_its_shards(
    tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, execution = planned_faces(tmp_path, shared)
    monkeypatch.setattr(local, "do_shards", None)  # which is not come to
    with pytest.raises(DetectorError, match=NOT_THERE):
        run_filter(folder, folder.settings(), LocalExecutor(execution))


def test_a_device_that_is_not_there_is_no_image_s_fault(tmp_path: Path, shared: Path) -> None:
    """On another machine that is known when it begins: nothing is tried again, no image failed."""
    folder, execution = planned_faces(tmp_path, shared)
    jobs = [FilterJob(shard) for shard in range(3)]
    with pytest.raises(DetectorError, match=NOT_THERE):
        list(do_shards(folder, jobs, execution, lambda images: None))
    assert not folder.done() and not list(folder.path.rglob("*.parquet"))
    # It goes on where there is one.
    results = run_filter(folder, folder.settings(), LocalExecutor(replace(execution, device="cpu")))
    assert results.images == 6
    assert set(reasons(Results(folder)).values()) <= {None, "face"}


def test_a_precision_that_the_cpu_has_not_is_told_once(
    tmp_path: Path, shared: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, execution = planned_faces(tmp_path, shared)
    execution = replace(execution, device="cpu", precision="float16")
    run_filter(folder, folder.settings(), LocalExecutor(execution))
    told = [line.getMessage() for line in caplog.records if "float32" in line.getMessage()]
    assert told == ["the CPU computes in float32, and not in float16"]
    (log,) = (folder.path / "logs").iterdir()
    assert log.read_text().count("retinaface: computes in float32 and not in float16") == 1


def test_devices_of_own_detectors_are_their_own(tmp_path: Path) -> None:
    """PyTorch may find none where another library does."""
    folder = RunFolder(tmp_path / "run")
    settings = settings_for(many(tmp_path / "images", 3))
    run_filter(folder, settings, LocalExecutor(Execution(workers=1, device="cuda:99")))
    assert Results(folder).plan.images == 3


@pytest.mark.slow
def test_image_that_kills_its_process(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = with_wide(tmp_path / "images", 24, 5, 6, 20)
    with caplog.at_level(logging.WARNING, "pass_dataset"):
        results = run(images, tmp_path / "run", face=DEADLY, shard_size=12, workers=2)
    found = reasons(results)
    dead = [path for path, why in found.items() if why == "process-died"]
    assert dead == ["005.png", "006.png", "020.png"]
    assert "its process died (killed by signal 9, as the system does where memory" in caplog.text
    assert "one image at a time" in caplog.text
    (row,) = (row for row in rows(results) if row["path"] == "005.png")
    assert row["message"].startswith("the process that examined it died: killed by signal 9")
    expected = run(images, tmp_path / "expected", shard_size=12)
    sound = [row for row in rows(results) if row["path"] not in dead]
    for row in sound:
        row["face_detector"] = row["face_detector"] and FACES
    assert sound == [row for row in rows(expected) if row["path"] not in dead]


@pytest.mark.slow
def test_machine_that_kills_everything_does_not_go_on_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_MAX_CULPRITS", 3)
    images = with_wide(tmp_path / "images", 8, *range(8))
    with pytest.raises(RunError, match="processes died on 4 of its images, the last one killed"):
        run(images, tmp_path / "run", face=DEADLY)


def test_process_that_cannot_start(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 5)
    folder = RunFolder(tmp_path / "run")
    settings = settings_for(images)
    gone = replace(settings.detectors[0], name="python:tests.support.nothing:Faces")
    with pytest.raises(DetectorError, match=r"expected python:package\.module:factory"):
        run_filter(
            folder,
            replace(settings, detectors=(gone, settings.detectors[1])),
            LocalExecutor(Execution(workers=1)),
        )


def test_weights_that_have_changed(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 5)
    settings = settings_for(images)
    other = replace(settings.detectors[0], weights_sha256="e" * 64)
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(WeightsError, match="expected the weights that the run was begun with"):
        run_filter(
            folder,
            replace(settings, detectors=(other,)),
            LocalExecutor(Execution(workers=1)),
        )


def test_shard_that_fails_is_told_and_the_others_are_done(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 30)
    folder = run(images, tmp_path / "run", shard_size=10).folder
    for shard in range(3):
        (tmp_path / "run" / "done" / f"00000{shard}.json").unlink()
        folder.results_path(shard).unlink()
    # A folder where a file should go: writing fails, whoever tries.
    folder.results_path(1).mkdir()
    told: list[int] = []
    jobs = [FilterJob(shard) for shard in range(3)]
    found = list(do_shards(folder, jobs, Execution(workers=1), told.append))
    failures = [result for result in found if isinstance(result, ShardFailure)]
    assert [failure.shard for failure in failures] == [1]
    assert folder.done() == {0, 2}
    assert sum(told) == 20


# --- disks ----------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.slow
def test_disk_that_fills_up(tmp_path: Path, small_disk: Path) -> None:
    images = many(tmp_path / "images", 60)
    filler = small_disk / "filler"
    out = small_disk / "run"
    filler.write_bytes(b"x" * 150_000)
    with pytest.raises((PassDatasetError, OSError)) as caught:
        run(images, out, shard_size=6)
    assert "No space left on device" in str(caught.value)
    assert not list(out.rglob(".*.part"))
    filler.unlink()
    results = run(images, out, shard_size=6)
    assert rows(results) == rows(run(images, tmp_path / "expected", shard_size=6))


# --- kill -9 --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 150)
    expected = rows(run(images, tmp_path / "expected", shard_size=10))
    out = tmp_path / "run"
    arguments = ("run", images, "--out", out, "--shard-size", 10, "--workers", 2, *DETECTORS)
    slow = [str(part).replace(":Faces", ":Slow") for part in arguments]
    rng = random.Random(0)
    done = RunFolder(out).done
    for _ in range(10):
        wanted = min(len(done()) + rng.randrange(3), 13)
        process = start_passify(*slow)
        wait_until(lambda least=wanted: len(done()) >= least, process)
        # In the middle of whatever comes next.
        time.sleep(rng.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert_nobody_left(out)
    process = start_passify(*slow)
    _, complaint = process.communicate()
    assert process.returncode == 0, complaint
    found = rows(Results(RunFolder(out)))
    for row in found:
        row["face_detector"] = row["face_detector"] and FACES
    assert found == expected
    assert not list(out.rglob(".*.part"))


def assert_nobody_left(out: Path) -> None:
    """Worker processes end with the one that started them."""
    wait_until(lambda: not processes_with(os.fspath(out)))


def test_interrupt_says_how_to_go_on(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 300)
    out = tmp_path / "run"
    process = start_passify(
        *("run", images, "--out", out, "--workers", 1, "--detectors", "face"),
        *("--face-detector", "python:tests.support.detectors:Slow"),
    )
    wait_until(RunFolder(out).done, process)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate()
    assert process.returncode == 130
    assert "interrupted; what was done is kept." in complaint
    assert f"To continue: passify run {images} --out {out}" in complaint
    assert "Traceback" not in complaint
    assert RunFolder(out).done()
    assert_nobody_left(out)
