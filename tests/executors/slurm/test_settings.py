from __future__ import annotations

import pytest

from pass_dataset.executors.slurm.settings import (
    CPU_TASK,
    GPU_TASK,
    SlurmResources,
    SlurmSettings,
    format_time,
    parse_time_min,
)


def test_as_published() -> None:
    assert (CPU_TASK.cpus, CPU_TASK.memory_gb, CPU_TASK.time_limit_min, CPU_TASK.gpus) == (
        2,
        5,
        480,
        0,
    )
    assert (GPU_TASK.cpus, GPU_TASK.memory_gb, GPU_TASK.time_limit_min, GPU_TASK.gpus) == (
        5,
        10,
        480,
        1,
    )
    assert SlurmSettings().max_parallel_tasks == 50


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"partition": "cpu gpu"}, "partition: expected a name without spaces and quotes"),
        ({"partition": ""}, "partition: expected a name"),
        ({"cpus": 0}, "cpus: expected a number of 1 or more, found 0"),
        ({"gpus": -1}, "gpus: expected a number of 0 or more, found -1"),
        ({"time_limit_min": 0}, "time_limit_min: expected a number of 1 or more"),
        ({"memory_gb": 0.0}, "memory_gb: expected a number over 0"),
        ({"memory_gb": float("nan")}, "memory_gb: expected a number over 0"),
        ({"options": (("--exclude", "node7"),)}, "without its dashes"),
        ({"options": (("array", "0-3"),)}, "'array' is set by the executor itself"),
        ({"options": (("comment", "a\n#SBATCH --exclusive"),)}, "expected one line"),
        ({"options": (("comment", "a\r#SBATCH --exclusive"),)}, "expected one line"),
        ({"constraint": "a\n#SBATCH --exclusive"}, "constraint: expected one line"),
        ({"partition": "a\x1b"}, "partition: expected a name"),
        ({"memory_gb": float("inf")}, "memory_gb: expected a number over 0 and under 1,000,000"),
    ],
)
def test_resources_check_themselves(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SlurmResources(**changes)  # type: ignore[arg-type]


def test_settings_check_themselves() -> None:
    with pytest.raises(ValueError, match="max_parallel_tasks: expected a number of 1 or more"):
        SlurmSettings(max_parallel_tasks=0)
    with pytest.raises(ValueError, match="account: expected a name"):
        SlurmSettings(account="my group")


@pytest.mark.parametrize("line", ["module load a\nrm b", "a\r", "a\u2028b", "#SBATCH --exclusive"])
def test_setup_is_of_lines(line: str) -> None:
    with pytest.raises(ValueError, match="setup: "):
        SlurmSettings(setup=("module load cuda", line))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("90", 90),
        ("90:00", 90),
        ("90:01", 91),
        ("8:00:00", 480),
        ("1-0", 1440),
        ("1-02:30", 1590),
        ("2-12:00:01", 3601),
        ("0:30", 1),
    ],
)
def test_times_as_sbatch_takes_them(text: str, minutes: int) -> None:
    assert parse_time_min(text) == minutes


@pytest.mark.parametrize("text", ["", "0", "8h", "-5", "1:2:3:4", "1-", "infinite"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a time"):
        parse_time_min(text)


@pytest.mark.parametrize(
    ("minutes", "text"), [(480, "8:00:00"), (9, "0:09:00"), (3000, "50:00:00")]
)
def test_times_are_read_back(minutes: int, text: str) -> None:
    assert format_time(minutes) == text
    assert parse_time_min(text) == minutes
