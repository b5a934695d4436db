"""Benchmark: an epoch of PASS in PyTorch, read by this package and by others, side by side.

    python scripts/benchmarks/bench_torch.py --work /data/tmp      4 GB, cold and warm
    python scripts/benchmarks/bench_torch.py --blocks 1,4,8,16,64  the blocks of the stream

makes a synthetic release of real JPEGs with `make_synthetic.py`, and of it what the others read:
the extracted files, WebDataset shards (`pass-dataset build webdataset`) and an Arrow copy
(`datasets.Dataset.save_to_disk`): four times its size on disk, for as long as it runs. Then, in
turn, `torch_readers.py` reads an epoch with each, in a process of its own, and says there what each
does:

- raw, cold: all bytes to the training's process, with the most workers asked for, of files that are
  not in the page cache; beside it how fast the disk gives the tars and the files to nothing but a
  reader (`disk`), which nobody can beat;
- raw, warm: the same from the page cache, with each number of workers;
- decode: the first `--decode-images` images, decoded, cropped and flipped; beside it `memory`,
  which has all bytes in memory: the decode limit.

Seconds are from asking the loader for its first batch to having the last, workers' start included;
of several rounds, the median. Processor seconds are those of all processes: a busy machine changes
them less.
At last, unless `--start-images 0`: a release of that many small images, and the time from opening
it to the first batch of 256, imports left out.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from measurement import (
    BenchmarkError,
    format_table,
    machine_line,
    measure,
    package_command,
    require_package,
)

SCRIPTS = Path(__file__).parent
OURS = ("stream", "map")
OTHERS = ("ImageFolder", "ImageFolder packed", "webdataset", "datasets", "datasets stream")
TARGET_RAW, TARGET_DECODE, TARGET_START_S = 1.3, 0.95, 2.0

# Run as `python -c CODE FOLDER OUT`.
EXTRACT = """
import sys
from pathlib import Path
from pass_dataset import PassArchive
archive, out = PassArchive(sys.argv[1], sys.argv[1] + "/checksums.tsv"), Path(sys.argv[2])
for position, record in enumerate(archive):
    folder = out / str(position * 10 // len(archive))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{record.hash}.jpg").write_bytes(record.jpeg)
"""
ARROW = """
import sys
import datasets
from pass_dataset import PassArchive
datasets.disable_progress_bars()
def rows():
    for record in PassArchive(sys.argv[1], sys.argv[1] + "/checksums.tsv"):
        yield {"image": {"bytes": record.jpeg, "path": None}}
features = datasets.Features({"image": datasets.Image()})
made = datasets.Dataset.from_generator(rows, features=features, cache_dir=sys.argv[2] + "/cache")
made.save_to_disk(sys.argv[2] + "/saved", num_shards=10)
"""
START = """
import json, sys, time
import torch, torch.utils.data
from pass_dataset.torch import PASS, PassStream
kind = {"map": PASS, "stream": PassStream}[sys.argv[2]]
started = time.perf_counter()
dataset = kind(sys.argv[1], sys.argv[1] + "/checksums.tsv", decode="jpeg", target=None)
shuffle = True if sys.argv[2] == "map" else None
next(iter(torch.utils.data.DataLoader(dataset, 256, shuffle=shuffle, num_workers=2)))
print(json.dumps({"images": len(dataset), "seconds": time.perf_counter() - started}))
"""


def make_pictures(folder: Path, count: int = 64) -> None:
    """JPEGs of 500x375 pixels and about 124 kB: what fits PASS's mean, of noise upon colours."""
    from PIL import Image

    folder.mkdir()
    rng = random.Random(0)
    for number in range(count):
        size = (500, 375) if number % 3 else (375, 500)
        colours = Image.frombytes("RGB", (8, 6), rng.randbytes(8 * 6 * 3))
        noise = Image.frombytes("L", size, rng.randbytes(size[0] * size[1])).convert("RGB")
        mixed = Image.blend(colours.resize(size, Image.Resampling.BICUBIC), noise, 0.27)
        file = io.BytesIO()
        mixed.save(file, "JPEG", quality=94)
        (folder / f"{number:02}.jpg").write_bytes(file.getvalue())


@contextlib.contextmanager
def prepared(options: argparse.Namespace) -> Iterator[dict[str, Path]]:
    """Folder of each reader."""
    with tempfile.TemporaryDirectory(dir=options.work, prefix="bench_torch-") as name:
        work = Path(name)
        source = work / "pass"
        make_pictures(work / "pictures")
        make: list[str | Path] = [sys.executable, SCRIPTS / "make_synthetic.py", source]
        measure([*make, "--images", str(options.images), "--pictures", work / "pictures"])
        checksums = source / "checksums.tsv"
        measure(package_command("verify", source, "--release", checksums))
        measure(package_command("index", source, "--release", checksums))
        folders = dict.fromkeys(("stream", "map", "memory"), source)
        if not options.blocks:
            shards: list[str | Path] = [
                "--out",
                work / "shards",
                "--release",
                checksums,
                "--shard-mb",
                "100",
            ]
            measure(package_command("build", "webdataset", "--archives", source, *shards))
            measure([sys.executable, "-c", EXTRACT, source, work / "files"])
            measure([sys.executable, "-c", ARROW, source, work / "arrow"])
            shutil.rmtree(work / "arrow" / "cache")
            arrow = work / "arrow" / "saved"
            folders |= dict.fromkeys(("ImageFolder", "ImageFolder packed"), work / "files")
            folders["webdataset"] = work / "shards"
            folders |= {"datasets": arrow, "datasets stream": arrow}
        os.sync()
        yield folders


def forget(folder: Path) -> None:
    """Asks the system to drop a folder's files from its page cache."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def warm(folder: Path) -> None:
    """Reads a folder's files into the page cache."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                while file.read(1 << 24):
                    pass


Run = dict[str, float]


def run(
    reader: str,
    folder: Path,
    options: argparse.Namespace,
    workers: Sequence[int],
    *extra: str,
    cold: bool = False,
) -> list[Run]:
    """One reader, once with each number of workers."""
    # A reader that has just run has brought the others' files out of a small page cache.
    if cold:
        forget(folder)
    else:
        warm(folder)
    command: list[str | Path] = [sys.executable, SCRIPTS / "torch_readers.py", reader, folder]
    result = measure([*command, "--workers", ",".join(map(str, workers)), *extra])
    return [json.loads(line) for line in result.output.splitlines()]


def runs_of(
    readers: Sequence[str],
    folders: dict[str, Path],
    options: argparse.Namespace,
    workers: Sequence[int],
    *extra: str,
    cold: bool = False,
) -> dict[str, list[list[Run]]]:
    """Each reader in turn, some rounds: by reader and number of workers, the rounds."""
    found: dict[str, list[list[Run]]] = {reader: [[] for _ in workers] for reader in readers}
    for _ in range(options.rounds):
        for reader, rounds in found.items():
            for done, one in zip(
                rounds,
                run(reader, folders[reader], options, workers, *extra, cold=cold),
                strict=True,
            ):
                done.append(one)
    return found


def megabytes_s(done: Sequence[Run]) -> float:
    """Of some rounds, 10^6 bytes a second."""
    return median(each["bytes"] / each["seconds"] / 1e6 for each in done)


def disk_mb_s(folder: Path) -> float:
    """How fast the disk gives a folder's files, one after the other."""
    forget(folder)
    started = time.perf_counter()
    warm(folder)
    seconds = time.perf_counter() - started
    return sum(path.stat().st_size for path in folder.rglob("*")) / seconds / 1e6


def raw_table(
    folders: dict[str, Path], options: argparse.Namespace, workers: Sequence[int], *, cold: bool
) -> str:
    """An epoch without decoding."""
    runs = runs_of((*OURS, *options.others), folders, options, workers, cold=cold)
    for reader, rounds in runs.items():
        for one in (one for done in rounds for one in done):
            if one["images"] != options.images:
                raise BenchmarkError(f"{reader}: read {one['images']:,} images")
    state = "cold" if cold else "warm"
    lines = [[f"raw bytes, {state}: MB/s"]]
    lines[0] += [f"{number} workers" for number in workers] + ["processor s/GB"]
    rates = {reader: list(map(megabytes_s, rounds)) for reader, rounds in runs.items()}
    for reader, found in rates.items():
        last = runs[reader][-1]
        processor = median(each["processor_s"] / each["bytes"] * 1e9 for each in last)
        lines.append([reader, *(f"{rate:,.0f}" for rate in found), f"{processor:.2f}"])
    if cold:
        for name, reader in (("disk, tars", "stream"), ("disk, files", "ImageFolder")):
            limit = f"{disk_mb_s(folders[reader]):,.0f}"
            lines.append([name, *[""] * (len(workers) - 1), limit, ""])
    verdicts = [
        verdict(rates, place, f"{state}, {number} workers") for place, number in enumerate(workers)
    ]
    return "\n".join([format_table(lines), *verdicts])


def verdict(rates: dict[str, list[float]], place: int, what: str) -> str:
    """How the stream compares with the best of the others."""
    best = max(rates.keys() - set(OURS), key=lambda reader: rates[reader][place])
    ratio = rates["stream"][place] / rates[best][place]
    met = "met" if ratio >= TARGET_RAW else "MISSED"
    return f"{what}: stream is {ratio:.2f}x {best} (target {TARGET_RAW}x: {met})"


def decode_table(folders: dict[str, Path], options: argparse.Namespace) -> str:
    """The first images, decoded."""
    count = min(options.decode_images, options.images)
    extra = ("--decode", "--images", str(count))
    readers = (
        "memory",
        *OURS,
        *(other for other in options.others if other != "ImageFolder packed"),
    )
    runs = runs_of(readers, folders, options, options.workers[-1:], *extra)
    rates = {
        reader: median(each["images"] / each["seconds"] for each in done)
        for reader, (done,) in runs.items()
    }
    lines = [[f"decoded, {options.workers[-1]} workers", "images/s", "of the limit"]]
    lines[0] += ["processor ms/image", "limit over it"]
    costs = {
        reader: median(each["processor_s"] / each["images"] * 1e3 for each in done)
        for reader, (done,) in runs.items()
    }
    for reader, rate in rates.items():
        lines.append([reader, f"{rate:,.0f}", f"{rate / rates['memory']:.3f}"])
        lines[-1] += [f"{costs[reader]:.2f}", f"{costs['memory'] / costs[reader]:.3f}"]
    met = rates["stream"] >= TARGET_DECODE * rates["memory"]
    return f"{format_table(lines)}\nstream >= {TARGET_DECODE} of the decode limit: " + (
        "met" if met else "MISSED"
    )


def blocks_table(folders: dict[str, Path], options: argparse.Namespace) -> str:
    """The stream with blocks of several sizes: speed, and how well it mixes."""
    from pass_dataset.torch.order import mates_in_batch, mixed_order

    rates: dict[int, list[float]] = {block: [] for block in options.blocks}
    workers = options.workers[-1:]
    for _ in range(options.rounds):
        for block, rounds in rates.items():
            found = run(
                "stream", folders["stream"], options, workers, "--block", str(block), cold=True
            )
            rounds.append(megabytes_s(found))
    lines = [["records a block", "MB/s", "mates in a batch of 256", "worth of a batch, worst case"]]
    for block, rounds in rates.items():
        order = mixed_order(400_000, block, 8192, seed=0, epoch=0)
        mates = mates_in_batch(order, 256, block)
        worth = f"{256 / (1 + mates):.0f}"
        lines.append([str(block), f"{median(rounds):,.0f}", f"{mates:.2f}", worth])
    return format_table(lines)


def start_table(options: argparse.Namespace) -> str:
    """Time from opening a release of many images to its first batch."""
    with tempfile.TemporaryDirectory(dir=options.work, prefix="bench_torch-") as name:
        folder = Path(name) / "pass"
        make: list[str | Path] = [sys.executable, SCRIPTS / "make_synthetic.py", folder]
        measure([*make, "--images", str(options.start_images), "--body-bytes", "600"])
        measure(package_command("index", folder, "--release", folder / "checksums.tsv"))
        lines = [[f"first batch of {options.start_images:,} images", "seconds"]]
        for reader in OURS:
            runs = [
                json.loads(measure([sys.executable, "-c", START, folder, reader]).output)
                for _ in range(max(3, options.rounds))
            ]
            seconds = median(each["seconds"] for each in runs)
            verdict = "met" if seconds < TARGET_START_S else "MISSED"
            lines.append([reader, f"{seconds:.2f} (target < {TARGET_START_S:g}: {verdict})"])
    return format_table(lines)


def numbers(text: str) -> list[int]:
    """Numbers with commas between them."""
    return [int(number) for number in text.split(",")]


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=int, default=32_000, help="(default: 32,000, 4 GB)")
    parser.add_argument("--decode-images", type=int, default=4000)
    parser.add_argument("--start-images", type=int, default=1_440_000)
    parser.add_argument(
        "--workers", type=numbers, default=[0, 1, 2], help="numbers of them (default: 0,1,2)"
    )
    parser.add_argument(
        "--others",
        type=lambda text: text.split(","),
        default=OTHERS,
        help=f"the others, commas between them (default: {','.join(OTHERS)})",
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--blocks", type=numbers, help="only the stream, with blocks so large")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), metavar="DIR")
    return parser.parse_args(arguments)


def report(options: argparse.Namespace) -> Sequence[str]:
    """All that was measured."""
    parts = [
        f"{options.images:,} images, median of {options.rounds} rounds: {options.work}\n"
        f"{machine_line()}; load {os.getloadavg()[0]:.1f}"
    ]
    with prepared(options) as folders:
        if options.blocks:
            return [*parts, blocks_table(folders, options)]
        parts += [
            raw_table(folders, options, options.workers[-1:], cold=True),
            raw_table(folders, options, options.workers, cold=False),
            decode_table(folders, options),
        ]
    if options.start_images:
        parts.append(start_table(options))
    return parts


def main(arguments: list[str] | None = None) -> int:
    """Measure; exit status 0 when all was measured, whether targets are met or not."""
    options = parse(arguments)
    try:
        require_package()
        print("\n\n".join(report(options)))
    except BenchmarkError as error:
        print(f"bench_torch: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
