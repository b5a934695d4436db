"""Benchmark: two checkouts of this package side by side, at what its users wait for.

    git worktree add /tmp/before v2.0.0
    python scripts/benchmarks/compare_versions.py /tmp/before . --work /data/tmp

Each makes an archive folder of its own from the same synthetic release (`make_synthetic.py`, sizes
as those of photographs), and then both, in turn (A B, B A, A B ...), each as a process of its own:

- `verify`: all bytes hashed, without a receipt;
- `index`: all tars listed, without a saved index; `open`: with one;
- `read`: all records in order; `random`: 5,000 by chance; `stream`: PyTorch, JPEGs, two workers;
- `build tfds`, `build parquet`, `build webdataset`: on disk, until all is written back.

A row has the median seconds of both, the median of the ratios B/A of pairs and their range, and the
same of processor seconds, which a busy machine changes least.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from measurement import BenchmarkError, TreeRun, format_table, machine_line, measure_tree

MAKER = Path(__file__).with_name("make_synthetic.py")

# Run as `python -c CODE FOLDER`. Only what both versions have.
OPEN = """
import sys
from pass_dataset import PassArchive
archive = PassArchive(sys.argv[1], sys.argv[1] + "/checksums.tsv")
"""
READ = OPEN + "print(sum(len(record.jpeg) for record in archive))"
RANDOM = (
    OPEN
    + """
import random
places = random.Random(0)
print(sum(len(archive[places.randrange(len(archive))].jpeg) for _ in range(5000)))
"""
)
STREAM = """
import sys
import torch.utils.data
from pass_dataset.torch import PassStream
stream = PassStream(
    sys.argv[1], release=sys.argv[1] + "/checksums.tsv", batch_size=64, decode="jpeg", target=None
)
print(sum(len(batch) for batch in torch.utils.data.DataLoader(stream, None, num_workers=2)))
"""


@dataclass(frozen=True)
class Version:
    """A checkout, the archive folder that it made, where it builds, and its cache."""

    checkout: Path
    work: Path

    @property
    def archives(self) -> Path:
        return self.work / "archives"

    @property
    def out(self) -> Path:
        return self.work / "out"

    def python(self, *arguments: str | Path) -> list[str | Path]:
        """A command run by this Python with this checkout's package and a cache of its own."""
        settings = [f"PYTHONPATH={self.checkout}", f"XDG_CACHE_HOME={self.work / 'cache'}"]
        return ["env", "-C", "/", *settings, sys.executable, *arguments]

    def build(self, name: str) -> list[str | Path]:
        where = "--data-dir" if name == "tfds" else "--out"
        places: list[str | Path] = ["--archives", self.archives, where, self.out]
        places += ["--release", self.archives / "checksums.tsv", "--workers", "2"]
        return self.python("-m", "pass_dataset", "build", name, *places)


def _forget_receipt(version: Version) -> None:
    (version.archives / "pass_receipt.json").unlink(missing_ok=True)


def _forget_index(version: Version) -> None:
    (version.archives / "pass_index.arrow").unlink(missing_ok=True)


def _forget_build(version: Version) -> None:
    shutil.rmtree(version.out, ignore_errors=True)
    os.sync()


def _nothing(version: Version) -> None:
    """Leaves all as it is."""


@dataclass(frozen=True)
class Task:
    """What is measured, and what is taken away before each run of it."""

    command: Callable[[Version], list[str | Path]]
    prepare: Callable[[Version], None] = _nothing
    written: bool = False


def _verify(version: Version) -> list[str | Path]:
    release = version.archives / "checksums.tsv"
    return version.python("-m", "pass_dataset", "verify", version.archives, "--release", release)


def _code(code: str) -> Callable[[Version], list[str | Path]]:
    return lambda version: version.python("-c", code, version.archives)


TASKS = {
    "verify": Task(_verify, _forget_receipt),
    "index": Task(_code(OPEN), _forget_index),
    "open": Task(_code(OPEN)),
    "read": Task(_code(READ)),
    "random": Task(_code(RANDOM)),
    "stream": Task(_code(STREAM)),
    "build tfds": Task(lambda version: version.build("tfds"), _forget_build, written=True),
    "build parquet": Task(lambda version: version.build("parquet"), _forget_build, written=True),
    "build webdataset": Task(
        lambda version: version.build("webdataset"), _forget_build, written=True
    ),
}


def run_once(task: Task, version: Version) -> TreeRun:
    """One run of one task, until what it wrote is on disk."""
    task.prepare(version)
    if not task.written:
        return measure_tree(task.command(version), poll_s=0.02)
    done = measure_tree(["sh", "-c", '"$@" && sync', "sh", *task.command(version)], poll_s=0.02)
    _forget_build(version)
    return done


def compared(name: str, pairs: list[tuple[TreeRun, TreeRun]]) -> list[str]:
    """A row of the table."""
    row = [name]
    for figures in (
        [(a.seconds, b.seconds) for a, b in pairs],
        [(a.cpu_s, b.cpu_s) for a, b in pairs],
    ):
        ratios = sorted(b / a for a, b in figures)
        row += [
            f"{median(a for a, _ in figures):.2f}",
            f"{median(b for _, b in figures):.2f}",
            f"{median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})",
        ]
    return row


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("a", type=Path, help="checkout A: before")
    parser.add_argument("b", type=Path, help="checkout B: after")
    parser.add_argument("--work", type=Path, required=True, help="folder for all that is made")
    parser.add_argument("--images", type=int, default=25_000, help="(default: 25000, 3.1 GB)")
    parser.add_argument("--rounds", type=int, default=7, help="pairs of runs (default: 7)")
    parser.add_argument("--only", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK")
    options = parser.parse_args()
    versions = [
        Version(checkout.resolve(), options.work.resolve() / name)
        for name, checkout in (("a", options.a), ("b", options.b))
    ]
    try:
        for version in versions:
            if not version.archives.exists():
                size = ["--images", str(options.images), "--body-bytes-mean", "124000"]
                measure_tree([sys.executable, MAKER, *size, version.archives])
            measure_tree(_verify(version))
        print(machine_line(), flush=True)
        rows = [["task", "A s", "B s", "B/A", "A cpu s", "B cpu s", "B/A"]]
        for name in options.only:
            for version in versions:
                run_once(TASKS[name], version)
            pairs = []
            for turn in range(options.rounds):
                order = versions if turn % 2 == 0 else versions[::-1]
                done = {version: run_once(TASKS[name], version) for version in order}
                pairs.append((done[versions[0]], done[versions[1]]))
            rows.append(compared(name, pairs))
            print("  ".join(rows[-1]), file=sys.stderr, flush=True)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    print(format_table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
