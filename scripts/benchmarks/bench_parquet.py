"""Benchmark: export PASS as Parquet, beside `cp -r`; and what reading the export costs.

    python scripts/benchmarks/bench_parquet.py                           in memory (/dev/shm)
    python scripts/benchmarks/bench_parquet.py --work /data/tmp --cold   on disk, not cached
    python scripts/benchmarks/bench_parquet.py --row-groups              what their size costs
    python scripts/benchmarks/bench_parquet.py --caches                  what ways of reading cost

makes a synthetic release with `make_synthetic.py` (3.1 GB as photographs go; with `--keep` it stays
for the next run), or takes `--source DIR`, and measures in each round

- `ours`: the export by one and by more workers, without a saved index, and with a tenth of the
  images (`--parts 0`), which shows whether memory grows with the set;
- `cp`: `cp -r` of the archives;

each a process of its own, measured from its start to its end, imports included; on disk (`--cold`),
until all is written back. Beforehand `pass-dataset verify` has put the archives on record. Then
records are read at random from the export and from the archives.

Rates are bytes of the archives over time. Memory is the peak of the process and its descendants
together, as RSS and as PSS: see `builds`. The target is for RSS.

`--caches` reads the export in several ways, each with an empty cache of its own, and says how many
bytes that cache holds at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median, quantiles

from builds import Run, Target, add_release_options, build, bytes_in, images_of, synthetic_release
from measurement import BenchmarkError, format_table, machine_line

TARGET_PEAK_MB = 1500.0
ROW_GROUP_MB = (1, 4, 16, 64, 128)
RANDOM_READS = 300

# Run as `python -c CODE SOURCE TARGET WORKERS PARTS ROW_GROUP_MB`.
OURS = """
import sys
from pathlib import Path
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.parquet.build import ParquetBuild
from pass_dataset.parquet.shard_format import ImageParquet
from pass_dataset.releases.release import parse_parts
source, target, workers, parts, row_group_mb = sys.argv[1:]
build = ParquetBuild(
    Path(target),
    ArchiveFolder.open(
        source, source + "/checksums.tsv", parse_parts(parts) if parts else None
    ),
    workers=int(workers),
    shard_format=ImageParquet(int(row_group_mb) << 20) if row_group_mb else ImageParquet(),
)
export, _ = build.run()
print(export.num_examples)
"""

# Run as `python -c CODE EXPORT`, with a cache of its own: a way of reading all, and its first line.
START = """
import sys, time
from pathlib import Path
started = time.perf_counter()
out = sys.argv[1]
def seen(size_bytes):
    global first
    if not first:
        first = time.perf_counter() - started
    return size_bytes
first = 0
"""
END = """
print(first, total / (time.perf_counter() - started) / 1e6)
"""
WITH_DATASETS = """
import datasets
datasets.disable_progress_bars()
loaded = datasets.load_dataset(out, split="train", streaming={streaming})
stored = loaded.cast_column("image", datasets.Image(decode=False))
total = sum(seen(len(row["image"]["bytes"])) for row in stored)
"""
WAYS = {
    "load_dataset(OUT)": WITH_DATASETS.format(streaming=False),
    "load_dataset(OUT, streaming=True)": WITH_DATASETS.format(streaming=True),
    "pyarrow.dataset, batches": """
import pyarrow.dataset
total = 0
scanned = pyarrow.dataset.dataset(out + "/data").to_batches(
    batch_size=32, batch_readahead=2, fragment_readahead=1
)
for batch in scanned:
    total += sum(seen(jpeg.as_buffer().size) for jpeg in batch["image"].field("bytes"))
""",
    "pyarrow, mapped row groups": """
import pyarrow.parquet as pq
total = 0
for path in sorted(Path(out, "data").iterdir()):
    file = pq.ParquetFile(path, memory_map=True)
    for group in range(file.num_row_groups):
        for batch in file.read_row_group(group).to_batches():
            total += sum(seen(jpeg.as_buffer().size) for jpeg in batch["image"].field("bytes"))
