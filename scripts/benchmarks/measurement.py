"""How the benchmarks measure a command, and how they print what they found."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# ru_maxrss counts kilobytes of 1024 bytes on Linux, bytes on macOS.
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


class BenchmarkError(Exception):
    """The benchmark cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class Run:
    """What one command did.

    Attributes:
        seconds: from start to end of the process.
        cpu_s: processor time, that of processes which it waited for too.
        peak_mb: resident set of its largest process, in units of 10^6 bytes.
        output: what it wrote to stdout.
    """

    seconds: float
    cpu_s: float
    peak_mb: float
    output: str


def measure(command: Sequence[str | Path]) -> Run:
    """Run `command` and wait for it.

    Raises:
        BenchmarkError: it failed; the message has the end of what it said.
    """
    # Files rather than pipes: nothing has to be read while the command runs. The command's peak
    # counts from this process's own, which is why nothing large is ever imported here.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        with subprocess.Popen([str(part) for part in command], stdout=out, stderr=err) as process:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        output = out.read().decode(errors="replace")
        complaint = err.read().decode(errors="replace")
    if process.returncode:
        said = (complaint.strip() or output.strip() or "(it said nothing)")[-2000:]
        words = " ".join(str(part) for part in command if "\n" not in str(part))
        raise BenchmarkError(f"exit status {process.returncode} of: {words}\n{said}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return Run(seconds, cpu_s, usage.ru_maxrss * MAXRSS_BYTES / 1e6, output)


@dataclass(frozen=True)
class TreeRun:
    """What one command and the processes that it started did.

    Attributes:
        seconds: from start to end of the process.
        cpu_s: processor time of all of them, which a busy machine changes least.
        peak_mb: memory of all of them together at its highest, shared pages counted once, in units
            of 10^6 bytes.
        output: what it wrote to stdout.
    """

    seconds: float
    cpu_s: float
    peak_mb: float
    output: str


def measure_tree(command: Sequence[str | Path], poll_s: float = 0.25) -> TreeRun:
    """Run `command` and wait for it, looking at its memory and that of its children.

    Raises:
        BenchmarkError: it failed; the message has the end of what it said.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=err)
        peak_bytes = 0
        while True:
            peak_bytes = max(peak_bytes, tree_bytes(process.pid))
            waited, status, usage = os.wait4(process.pid, os.WNOHANG)
            if waited:
                break
            time.sleep(poll_s)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        output, complaint = out.read().decode(), err.read().decode(errors="replace")
    if process.returncode:
        raise BenchmarkError(f"exit status {process.returncode}: {complaint.strip()[-2000:]}")
    return TreeRun(seconds, usage.ru_utime + usage.ru_stime, peak_bytes / 1e6, output)


def tree_bytes(root: int) -> int:
    """Memory of a process and all below it, pages that they share counted once (Linux)."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError, IndexError, ValueError):
                # The name, which may hold anything, is in brackets before the parent.
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    members = {root}
    while True:
        below = {child for child, parent in parents.items() if parent in members} - members
        if not below:
            break
        members |= below
    return sum(map(share_bytes, members))


def share_bytes(process: int) -> int:
    """Memory of a process, of shared pages its share: the proportional set size (Linux); else 0."""
    with contextlib.suppress(OSError):
        for line in (Path("/proc") / str(process) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def package_command(*arguments: str | Path) -> list[str | Path]:
    """The package's command line, run by this Python."""
    return [sys.executable, "-m", "pass_dataset", *arguments]


def require_package() -> None:
    """Fail early, before anything large is made, where the package is not installed."""
    try:
        measure([sys.executable, "-c", "import pass_dataset"])
    except BenchmarkError as error:
        raise BenchmarkError(f"pass_dataset is not installed (pip install .): {error}") from error


def machine_line() -> str:
    """Processor, cores this process may use, system and Python."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    return (
        f"machine: {model}, {cores} cores; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}"
    )


def format_table(lines: Sequence[Sequence[str]]) -> str:
    """Columns aligned: the first to the left, all others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
