"""Runs on a real SLURM: the same rows as on this machine, whatever happens on the way."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from pass_dataset.errors import MissingExtraError, RunError, SchedulerError
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.executors.slurm.executor import SlurmExecutor, Waiting
from pass_dataset.executors.slurm.settings import SlurmResources, SlurmSettings
from pass_dataset.executors.slurm.submissions import load_submissions
from pass_dataset.passify.filtering import fill_run, run_filter
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.status import read_status
from pass_dataset.passify.steps.execution import Execution
from tests.support.passify import (
    DETECTORS,
    many,
    passify,
    rows,
    run,
    settings_for,
    start_passify,
)
from tests.support.slurm import Cluster
from tests.support.waiting import wait_until

SLOW = "python:tests.support.detectors:Slow"
CPU = SlurmResources(partition="cpu", cpus=1, memory_gb=2, time_limit_min=60)
Rows: TypeAlias = "list[dict[str, Any]]"
GPU = replace(CPU, partition="gpu", gpus=1)
QUICK = Waiting(poll_s=0.3, settle_s=3)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty images, in a folder whose name has to be quoted."""
    return many(tmp_path_factory.mktemp("photos") / "my 'own' photos", 60)


@pytest.fixture(scope="module")
def expected(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What this machine finds."""
    return as_faces(rows(run(photos, tmp_path_factory.mktemp("local"), workers=2)))


def as_faces(found: Rows) -> Rows:
    """Detectors that only behave otherwise find the same; their names need not be told apart."""
    return [{**row, "face_detector": "faces"} if row["face_detector"] else row for row in found]


def rows_of(out: Path) -> Rows:
    return as_faces(rows(Results(RunFolder(out))))


def executor(**changes: Any) -> SlurmExecutor:
    sleep = changes.pop("sleep", time.sleep)
    settings = replace(SlurmSettings(resources=CPU, max_tasks=2), **changes)
    return SlurmExecutor(settings, Execution(workers=1), QUICK, sleep=sleep)


def run_on_slurm(source: Path, out: Path, where: SlurmExecutor, **changes: Any) -> Results:
    folder = RunFolder(out)
    run_filter(folder, settings_for(source, **{"shard_size": 10, **changes}), where)
    return Results(folder)


def options(*more: object) -> list[object]:
    """Options of `passify run` on a cluster like `executor`'s."""
    slurm = "--executor slurm --slurm-partition cpu --slurm-cpus 1 --slurm-mem-gb 2 --slurm-tasks 2"
    return [*DETECTORS, "--shard-size", 10, *slurm.split(), *more]


def test_same_rows(slurm: Cluster, photos: Path, expected: Rows, tmp_path: Path) -> None:
    found = run_on_slurm(photos, tmp_path / "the 'run' folder", executor())
    assert rows_of(found.folder.path) == expected
    kept = "".join(f"{row['path']}\n" for row in expected if row["reason"] is None)
    assert found.folder.kept_path.read_text() == kept
    (submission,) = load_submissions(found.folder.path)
    assert (submission.stage, submission.partition) == ("all", "cpu")
    assert submission.tasks == ((0, 1, 2), (3, 4, 5))
    assert "shard 0: 10 images" in submission.log(found.folder.path, 0).read_text()


def test_same_rows_with_people_on_gpus(
    slurm: Cluster, photos: Path, expected: Rows, tmp_path: Path
) -> None:
    found = run_on_slurm(photos, tmp_path / "run", executor(gpu=GPU))
    assert rows_of(found.folder.path) == expected
    faces, people = load_submissions(found.folder.path)
    assert (faces.stage, people.stage) == ("face", "person")
    assert faces.tasks == people.tasks == ((0, 1, 2), (3, 4, 5))
    job = slurm.ask("scontrol", "show", "job", f"{people.job_id}_0")
    assert "Partition=gpu" in job
    assert "gpu:1" in job
    job = slurm.ask("scontrol", "show", "job", f"{faces.job_id}_0")
    assert "Partition=cpu" in job
    assert "gpu:1" not in job


def test_cancelled_task_and_rerun(
    slurm: Cluster, photos: Path, expected: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Slow enough that a task does not come to its end meanwhile.
    monkeypatch.setenv("TESTS_DELAY_S", "0.2")
    process = start_passify(
        "run", photos, "--out", tmp_path / "run", *options("--face-detector", SLOW)
    )
    wait_until(RunFolder(tmp_path / "run").done)
    (submission,) = load_submissions(tmp_path / "run")
    slurm.ask("scancel", f"{submission.job_id}_1")
    _, said = process.communicate()
    assert process.returncode == 1, said
    assert "shards failed" in said
    assert f"SLURM task {submission.job_id}_1 ended early: it was cancelled" in said
    assert f"{submission.job_id}_1_0_log.out" in said
    monkeypatch.delenv("TESTS_DELAY_S")
    # It did not use up the 30 seconds that SLURM gives it.
    assert "SLURM ends this task" in submission.log(tmp_path / "run", 1).read_text()
    # The other task went on to its end.
    assert set(submission.tasks[0]) <= RunFolder(tmp_path / "run").done()
    again = passify("run", photos, "--out", tmp_path / "run", *options("--face-detector", SLOW))
    assert again.returncode == 0, again.stderr
    assert rows_of(tmp_path / "run") == expected


def test_interrupted_wait_leaves_the_jobs(
    slurm: Cluster, photos: Path, expected: Rows, tmp_path: Path
) -> None:
    command = ["run", photos, "--out", tmp_path / "run", *options("--face-detector", SLOW)]
    process = start_passify(*command)
    wait_until(lambda: load_submissions(tmp_path / "run"))
    wait_until(lambda: "RUNNING" in slurm.ask("squeue", "--noheader", "--format=%T"))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    (submission,) = load_submissions(tmp_path / "run")
    assert f"SLURM jobs {submission.job_id} go on." in said
    assert f"passify cancel {tmp_path / 'run'}" in said
    status = passify("status", tmp_path / "run")
    assert status.returncode == 1
    assert f"SLURM job {submission.job_id}, all in partition cpu: 2 run" in status.stdout
    # The same command waits for what runs, and submits nothing.
    again = passify(*command)
    assert again.returncode == 0, again.stderr
    assert load_submissions(tmp_path / "run") == [submission]
    assert rows_of(tmp_path / "run") == expected


def test_interrupt_may_cancel(slurm: Cluster, photos: Path, tmp_path: Path) -> None:
    more = ("--face-detector", SLOW, "--cancel-on-interrupt")
    process = start_passify("run", photos, "--out", tmp_path / "run", *options(*more))
    wait_until(lambda: load_submissions(tmp_path / "run"))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "are cancelled" in said
    wait_until(lambda: "PENDING" not in slurm.ask("squeue", "--noheader", "--format=%T"))
    wait_until(lambda: "RUNNING" not in slurm.ask("squeue", "--noheader", "--format=%T"))


def test_submit_without_waiting(
    slurm: Cluster, photos: Path, expected: Rows, tmp_path: Path
) -> None:
    command = ["run", photos, "--out", tmp_path / "run", *options()]
    first = passify(*command, "--no-wait")
    assert first.returncode == 0, first.stderr
    assert "6 shards are submitted. passify status" in first.stdout
    assert not (tmp_path / "run" / "kept.txt").exists()
    wait_until(lambda: read_status(RunFolder(tmp_path / "run")).is_whole)
    last = passify(*command, "--no-wait")
    assert last.returncode == 0, last.stderr
    assert len(load_submissions(tmp_path / "run")) == 1
    assert rows_of(tmp_path / "run") == expected


def test_images_that_other_thresholds_ask_for(
    slurm: Cluster, photos: Path, expected: Rows, tmp_path: Path
) -> None:
    """Shards that are done already are done again, and waited for."""
    higher = Thresholds(face=0.8)
    filled = []
    for name, where in (
        ("local", LocalExecutor(Execution(workers=2))),
        ("slurm", executor(gpu=GPU)),
    ):
        run(photos, tmp_path / name, workers=2, shard_size=30)
        assert rows_of(tmp_path / name) == expected
        report = fill_run(RunFolder(tmp_path / name), higher, where)
        assert report.images > 0
        filled.append(rows_of(tmp_path / name))
    assert filled[0] == filled[1] != expected
    (submission,) = load_submissions(tmp_path / "slurm")
    assert (submission.stage, submission.partition) == ("fill", "gpu")


def test_cancel(slurm: Cluster, photos: Path, tmp_path: Path) -> None:
    command = ["run", photos, "--out", tmp_path / "run", *options("--no-wait")]
    passify(*command, "--slurm-option", "begin=now+1hour")
    (submission,) = load_submissions(tmp_path / "run")
    # SLURM says why tasks wait once it has thought about them.
    wait_until(lambda: "wait (None)" not in passify("status", tmp_path / "run").stdout)
    status = passify("status", tmp_path / "run")
    assert "0 run, 2 wait (BeginTime)" in status.stdout
    done = passify("cancel", tmp_path / "run")
    assert (done.returncode, done.stdout.strip()) == (
        0,
        f"{tmp_path / 'run'}: cancelled: {submission.job_id}",
    )
    assert "no jobs wait or run" in passify("cancel", tmp_path / "run").stdout
    assert "not running" in passify("status", tmp_path / "run").stdout


def test_failed_shards_are_listed(slurm: Cluster, tmp_path: Path) -> None:
    photos = many(tmp_path / "photos", 20)
    broken = "python:tests.support.detectors:AlwaysRaising"
    done = passify("run", photos, "--out", tmp_path / "run", *options("--face-detector", broken))
    assert done.returncode == 1
    assert "2 of 2 shards failed" in done.stderr
    assert "the detector python:tests.support.detectors:AlwaysRaising failed on all" in done.stderr
    assert "the network is broken" in done.stderr
    # It was tried again where it failed; nothing was submitted again for it.
    (submission,) = load_submissions(tmp_path / "run")
    assert str(submission.log(tmp_path / "run", 0)) in done.stderr


def test_task_killed_by_memory(
    slurm: Cluster, photos: Path, expected: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pass_dataset.executors.slurm.executor._MAX_ROUNDS", 2)
    hungry = {"face": "python:tests.support.detectors:Hungry", "shard_size": 60}
    where = executor(resources=replace(CPU, memory_gb=0.5))
    with pytest.raises(RunError) as caught:
        run_on_slurm(photos, tmp_path / "run", where, **hungry)
    message = str(caught.value)
    assert "1 of 1 shards failed, though they were tried again" in message
    assert "needed more memory than it had asked for: more is given with --slurm-mem-gb" in message
    assert len(load_submissions(tmp_path / "run")) == 2
    run_on_slurm(photos, tmp_path / "run", executor(), **hungry)
    assert rows_of(tmp_path / "run") == expected


def test_preempted_tasks_come_back(
    slurm: Cluster, photos: Path, expected: Rows, tmp_path: Path
) -> None:
    command = ["run", photos, "--out", tmp_path / "run", *options("--face-detector", SLOW)]
    process = start_passify(*command)
    wait_until(lambda: "RUNNING" in slurm.ask("squeue", "--noheader", "--format=%T"))
    everything = slurm.ask("sinfo", "--noheader", "--partition=urgent", "--format=%c").strip()
    slurm.ask(
        "sbatch", "--partition=urgent", f"--ntasks={everything}", "--mem=100M",
        "--output=/dev/null", "--wrap=sleep 1",
    )  # fmt: skip
    _, said = process.communicate()
    assert process.returncode == 0, said
    (submission,) = load_submissions(tmp_path / "run")
    jobs = [
        slurm.ask("scontrol", "show", "job", f"{submission.job_id}_{index}") for index in (0, 1)
    ]
    assert any("Restarts=1" in job for job in jobs)
    assert rows_of(tmp_path / "run") == expected


def test_task_at_its_time_limit_queues_itself_again(
    slurm: Cluster, photos: Path, expected: Rows, tmp_path: Path
) -> None:
    process = start_passify(
        "run", photos, "--out", tmp_path / "run", *options("--face-detector", SLOW)
    )
    wait_until(RunFolder(tmp_path / "run").done)
    (submission,) = load_submissions(tmp_path / "run")
    # What SLURM sends before the end of a task's time, to all of its processes.
    slurm.ask("scancel", "--signal=USR2", f"{submission.job_id}_1")
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert load_submissions(tmp_path / "run") == [submission]
    log = submission.log(tmp_path / "run", 1).read_text()
    assert "Caught signal SIGUSR2" in log
    assert "Restarts=1" in slurm.ask("scontrol", "show", "job", f"{submission.job_id}_1")
    # No image is to blame for that.
    assert not list((tmp_path / "run").glob("crashes/*"))
    assert rows_of(tmp_path / "run") == expected


def test_slurm_may_be_silent_for_a_while(
    slurm: Cluster, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    conf = (slurm.folder / "slurm.conf").read_text()
    lost = tmp_path / "slurm.conf"
    lost.write_text(conf.replace("SlurmctldPort=", "SlurmctldPort=1#"))
    folder = RunFolder(tmp_path / "run")
    answers = iter([str(lost)] * 3)

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        monkeypatch.setenv("SLURM_CONF", next(answers, str(slurm.folder / "slurm.conf")))

    run_filter(folder, settings_for(photos, shard_size=30), executor(sleep=sleep))
    assert "Unable to contact slurm controller" in caplog.text
    assert Results(folder).missing_shards == 0
    assert len(load_submissions(folder.path)) == 1


def test_tasks_that_never_start_are_told(slurm: Cluster, photos: Path, tmp_path: Path) -> None:
    process = start_passify(
        "run", photos, "--out", tmp_path / "run", *options("--slurm-time", "30-0")
    )
    assert process.stderr is not None
    told = "SLURM holds 2 tasks back: PartitionTimeLimit"
    assert any(told in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    process.communicate()
    passify("cancel", tmp_path / "run")


def test_partition_that_is_not_there(slurm: Cluster, photos: Path, tmp_path: Path) -> None:
    where = executor(resources=replace(CPU, partition="nowhere"))
    with pytest.raises(SchedulerError, match="invalid partition specified: nowhere"):
        run_on_slurm(photos, tmp_path / "run", where)
    assert load_submissions(tmp_path / "run") == []
    # What was planned is there for the right one.
    run_on_slurm(photos, tmp_path / "run", executor())


def test_without_slurm(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SchedulerError, match="was not found: this is no machine of a SLURM"):
        run_on_slurm(photos, tmp_path / "run", executor())


def test_without_submitit(
    slurm: Cluster, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pass-dataset\[slurm\]'"):
        run_on_slurm(photos, tmp_path / "run", executor())


def test_percent_in_the_path(slurm: Cluster, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="'%' or a line break"):
        run_on_slurm(photos, tmp_path / "100%", executor())


def test_options_are_checked() -> None:
    def refused(*more: str) -> str:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pass_dataset.passify",
                "run",
                ".",
                "--out",
                "x",
                *more,
            ],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        return done.stderr

    assert "expected a name without spaces" in refused("--slurm-partition", "a b")
    assert "memory_gb: expected a number over 0" in refused("--slurm-mem-gb", "0")
    assert "expected a time such as" in refused("--slurm-time", "8h")
    assert "expected KEY=VALUE" in refused("--slurm-option", "exclusive")
    assert "set by the executor itself" in refused("--slurm-gpu-option", "array=0-3")