""",
    "polars.scan_parquet, metadata only": """
import polars
frame = polars.scan_parquet(out + "/data/*.parquet").select("hash", "gps_lat").collect()
total = seen(frame.estimated_size())
""",
}


def export_command(
    target: Target, workers: int, parts: str = "", row_group_mb: int | None = None
) -> list[str]:
    """The command that exports."""
    places = [str(target.source), str(target.folder)]
    return [sys.executable, "-c", OURS, *places, str(workers), parts, str(row_group_mb or "")]


# --- exporting ------------------------------------------------------------------------------------


def bench_export(options: argparse.Namespace, target: Target) -> bool:
    """Measures and prints; True if memory stays below its target."""
    size_bytes = archive_bytes(target.source)
    images = images_of(target.source)
    tenth = target.source / "PASS.0.tar"
    things: dict[str, tuple[list[str], int, int | None]] = {
        "cp -r": (
            ["cp", "-r", str(target.source), str(target.folder)],
            size_bytes,
            None,
        ),
        "ours, 1 worker": (export_command(target, 1), size_bytes, images),
    }
    if options.workers > 1:
        workers = options.workers
        name = f"ours, {workers} workers"
        things[f"{name}, part 0"] = (
            export_command(target, workers, "0"),
            tenth.stat().st_size,
            None,
        )
        # The last, as it is read from afterwards.
        things[name] = (export_command(target, workers), size_bytes, images)
    runs: dict[str, list[Run]] = {name: [] for name in things}
    for _ in range(options.rounds):
        for name, (command, _, expected) in things.items():
            runs[name].append(build(command, target, expected))
    lines = [["what", "s", "MB/s", "of cp", "RSS MB", "PSS MB"]]
    copied = median(run.seconds for run in runs["cp -r"])
    for name, done in runs.items():
        took = median(run.seconds for run in done)
        ratio = f"{copied / took:.2f}x" if things[name][1] == size_bytes else ""
        peaks = [
            f"{max(run.peak_mb for run in done):.0f}",
            f"{max(run.peak_share_mb for run in done):.0f}",
        ]
        rate = things[name][1] / took / 1e6
        lines.append([name, f"{took:.2f}", f"{rate:.0f}", ratio, *peaks])
    print(format_table(lines))
    everything = {name: [round(run.seconds, 2) for run in done] for name, done in runs.items()}
    print(f"all rounds, s: {json.dumps(everything)}\n")
    print(format_table([["random reads", "median ms", "95 % ms"], *random_reads(target)]))
    met = all(run.peak_mb < TARGET_PEAK_MB for done in runs.values() for run in done)
    print(f"memory target {'met' if met else 'MISSED'}")
    return met


def archive_bytes(folder: Path) -> int:
    """Bytes of the tars and the CSV."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.suffix in (".tar", ".csv"))


def random_reads(target: Target) -> list[list[str]]:
    """Single records at random, from the export and from the archives."""
    import pyarrow.parquet as pq

    from pass_dataset import PassArchive

    mapped = [
        pq.ParquetFile(path, memory_map=True) for path in sorted((target.folder / "data").iterdir())
    ]
    groups = [(file, group) for file in mapped for group in range(file.num_row_groups)]
    archive = PassArchive(target.source, target.source / "checksums.tsv")

    def from_parquet(rng: random.Random) -> int:
        file, group = rng.choice(groups)
        table = file.read_row_group(group)
        return len(table.slice(rng.randrange(table.num_rows), 1).to_pylist()[0]["image"]["bytes"])

    def from_archives(rng: random.Random) -> int:
        return len(archive[rng.randrange(len(archive))].jpeg)

    lines = []
    for name, read in (("Parquet, mapped", from_parquet), ("PassArchive", from_archives)):
        rng, took = random.Random(0), []
        for _ in range(RANDOM_READS):
            started = time.perf_counter()
            read(rng)
            took.append(1000 * (time.perf_counter() - started))
        lines.append([name, f"{median(took):.2f}", f"{quantiles(took, n=20)[-1]:.2f}"])
    return lines


