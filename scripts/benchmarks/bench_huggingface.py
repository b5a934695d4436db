"""Benchmark: building for Hugging Face `datasets`, beside the old script's logic and `cp -r`.

    python scripts/benchmarks/bench_huggingface.py --work DIR

makes a synthetic release in DIR (`make_synthetic.py`; deleted when it is done, with `--keep` it
stays for the next run), or takes `--source DIR`, and measures in each round

- `cp`: `cp -r` of the archives;
- `old`: what the Hub's script `pass` did, written anew and mended for NumPy 2 and pandas 3: the
  CSV in pandas, sent whole to every worker, a shard a tar, each tar read through, each image
  looked up;
- `ours`: `load_dataset_builder('pass', ...)` of this package, without a saved index;
- `ours, parts 0-2`: the same on three of the ten tars, for the memory as the set grows;
- `ours, streamed`: all rows with `streaming=True` from the archives, which writes nothing;

each through `download_and_prepare` to Arrow or Parquet, with one or two processes. `old` hashes
nothing; neither does `ours` here, as `pass-dataset verify` has put the archives on record before.

Each is a process of its own, measured from its start to its end, imports included; with `--cold`,
until all is written back. Rates are bytes of the archives over time. Memory is the peak of the
process and its descendants together, as RSS and as PSS: see `builds`. The target is for RSS.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from builds import Run, Target, add_release_options, build, images_of, synthetic_release
from measurement import BenchmarkError, format_table, machine_line

TARGET_PEAK_MB = 1500.0
#: Memory of the whole set over that of three tenths of it.
TARGET_GROWTH = 1.25

# A module of its own, as scripts were: worker processes find its class by the module's name.
OLD_MODULE = """
import datetime, os
import datasets
import pandas as pd

class Old(datasets.GeneratorBasedBuilder):
    VERSION = datasets.Version("1.0.0")

    def _info(self):
        return datasets.DatasetInfo(features=datasets.Features({
            "image": datasets.Image(),
            "creator_username": datasets.Value("string"),
            "hash": datasets.Value("string"),
            "gps_latitude": datasets.Value("float32"),
            "gps_longitude": datasets.Value("float32"),
            "date_taken": datasets.Value("timestamp[us]"),
        }))

    def _split_generators(self, dl_manager):
        source = os.environ["BENCH_SOURCE"]
        table = pd.read_csv(os.path.join(source, "pass_metadata.csv"), encoding="utf-8")
        table = table.astype(object).where(table.notnull(), None).set_index("hash")
        tars = sorted(name for name in os.listdir(source) if name.endswith(".tar"))
        archives = [dl_manager.iter_archive(os.path.join(source, name)) for name in tars]
        arguments = {"table": table, "archives": archives}
        return [datasets.SplitGenerator(name="train", gen_kwargs=arguments)]

    def _generate_examples(self, table, archives):
        for archive in archives:
            for path, file in archive:
                name = os.path.basename(path).split(".")[0]
                row = table.loc[name]
                taken = row["datetaken"]
                if taken is not None:
                    taken = datetime.datetime.strptime(taken, "%Y-%m-%d %H:%M:%S.%f")
                yield name, {
                    "image": {"path": path, "bytes": file.read()},
                    "creator_username": row["unickname"],
                    "hash": name,
                    "gps_latitude": row["latitude"],
                    "gps_longitude": row["longitude"],
                    "date_taken": taken,
                }
