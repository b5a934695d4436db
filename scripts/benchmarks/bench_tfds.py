"""Benchmark: build PASS for TFDS, with this package and with TFDS's own `pass`, side by side.

    python scripts/benchmarks/bench_tfds.py                          in memory (/dev/shm)
    python scripts/benchmarks/bench_tfds.py --work /data/tmp --cold  on disk, not cached
    python scripts/benchmarks/bench_tfds.py --images 1440000 --body-bytes 600 --only ours

makes a synthetic release with `make_synthetic.py` (3.1 GB as photographs go; with `--keep` it stays
for the next run), or takes `--source DIR`, and measures in each round, for each format:

- `tfds`: TFDS's own builder `tensorflow_datasets.datasets.pass`, its download manager handing out
  the archives that are there, and its reading of the CSV told that a photographer may be called
  `NA` (it stops at the first one otherwise);
- `ours`: `tfds.builder('pass', …).download_and_prepare()` of this package, without a saved index;
- `cp`: `cp -r` of the archives.

Each is a process of its own, measured from its start to its end, imports included; on disk
(`--cold`), until all is written back. Beforehand `pass-dataset verify` has put the archives on
record, as `pass-dataset download` does; TFDS's builder hashes nothing either.

Rates are bytes of the archives over time. Memory is the peak of the process and its descendants
together, as RSS and as PSS: see `builds`. The target is for RSS.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from builds import Run, Target, add_release_options, build, images_of, synthetic_release
from measurement import BenchmarkError, machine_line

FORMATS = ("tfrecord", "array_record")
TARGET_MEMORY, TARGET_DISK, TARGET_COPY, TARGET_PEAK_MB = 6.0, 3.0, 0.9, 1500.0

# Run as `python -c CODE SOURCE TARGET FORMAT WORKERS`.
THEIRS = """
import importlib, os, sys
import tensorflow_datasets as tfds
source, target, file_format, _ = sys.argv[1:]
tfds.disable_progress_bar()
module = importlib.import_module("tensorflow_datasets.datasets.pass.pass_dataset_builder")
make = module.Builder._make_download_manager
def local(item):
    if isinstance(item, dict):
        return {key: local(value) for key, value in item.items()}
    if isinstance(item, (list, tuple)):
        return [local(value) for value in item]
    return os.path.join(source, getattr(item, "url", item).rpartition("/")[2])
def make_local(builder, **arguments):
    manager = make(builder, **arguments)
    manager.download = local
    return manager
module.Builder._make_download_manager = make_local
pandas = tfds.core.lazy_imports.pandas
read_csv = pandas.read_csv
empty = dict.fromkeys(("datetaken", "latitude", "longitude"), [""])
pandas.read_csv = lambda file: read_csv(
    file, dtype={"hash": str}, keep_default_na=False, na_values=empty
)
builder = module.Builder(data_dir=target, file_format=file_format)
builder.download_and_prepare(
    download_config=tfds.download.DownloadConfig(try_download_gcs=False)
)
print(builder.info.splits["train"].num_examples)
"""
OURS = """
import sys
import pass_dataset
import tensorflow_datasets as tfds
source, target, file_format, workers = sys.argv[1:]
tfds.disable_progress_bar()
builder = tfds.builder(
    "pass", release=source + "/checksums.tsv", data_dir=target, file_format=file_format,
    workers=int(workers),
)
builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=source))
print(builder.info.splits["train"].num_examples)
"""


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    source: Path
    target: Path
    cold: bool
    workers: int


def command_of(what: str, file_format: str, settings: Settings) -> list[str]:
    """The command that does one thing."""
    if what == "cp":
        return ["cp", "-r", str(settings.source), str(settings.target)]
    code = OURS if what == "ours" else THEIRS
    places = [str(settings.source), str(settings.target)]
    return [sys.executable, "-c", code, *places, file_format, str(settings.workers)]


def benchmark(options: argparse.Namespace, source: Path) -> bool:
    """Measures and prints; True if all targets are met."""
    settings = Settings(source, options.work / "bench_tfds-target", options.cold, options.workers)
    archives = [path for path in source.iterdir() if path.suffix in (".tar", ".csv")]
    size_bytes = sum(path.stat().st_size for path in archives)
    images = images_of(source)
    print(
        f"{images:,} images, {size_bytes / 1e6:,.0f} MB, {options.workers} workers, "
        f"{'on disk, cold' if options.cold else 'warm'}: {options.work}\n"
        f"{machine_line()}; load {os.getloadavg()[0]:.1f}\n"
    )
    things = [("cp", "-")] if options.only is None else []
    things += [
        (what, file_format)
        for file_format in options.formats
        for what in ("tfds", "ours")
        if options.only in (None, what)
    ]
    runs: dict[tuple[str, str], list[Run]] = {thing: [] for thing in things}
    try:
        for _ in range(options.rounds):
            for what, file_format in things:
                command = command_of(what, file_format, settings)
                expected = None if what == "cp" else images
                target = Target(settings.source, settings.target, settings.cold)
                runs[what, file_format].append(build(command, target, expected))
    finally:
        shutil.rmtree(settings.target, ignore_errors=True)
    return report(runs, size_bytes, options.cold)


def report(runs: dict[tuple[str, str], list[Run]], size_bytes: int, cold: bool) -> bool:
    """Prints medians and ratios; True if all targets are met."""
    seconds = {thing: median(run.seconds for run in done) for thing, done in runs.items()}
    print(
        f"{'what':<6}{'format':<14}{'s':>8}{'MB/s':>8}{'of tfds':>9}{'of cp':>8}"
        f"{'RSS MB':>9}{'PSS MB':>9}"
    )
    met = True
    for (what, file_format), done in runs.items():
        took = seconds[what, file_format]
        theirs, copied = seconds.get(("tfds", file_format)), seconds.get(("cp", "-"))
        peak_mb = max(run.peak_mb for run in done)
        peak_share_mb = max(run.peak_share_mb for run in done)
        print(
            f"{what:<6}{file_format:<14}{took:8.2f}{size_bytes / took / 1e6:8.0f}"
            f"{f'{theirs / took:.1f}x' if theirs else '':>9}"
            f"{f'{copied / took:.2f}x' if copied else '':>8}{peak_mb:9.0f}{peak_share_mb:9.0f}"
        )
        if what == "ours":
            met &= peak_mb < TARGET_PEAK_MB
            met &= theirs is None or theirs / took >= (TARGET_DISK if cold else TARGET_MEMORY)
            met &= not cold or copied is None or copied / took >= TARGET_COPY
    everything = json.dumps(
        {
            f"{what} {kind}": [round(run.seconds, 2) for run in done]
            for (what, kind), done in runs.items()
        }
    )
    print(f"all rounds, s: {everything}\ntargets {'met' if met else 'MISSED'}")
    return met


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_release_options(parser)
    parser.add_argument("--formats", nargs="+", default=FORMATS, metavar="FORMAT")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", choices=["ours", "tfds"])
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns its exit code."""
    options = parse(arguments)
    try:
        with synthetic_release(options, "bench_tfds") as source:
            return 0 if benchmark(options, source) else 1
    except (BenchmarkError, subprocess.CalledProcessError) as error:
        print(f"bench_tfds: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
