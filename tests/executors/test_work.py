"""Work of one's own, here, on SLURM and on Ray: the same results, whatever dies on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.errors import RunError, WeightsError
from pass_dataset.executors import work as work_module
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.executors.ray import RayExecutor
from pass_dataset.executors.ray_settings import RaySettings
from pass_dataset.executors.slurm.executor import SlurmExecutor, Waiting
from pass_dataset.executors.slurm.settings import SlurmResources, SlurmSettings
from pass_dataset.executors.slurm.submissions import load_submissions
from pass_dataset.executors.tasks import do_task
from pass_dataset.executors.work import work_of
from tests.support.counting import CountFolder, Counting, count, give
from tests.support.passify import ROOT, processes_with
from tests.support.ray_cluster import ray_cluster
from tests.support.slurm import Cluster
from tests.support.waiting import wait_until

#: Three shards; a file of the second kills whoever counts it.
SHARDS: tuple[list[bytes], ...] = ([b"a", b"bb"], [b"ccc", b"deadly", b""], [b"dddd"])
RESULTS = ["000: 2\n001: 4", "000: 6\n001: died\n002: 0", "000: 8"]
SOUND = [list(shard) for shard in (SHARDS[0], [b"ccc"], SHARDS[2])]


# --- here -----------------------------------------------------------------------------------------


def test_counted_here(tmp_path: Path) -> None:
    folder = give(tmp_path / "count", *SHARDS)
    found = count(folder, LocalExecutor(Counting(workers=2, factor=2)))
    assert found == [
        {"shard": 0, "images": 2, "size_bytes": 3},
        {"shard": 1, "images": 3, "size_bytes": 9},
        {"shard": 2, "images": 1, "size_bytes": 4},
    ]
    assert folder.results() == RESULTS
    assert folder.done() == {0, 1, 2}
    # A second time nothing is left to do.
    assert count(folder, LocalExecutor(Counting(workers=2))) == []


def test_shard_that_fails_is_named(tmp_path: Path) -> None:
    folder = give(tmp_path / "count", [b"a"], [b"broken"])
    with pytest.raises(RunError, match=r"1 of 2 shards failed[\s\S]*shard 1: .*cannot be counted"):
        count(folder, LocalExecutor(Counting(workers=1)))
    assert folder.done() == {0}
    assert list(folder.failures()) == [1]
    (folder.path / "given" / "000001" / "000").write_bytes(b"whole")
    assert [marker["shard"] for marker in count(folder, LocalExecutor(Counting(workers=1)))] == [1]
    assert folder.failures() == {}


def test_error_that_the_work_calls_fatal_ends_all(tmp_path: Path) -> None:
    folder = give(tmp_path / "count", [b"fatal"], [b"a"])
    with pytest.raises(WeightsError, match="nothing can be counted"):
        count(folder, LocalExecutor(Counting(workers=1)))


def test_some_shards_as_a_task(tmp_path: Path) -> None:
    folder = give(tmp_path / "count", *SOUND)
    work = Counting(workers=1)
    do_task(folder, [ShardJob(0), ShardJob(2)], work, name="task")
    do_task(folder, [ShardJob(0), ShardJob(2)], work, name="task")
    assert folder.done() == {0, 2}


@pytest.mark.slow
def test_killed_again_and_again(tmp_path: Path) -> None:
    folder = give(tmp_path / "count", *([b"x" * number] for number in range(12)))
    script = (
        "import sys; from pathlib import Path; "
        "from pass_dataset.executors.local import LocalExecutor; "
        "from tests.support.counting import *; "
        "count(CountFolder(sys.argv[1]), LocalExecutor(Counting(workers=2, delay_s=0.05)))"
    )
    command = [sys.executable, "-c", script, os.fspath(folder.path)]
    for least in (1, 4, 7):
        process = subprocess.Popen(command, cwd=ROOT)
        wait_until(lambda least=least: len(folder.done()) >= least, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    wait_until(lambda: not processes_with(os.fspath(folder.path)))
    subprocess.run(command, cwd=ROOT, check=True)
    assert folder.results() == [f"000: {number}" for number in range(12)]


# --- how work travels -----------------------------------------------------------------------------


def test_work_is_made_anew_from_its_name() -> None:
    work = Counting(workers=3, factor=7)
    assert work.name == "tests.support.counting:Counting"
    assert work_of(work.name, work.to_json()) == work


@pytest.mark.parametrize("name", ["os:system", "tests.support.counting:CountFolder", "json:loads"])
def test_only_work_is_work(name: str) -> None:
    with pytest.raises(TypeError, match="expected a kind of work"):
        work_of(name, "{}")


def test_no_file_of_the_folder_names_code(tmp_path: Path) -> None:
    """Whoever hands over a folder cannot have code run: what is done is not read from there."""
    folder = give(tmp_path / "count", [b"a"])
    count(folder, LocalExecutor(Counting(workers=1)))
    for path in folder.path.rglob("*.json"):
        assert "Counting" not in path.read_text(), path


def test_numbers_are_checked() -> None:
    with pytest.raises(ValueError, match="workers: expected a number of 1 or more, found 0"):
        Counting(workers=0)


def test_gpus_are_for_work_that_uses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnGpu(Counting):
        uses_gpus = True

    monkeypatch.setattr(work_module, "_visible_gpus", lambda: 2)
    assert [share.device for share in OnGpu(cores=4).shares()] == ["cuda:0", "cuda:1"]
    assert [share.threads for share in OnGpu(cores=4).shares()] == [2, 2]
    assert {share.on_gpu for share in Counting(cores=4).shares()} == {False}
    assert len(Counting(cores=4).shares()) == 4
    assert len(Counting(cores=4).shares(2)) == 2


def test_job_is_a_line() -> None:
    job = ShardJob(7, careful=True)
    assert ShardJob.from_json(job.to_json()) == job
    assert json.loads(job.to_json()) == {"shard": 7, "careful": True}


# --- elsewhere ------------------------------------------------------------------------------------

CPU = SlurmResources(partition="cpu", cpus=1, memory_gb=1, time_limit_min=60)


def test_counted_on_slurm(slurm: Cluster, tmp_path: Path) -> None:
    folder = give(tmp_path / "count", *SHARDS)
    settings = SlurmSettings(resources=CPU, max_tasks=2)
    # Of what is for GPUs it has nothing: it goes where all goes.
    settings = replace(settings, gpu=replace(CPU, partition="gpu", gpus=1))
    work = Counting(workers=1, factor=2)
    found = count(folder, SlurmExecutor(settings, work, Waiting(poll_s=0.3, settle_s=3)))
    assert [marker["shard"] for marker in found] == [0, 1, 2]
    assert folder.results() == RESULTS
    (submission,) = load_submissions(folder.path)
    assert (submission.stage, submission.partition) == ("all", "cpu")
    assert "JobName=count-all" in slurm.ask("scontrol", "show", "job", f"{submission.job_id}_0")


@pytest.fixture
def ray() -> Iterator[Any]:
    """A cluster of two cores."""
    with ray_cluster() as ray:
        yield ray


@pytest.mark.ray
def test_counted_on_ray(ray: Any, tmp_path: Path) -> None:
    folder = give(tmp_path / "count", *SHARDS)
    found = count(folder, RayExecutor(RaySettings(workers=2), Counting(factor=2)))
    assert [marker["shard"] for marker in found] == [0, 1, 2]
    assert folder.results() == RESULTS
    assert isinstance(folder, CountFolder)