"""

# Each is run as `python -c CODE SOURCE TARGET FORMAT PROCESSES`.
OLD = """
import os, sys
source, target, file_format, processes = sys.argv[1:]
os.environ["BENCH_SOURCE"] = source
sys.path.insert(0, os.path.dirname(target))
import datasets
from bench_huggingface_old import Old
datasets.disable_progress_bars()
builder = Old(cache_dir=target + "/cache")
builder.download_and_prepare(target + "/made", file_format=file_format, num_proc=int(processes))
print(builder.info.splits["train"].num_examples)
"""
OURS = """
import sys
import pass_dataset
import datasets
source, target, file_format, processes = sys.argv[1:]
datasets.disable_progress_bars()
builder = datasets.load_dataset_builder(
    "pass", release=source + "/checksums.tsv", data_dir=source, cache_dir=target + "/cache"{more}
)
builder.download_and_prepare(target + "/made", file_format=file_format, num_proc=int(processes))
print(builder.info.splits["train"].num_examples)
"""
STREAMED = """
import sys
import pass_dataset
import datasets
source, target, file_format, processes = sys.argv[1:]
rows = datasets.load_dataset(
    "pass", release=source + "/checksums.tsv", data_dir=source, cache_dir=target + "/cache",
    split="train", streaming=True,
).cast_column("image", datasets.Image(decode=False))
print(sum(1 for row in rows))
"""


@dataclass(frozen=True, order=True)
class Way:
    """One line of the table.

    Attributes:
        what: who builds.
        file_format: `arrow`, `parquet`, or `-`.
        processes: number of them.
    """

    what: str
    file_format: str = "-"
    processes: int = 1


#: What builds, to the command's words before its places. Another builder of the same records joins
#: the table by a line here and one in `WAYS`.
COMMANDS: dict[str, Callable[[], list[str]]] = {
    "cp": lambda: ["cp", "-r"],
    "old": lambda: [sys.executable, "-c", OLD],
    "ours": lambda: [sys.executable, "-c", OURS.format(more="")],
    "ours, parts 0-2": lambda: [sys.executable, "-c", OURS.format(more=', parts="0-2"')],
    "ours, streamed": lambda: [sys.executable, "-c", STREAMED],
}
WAYS = (
    Way("cp"),
    Way("old", "arrow", 1),
    Way("ours", "arrow", 1),
    Way("old", "arrow", 2),
    Way("ours", "arrow", 2),
    Way("ours, parts 0-2", "arrow", 2),
    Way("old", "parquet", 2),
    Way("ours", "parquet", 2),
    Way("ours, streamed"),
)
#: Rate of ours over that of the old logic, for the same format and number of processes.
TARGETS = {
    Way("ours", "arrow", 1): 1.5,
    Way("ours", "arrow", 2): 1.1,
    Way("ours", "parquet", 2): 1.3,
}
#: And over that of `cp -r`.
COPY_TARGETS = {Way("ours", "arrow", 2): 1.0}


def command_of(way: Way, source: Path, target: Path) -> list[str]:
    """The command of one line."""
    words = [*COMMANDS[way.what](), str(source), str(target)]
    return words if way.what == "cp" else [*words, way.file_format, str(way.processes)]


def expected_images(way: Way, source: Path) -> int | None:
    """How many images the command says it built; None if it says nothing of it."""
    return None if way.what in ("cp", "ours, parts 0-2") else images_of(source)


def benchmark(options: argparse.Namespace, source: Path) -> bool:
    """Measures and prints; True if all targets are met."""
    target = Target(source, options.work / "bench_huggingface-target", options.cold)
    archives = [path for path in source.iterdir() if path.suffix in (".tar", ".csv")]
    size_bytes = sum(path.stat().st_size for path in archives)
    print(
        f"{images_of(source):,} images, {size_bytes / 1e6:,.0f} MB, "
        f"{'on disk, cold' if options.cold else 'warm'}\n"
        f"{machine_line()}; load {os.getloadavg()[0]:.1f}\n"
    )
    module = options.work / "bench_huggingface_old.py"
    module.write_text(OLD_MODULE, encoding="utf-8")
    ways = [way for way in WAYS if not options.only or way.what in options.only]
    runs: dict[Way, list[Run]] = {way: [] for way in ways}
    try:
        for _ in range(options.rounds):
            for way in ways:
                command = command_of(way, source, target.folder)
                runs[way].append(build(command, target, expected_images(way, source)))
    finally:
        shutil.rmtree(target.folder, ignore_errors=True)
        module.unlink()
        shutil.rmtree(options.work / "__pycache__", ignore_errors=True)
    return report(runs, size_bytes)


def report(runs: dict[Way, list[Run]], size_bytes: int) -> bool:
    """Prints medians, ratios and what each leaves on disk; True if all targets are met."""
    seconds = {way: median(run.seconds for run in done) for way, done in runs.items()}
    peak_mb = {way: max(run.peak_mb for run in done) for way, done in runs.items()}
    titles = "what,format,processes,s,MB/s,of old,of cp,RSS MB,PSS MB,disk MB"
    lines = [titles.split(",")]
    missed = []
    for way, done in runs.items():
        old = seconds.get(Way("old", way.file_format, way.processes))
        ratio = old / seconds[way] if old and way.what == "ours" else None
        copied = seconds[Way("cp")] / seconds[way] if Way("cp") in seconds else None
        is_part = way.what == "ours, parts 0-2"
        lines.append(
            [
                way.what,
                way.file_format,
                str(way.processes),
                f"{seconds[way]:.2f}",
                "" if is_part else f"{size_bytes / seconds[way] / 1e6:.0f}",
                "" if ratio is None else f"{ratio:.1f}x",
                "" if copied is None or is_part else f"{copied:.2f}x",
                f"{peak_mb[way]:.0f}",
                f"{max(run.peak_share_mb for run in done):.0f}",
                f"{max(run.written_mb for run in done):.0f}",
            ]
        )
        if ratio is not None and ratio < TARGETS.get(way, 0.0):
            missed.append(f"{way.file_format} x{way.processes}: {ratio:.2f} of old")
        if copied is not None and copied < COPY_TARGETS.get(way, 0.0):
            missed.append(f"{way.file_format} x{way.processes}: {copied:.2f} of cp")
        if way.what.startswith("ours") and peak_mb[way] >= TARGET_PEAK_MB:
            missed.append(f"{way.what} {way.file_format}: {peak_mb[way]:.0f} MB")
    print(format_table(lines))
    whole, part = Way("ours", "arrow", 2), Way("ours, parts 0-2", "arrow", 2)
    if whole in peak_mb and part in peak_mb:
        growth = peak_mb[whole] / peak_mb[part]
        print(f"\nmemory, all tars over three of them: {growth:.2f}x")
        if growth > TARGET_GROWTH:
            missed.append(f"memory grows {growth:.2f}x")
    everything = {
        f"{way.what} {way.file_format} {way.processes}": [round(run.seconds, 2) for run in done]
        for way, done in runs.items()
    }
    print(f"all rounds, s: {json.dumps(everything)}")
    print(f"targets MISSED: {'; '.join(missed)}" if missed else "targets met")
    return not missed


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_release_options(parser)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=COMMANDS, metavar="WHAT")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns its exit code."""
    options = parse(arguments)
    try:
        with synthetic_release(options, "bench_huggingface") as source:
            return 0 if benchmark(options, source) else 1
    except (BenchmarkError, subprocess.CalledProcessError) as error:
        print(f"bench_huggingface: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