# --- row groups -----------------------------------------------------------------------------------


def bench_row_groups(options: argparse.Namespace, target: Target) -> bool:
    """Exports with row groups of several sizes, and prints what each costs."""
    import pyarrow.parquet as pq

    size_bytes = archive_bytes(target.source)
    lines = [["rows", "MB each", "export MB/s", "footer kB a file", "random ms", "95 % ms"]]
    for row_group_mb in ROW_GROUP_MB:
        run = build(
            export_command(target, options.workers, row_group_mb=row_group_mb), target, None
        )
        path = min((target.folder / "data").iterdir())
        metadata = pq.read_metadata(path)
        each = path.stat().st_size / metadata.num_row_groups / 1e6
        (_, middle, high), _ = random_reads(target)
        lines.append(
            [
                str(metadata.row_group(0).num_rows),
                f"{each:.1f}",
                f"{size_bytes / run.seconds / 1e6:.0f}",
                f"{metadata.serialized_size / 1e3:.0f}",
                middle,
                high,
            ]
        )
    print(format_table(lines))
    return True


# --- caches ---------------------------------------------------------------------------------------


def bench_caches(options: argparse.Namespace, target: Target) -> bool:
    """Reads an export in several ways, and prints what each leaves on disk."""
    build(export_command(target, options.workers), target, None)
    export_bytes = bytes_in(target.folder / "data")
    print(f"the export has {export_bytes:,} bytes\n")
    lines = [["way", "bytes of cache", "of the export", "first record, s", "whole pass, MB/s"]]
    cache = target.folder.with_name(f"{target.folder.name}-cache")
    for name, way in WAYS.items():
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir()
        try:
            first, rate = read_once(way, target.folder, cache)
            used = bytes_in(cache)
        except BenchmarkError as error:
            lines.append([name, f"not measured: {error}", "", "", ""])
            continue
        finally:
            shutil.rmtree(cache, ignore_errors=True)
        rate_text = "" if "only" in name else f"{rate:.0f}"
        lines.append([name, f"{used:,}", f"{used / export_bytes:.2f}x", f"{first:.2f}", rate_text])
    print(format_table(lines))
    return True


def read_once(way: str, export: Path, cache: Path) -> tuple[float, float]:
    """Seconds to the first record and MB/s of the whole pass, in a process of its own.

    Raises:
        BenchmarkError: it failed, as where a library is not installed.
    """
    environment = {
        **os.environ,
        "HF_HOME": str(cache / "huggingface"),
        "XDG_CACHE_HOME": str(cache / "cache"),
        "TMPDIR": str(cache),
        "HF_HUB_OFFLINE": "1",
    }
    command = [sys.executable, "-c", START + way + END, str(export)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise BenchmarkError((done.stderr.strip().splitlines() or ["?"])[-1])
    first, rate = done.stdout.split()[-2:]
    return float(first), float(rate)


# --- command line ---------------------------------------------------------------------------------


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_release_options(parser)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--row-groups", action="store_true", help="sizes of row groups instead")
    what.add_argument("--caches", action="store_true", help="ways of reading instead")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns its exit code."""
    options = parse(arguments)
    folder = options.work / "bench_parquet-target"
    try:
        with synthetic_release(options, "bench_parquet") as source:
            target = Target(source, folder, options.cold)
            print(
                f"{images_of(source):,} images, {archive_bytes(source) / 1e6:,.0f} MB, "
                f"{'on disk, cold' if options.cold else 'warm'}: {options.work}\n"
                f"{machine_line()}; load {os.getloadavg()[0]:.1f}\n"
            )
            if options.row_groups:
                met = bench_row_groups(options, target)
            elif options.caches:
                met = bench_caches(options, target)
            else:
                met = bench_export(options, target)
            return 0 if met else 1
    except (BenchmarkError, subprocess.CalledProcessError) as error:
        print(f"bench_parquet: {error}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
