"""Benchmark: many images through `pass-curate duplicates`, whole and with three kill -9.

    python scripts/benchmarks/bench_duplicates_killed.py --images 100000

Small JPEGs of noise in 20 tars are made, of which one in ten is one before it: the same file, the
same pixels as PNG, or nearly the same. The command goes over them once, and once killed three
times: after a quarter of the hashes, after three quarters, and while images are compared. Told are
time, processor time and memory, whether all that was planted was found and nothing else, and
whether the results are the same to the byte.
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from measurement import BenchmarkError, format_table, machine_line, measure_tree, require_package

TARS = 20
#: Every so many-th image is made of the one before it.
EVERY = 10
RESULTS = ("pairs.parquet", "groups.parquet", "images.parquet", "kept.txt", "dropped.txt",
           "broken.txt", "summary.json")  # fmt: skip


def make_images(folder: Path, count: int) -> dict[str, int]:
    """Makes them; returns how many duplicates of each tier there are."""
    import numpy as np
    from PIL import Image

    folder.mkdir()
    planted = {"bytes": 0, "pixels": 0, "near": 0}
    with ExitStack() as stack:
        paths = [folder / f"{number:02}.tar" for number in range(TARS)]
        tars = [stack.enter_context(tarfile.open(path, "w")) for path in paths]
        last = b""
        for number in range(count):
            if number % EVERY == EVERY - 1:
                tier = tuple(planted)[number // EVERY % len(planted)]
                planted[tier] += 1
                name, data = f"{number}.{tier}.jpg", last
                if tier != "bytes":
                    buffer = io.BytesIO()
                    with Image.open(io.BytesIO(last)) as image:
                        if tier == "pixels":
                            image.save(buffer, "PNG", compress_level=1)
                        else:
                            image.resize((120, 90)).save(buffer, "JPEG", quality=60)
                    data = buffer.getvalue()
            else:
                cells = np.random.default_rng(number).integers(0, 255, (15, 20, 3), np.uint8)
                made = Image.fromarray(cells).resize((160, 120), Image.Resampling.BICUBIC)
                buffer = io.BytesIO()
                made.save(buffer, "JPEG", quality=80)
                name, data = f"{number}.jpg", buffer.getvalue()
            last = data
            member = tarfile.TarInfo(name)
            member.size = len(data)
            # A duplicate is in another tar than its original.
            tars[number % TARS].addfile(member, io.BytesIO(data))
    return planted


def command(images: Path, out: Path) -> list[str]:
    """Of the command line."""
    told = ["duplicates", str(images), "--out", str(out), "--no-report"]
    return [sys.executable, "-m", "pass_dataset.curate", *told]


def killed_when(asked: list[str], moment: Callable[[], bool]) -> None:
    """Begins a command, and kills it at a moment.

    Raises:
      BenchmarkError: it ended before.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(asked, stdout=said, stderr=said)
        while not moment():
            if process.poll() is not None:
                said.seek(0)
                raise BenchmarkError(f"ended before it was killed: {said.read().decode()[-2000:]}")
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def has(out: Path, least: int) -> bool:
    """Whether so many hashes are there."""
    import pyarrow.parquet as pq

    paths = out.glob("hashes/*.parquet")
    made: int = sum(pq.read_metadata(path).num_rows for path in paths)
    return made >= least


def bench(count: int, root: Path) -> str:
    """The table."""
    images, whole, cut = root / "images", root / "whole", root / "cut"
    planted = make_images(images, count)
    run = measure_tree(command(images, whole))

    for least in (count // 4, 3 * count // 4):
        killed_when(command(images, cut), functools.partial(has, cut, least))
    # All hashes are there, and the list of what was missing is gone: it compares.
    rounds = cut / "hashes" / "rounds"
    killed_when(command(images, cut), lambda: has(cut, count) and not rounds.exists())
    if (cut / "pairs.parquet").exists():
        raise BenchmarkError("the last kill came too late")
    last = measure_tree(command(images, cut))
    same = [name for name in RESULTS if (cut / name).read_bytes() == (whole / name).read_bytes()]
    summary = json.loads((whole / "summary.json").read_text())
    found = {row["tier"]: row["pairs"] for row in summary["pairs"]}
    size_mb = sum(path.stat().st_size for path in images.iterdir()) / 1e6
    lines = [
        (f"{count:,} images, {size_mb:,.0f} MB", "seconds", "CPU-s", "peak MB"),
        ("at once", f"{run.seconds:.0f}", f"{run.cpu_s:.0f}", f"{run.peak_mb:,.0f}"),
        ("after three kills", f"{last.seconds:.0f}", f"{last.cpu_s:.0f}", f"{last.peak_mb:,.0f}"),
    ]
    told = ", ".join(f"{tier} {found.get(tier, 0):,}/{planted[tier]:,}" for tier in planted)
    return (
        f"{format_table(lines)}\n"
        f"pairs found of those planted: {told}; {summary['dropped']:,} of "
        f"{sum(planted.values()):,} duplicates go\n"
        f"files of results that are the same after three kills: {len(same)} of {len(RESULTS)}"
    )


def main() -> int:
    """Parse the arguments, run the benchmark, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=100_000, help="(%(default)s)")
    parser.add_argument("--folder", type=Path, help="where it works (default: a temporary one)")
    options = parser.parse_args()
    try:
        require_package()
        print(machine_line(), end="\n\n")
        with tempfile.TemporaryDirectory(dir=options.folder) as root:
            print(bench(options.images, Path(root)))
    except BenchmarkError as error:
        print(f"bench_duplicates_killed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
