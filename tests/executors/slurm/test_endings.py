from __future__ import annotations

from pathlib import Path

import pytest

from pass_dataset.executors.slurm.endings import describe_ending, read_end
from pass_dataset.executors.slurm.scheduler import TaskState

FAILED = TaskState("FAILED", "NonZeroExitCode")


@pytest.mark.parametrize(
    ("state", "log_end", "words"),
    [
        (TaskState("OUT_OF_MEMORY", "OutOfMemory"), "", "more memory than it had asked for: --mem"),
        (FAILED, "slurmstepd: error: Detected 1 oom-kill event(s)", "more memory"),
        (FAILED, "slurmstepd-n1: error: Exceeded job memory limit", "more memory"),
        (FAILED, "error: StepId=1.0 exceeded memory limit (300 > 60), being killed", "more memory"),
        (TaskState("TIMEOUT", "TimeLimit"), "", "time limit: --time"),
        (FAILED, "Job not requeued because: timed-out too many times.", "time limit"),
        (TaskState("PENDING", "DependencyNeverSatisfied"), "", "waited for a task that failed"),
        (TaskState("CANCELLED", "None"), "slurmstepd: error: *** JOB 4 CANCELLED", "was cancelled"),
        (TaskState("NODE_FAIL", "None"), "", "its node failed"),
        (FAILED, "srun: error: n1: task 0: Killed\n", "was killed, most often because memory"),
        (FAILED, "one\nValueError: no such thing\n\n", "it said last: ValueError: no such thing"),
        (FAILED, "", "SLURM says FAILED (NonZeroExitCode)"),
        (None, "", "SLURM says no more of it"),
    ],
)
def test_describe_ending(state: TaskState | None, log_end: str, words: str) -> None:
    found = describe_ending(state, log_end, memory_option="--mem", time_option="--time")
    assert words in found
    assert "\n" not in found


def test_read_end(tmp_path: Path) -> None:
    assert read_end(tmp_path / "nothing") == ""
    log = tmp_path / "log"
    log.write_bytes(b"x" * 10_000 + b"\xffend\n")
    assert len(read_end(log, 100)) == 100
    assert read_end(log, 5).endswith("end\n")
