from __future__ import annotations

from pathlib import Path

import pytest

from pass_dataset.errors import SchedulerError
from pass_dataset.executors.slurm import scheduler
from pass_dataset.executors.slurm.scheduler import TaskState, parse_squeue
from tests.support.slurm import MAX_ARRAY_SIZE, Cluster
from tests.support.waiting import wait_until


def test_parse_squeue() -> None:
    text = "12|0|RUNNING|None\n12|1|PENDING|Resources\n13|N/A|OUT_OF_MEMORY|OutOfMemory\n"
    assert parse_squeue(text) == {
        (12, 0): TaskState("RUNNING", "None"),
        (12, 1): TaskState("PENDING", "Resources"),
        (13, 0): TaskState("OUT_OF_MEMORY", "OutOfMemory"),
    }
    assert parse_squeue("") == {}


@pytest.mark.parametrize(
    ("state", "reason", "active", "running"),
    [
        ("PENDING", "Resources", True, False),
        ("PENDING", "BeginTime", True, False),
        ("PENDING", "DependencyNeverSatisfied", False, False),
        ("RUNNING", "None", True, True),
        ("COMPLETING", "None", True, True),
        ("COMPLETED", "None", False, False),
        ("FAILED", "NonZeroExitCode", False, False),
        ("NODE_FAIL", "None", False, False),
        ("SOMETHING_NEW", "None", False, False),
    ],
)
def test_states(state: str, reason: str, active: bool, running: bool) -> None:
    task = TaskState(state, reason)
    assert (task.is_active, task.is_running) == (active, running)


def test_without_slurm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SchedulerError, match=r"squeue was not found.*login nodes"):
        scheduler.ask_tasks([1])
    assert scheduler.ask_tasks([]) == {}
    scheduler.cancel([])


def test_slurm_that_does_not_answer(
    slurm: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lost = tmp_path / "slurm.conf"
    lost.write_text((slurm.folder / "slurm.conf").read_text() + "MessageTimeout=1\n")
    edited = "".join(
        "SlurmctldPort=1\n" if line.startswith("SlurmctldPort") else line
        for line in lost.read_text().splitlines(keepends=True)
    )
    lost.write_text(edited)
    monkeypatch.setenv("SLURM_CONF", str(lost))
    with pytest.raises(SchedulerError, match=r"squeue: .*Unable to contact slurm controller"):
        scheduler.ask_tasks([1])


def test_real_tasks(slurm: Cluster) -> None:
    def submit(*options: str) -> int:
        output = slurm.ask("sbatch", "--parsable", "--output=/dev/null", *options)
        return int(output)

    array = submit("--array=0-2%1", "--wrap=sleep 60")
    failing = submit("--partition=urgent", "--wrap=exit 3")
    wait_until(lambda: not scheduler.ask_tasks([failing])[failing, 0].is_active)
    states = scheduler.ask_tasks([array, failing])
    assert set(states) == {(array, 0), (array, 1), (array, 2), (failing, 0)}
    assert states[failing, 0] == TaskState("FAILED", "NonZeroExitCode")
    assert states[array, 2] == TaskState("PENDING", "JobArrayTaskLimit")
    scheduler.cancel([array, failing])
    wait_until(lambda: not any(s.is_active for s in scheduler.ask_tasks([array]).values()))
    assert scheduler.ask_tasks([array])[array, 2].state == "CANCELLED"
    # Jobs of others are none of ours.
    assert scheduler.ask_tasks([array + 1000]) == {}
    assert scheduler.ask_max_array_size() == MAX_ARRAY_SIZE
