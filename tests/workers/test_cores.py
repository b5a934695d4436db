from __future__ import annotations

import os
from pathlib import Path

import pytest

from pass_dataset.workers import cores
from pass_dataset.workers.cores import available_cores


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of 64 cores without limits: the folder that stands for ``/sys/fs/cgroup``."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    monkeypatch.setattr(cores, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(cores, "_MOUNT", tmp_path / "mount")
    return tmp_path / "mount"


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def test_cores_it_is_bound_to(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert available_cores() == 64
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5}, raising=False)
    assert available_cores() == 2


def test_where_nothing_can_be_bound(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert available_cores() == 8
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


@pytest.mark.parametrize(
    ("limit", "found"),
    [
        ("max 100000", 64),
        ("400000 100000", 4),
        ("150000 100000", 2),
        ("10000 100000", 1),
        ("max", 64),
        ("what is this", 64),
        ("100000 0", 64),
    ],
)
def test_quota_of_a_container(groups: Path, limit: str, found: int) -> None:
    put(groups.with_name("groups"), "0::/")
    put(groups / "cpu.max", limit)
    assert available_cores() == found


def test_quota_of_a_group_above(groups: Path) -> None:
    put(groups.with_name("groups"), "0::/user.slice/job:7/step")
    put(groups / "user.slice" / "cpu.max", "300000 100000")
    put(groups / "user.slice" / "job:7" / "step" / "cpu.max", "800000 100000")
    assert available_cores() == 3


@pytest.mark.parametrize("inside", ["docker/abc", ""])
def test_quota_of_the_first_version(groups: Path, inside: str) -> None:
    """In a container its group is named as the host sees it, and not there by that name."""
    put(groups.with_name("groups"), "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/")
    put(groups / "cpu" / inside / "cpu.cfs_quota_us", "250000")
    put(groups / "cpu" / inside / "cpu.cfs_period_us", "100000")
    assert available_cores() == 3
    put(groups / "cpu" / inside / "cpu.cfs_quota_us", "-1")
    assert available_cores() == 64


@pytest.mark.parametrize(("given", "found"), [("5", 5), ("128", 64), ("", 64), ("many", 64)])
def test_what_slurm_gave(
    groups: Path, monkeypatch: pytest.MonkeyPatch, given: str, found: int
) -> None:
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", given)
    assert available_cores() == found


def test_this_machine() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
