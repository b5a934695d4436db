"""Cores: how many this process may use, which is often fewer than the machine has."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

__all__ = ["available_cores"]

_GROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


def available_cores() -> int:
    """Number of cores that this process may use, at least 1.

    The least of: the cores it is bound to; the processor time that its control groups may take, as
    containers set it, rounded up; and what SLURM gave the task, as clusters do not always bind it.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limits = [bound or 1, *map(math.ceil, _quotas(_GROUPS, _MOUNT))]
    given = os.environ.get("SLURM_CPUS_PER_TASK", "")
    if given.isdecimal():
        limits.append(int(given))
    return max(1, min(limits))


def _quotas(groups: Path, mount: Path) -> Iterator[float]:
    """Cores that each control group over this process may use the time of; those with a limit.

    Args:
      groups: says in which groups the process is (man 7 cgroups).
      mount: where these are.
    """
    try:
        lines = groups.read_text().splitlines()
    except OSError:
        return  # not Linux
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            for folder in _and_above(mount, group):
                yield from _quota_v2(folder)
        elif "cpu" in controllers.split(","):
            for folder in _and_above(mount / "cpu", group):
                yield from _quota_v1(folder)


def _and_above(mount: Path, group: str) -> Iterator[Path]:
    """Folders of a group and of those above it.

    Within a container the group may be named as the host sees it, and the mount begins with it:
    then only the mount itself is there.
    """
    path = PurePosixPath(group.lstrip("/"))
    for one in (path, *path.parents) if path.parts else (path,):
        yield mount / one


def _quota_v2(folder: Path) -> Iterator[float]:
    # `max 100000`, or the microseconds of processor time in each period of so many.
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = (folder / "cpu.max").read_text().split()
        yield int(quota) / int(period)


def _quota_v1(folder: Path) -> Iterator[float]:
    # The same in two files; -1 is no limit.
    with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        period = int((folder / "cpu.cfs_period_us").read_text())
        if quota > 0:
            yield quota / period
