r"""Benchmark: an encoder evaluated, against what it takes to decode and to run the network alone.

    python scripts/benchmarks/bench_evaluate.py labelled/ --encoder random:resnet50
    python scripts/benchmarks/bench_evaluate.py labelled/ \
        --compare python:lite0:trained python:lite0:untrained
    python scripts/benchmarks/bench_evaluate.py --rows 1281167 --width 2048
    python scripts/benchmarks/bench_evaluate.py --equal 100

labelled/ has train/ and test/ with a folder for each class. In turn, in one process:

- alone: decode and forward of the training images, batch after batch, with the same threads but
  nothing kept: what nobody can beat who does one after the other;
- embed: the same by `embed`, into an empty cache: its rate over that of `alone` (over 1 where
  decoding and the network overlap);
- again: `embed` once more, from the cache: how much faster 100 epochs of a linear layer are on
  features than on images embedded anew for each;
- probes: all protocols, as a part of the time that embedding both sets took.

With `--compare`: `pass-evaluate compare` of two encoders by name, end to end from an empty cache.
With `--rows`: features of so many images are made up on disk, and logistic regression is fitted on
them, in a process of its own: its time and its highest memory.
With `--equal`: two encoders that are equally good, with noise of their own, so many times: how
often the interval of each protocol holds 0.
Processor seconds are those of all threads: a busy machine changes them less.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measurement import MAXRSS_BYTES, measure_tree

from pass_dataset.evaluate.comparison.bootstrap import difference
from pass_dataset.evaluate.data.labelled import LabelledImages, decoded
from pass_dataset.evaluate.data.opening import open_data
from pass_dataset.evaluate.features.embedding import embed
from pass_dataset.evaluate.features.transforms import TransformSettings, prepare
from pass_dataset.evaluate.models.encoders import Encoder, open_encoder
from pass_dataset.evaluate.protocols.logistic import fit
from pass_dataset.evaluate.protocols.running import PROTOCOLS, Probed, run_protocols
from pass_dataset.workers.cores import available_cores

BATCH = 64
EPOCHS = 100
EXAMPLES = Path(__file__).parent.parent / "examples"
#: Seconds between looks at the memory.
LOOK_S = 0.05


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and processor seconds, of something."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def alone(encoder: Encoder, images: LabelledImages, transform: TransformSettings) -> None:
    """Decode and forward, one after the other."""

    def one(row: int) -> torch.Tensor:
        return prepare(decoded(images.read(row), images.names[row]), transform, row)

    with ThreadPoolExecutor(available_cores()) as pool, torch.inference_mode():
        for start in range(0, len(images), BATCH):
            rows = range(start, min(len(images), start + BATCH))
            encoder.module(torch.stack(list(pool.map(one, rows))))


def measure_images(options: argparse.Namespace) -> Iterator[str]:
    """Lines about embedding and probing."""
    encoder, transform = open_encoder(options.encoder), TransformSettings()
    train, test = (open_data(str(options.labelled), split) for split in ("train", "test"))
    yield f"{len(train):,} + {len(test):,} images, {options.encoder}, {available_cores()} cores"
    alone(encoder, test, transform)  # what is loaded at first use
    by_itself = timed(lambda: alone(encoder, train, transform))
    yield f"alone   {by_itself[0]:8.1f} s   {by_itself[1]:8.1f} s of processors"
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        cache = Path(folder)
        first = timed(lambda: embed(encoder, train, transform, cache=cache))
        yield (
            f"embed   {first[0]:8.1f} s   {first[1]:8.1f} s of processors   "
            f"{by_itself[0] / first[0]:.2f} of alone, {by_itself[1] / first[1]:.2f} by processors"
        )
        second = timed(lambda: embed(encoder, test, transform, cache=cache))
        again = timed(lambda: embed(encoder, train, transform, cache=cache))
        yield f"again   {again[0]:8.3f} s"
        found = [embed(encoder, images, transform, cache=cache) for images in (train, test)]
        features, queries = (each for each in found if each is not None)
        layer = Probed([features], features, train.labels, queries, test.labels)
        each = {name: timed(partial(run_protocols, layer, [name])) for name in PROTOCOLS}
        linear = each["linear"]
        yield (
            f"linear  {linear[0]:8.1f} s   {EPOCHS * 3} epochs (3 seeds); embedding anew for "
            f"{EPOCHS} would take {EPOCHS * first[0]:,.0f} s: "
            f"{EPOCHS * first[0] / (first[0] + linear[0] / 3):.0f} times as long"
        )
        probes = [sum(times) for times in zip(*each.values(), strict=True)]
        named = ", ".join(f"{name} {times[0]:.1f}" for name, times in each.items())
        yield (
            f"probes  {probes[0]:8.1f} s   {probes[1]:8.1f} s of processors   "
            f"{100 * probes[0] / (first[0] + second[0]):.1f} % of embedding, "
            f"{100 * probes[1] / (first[1] + second[1]):.1f} % by processors ({named})"
        )


def fit_rows(options: argparse.Namespace) -> None:
    """Fits logistic regression on made-up features; run in a process of its own."""
    rows, width, classes = options.rows, options.width, options.classes
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        path = Path(folder) / "features.f16"
        random = np.random.default_rng(0)
        labels = random.integers(0, classes, rows)
        centres = random.normal(size=(classes, width)).astype(np.float32)
        with path.open("wb") as file:
            for start in range(0, rows, 8192):
                own = labels[start : start + 8192]
                noise = random.standard_normal((len(own), width), np.float32)
                file.write((centres[own] + 4 * noise).astype(np.float16).tobytes())
        features = np.memmap(path, np.float16, "r", shape=(rows, width))
        with OwnMemory() as own:
            seconds = timed(lambda: fit(features, labels, classes, 1e-3))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_BYTES / 1e6
    print(
        f"logistic regression, {rows:,} × {width:,}, {classes:,} classes: {seconds[0]:,.0f} s, "
        f"{seconds[1]:,.0f} s of processors; at most {own.peak_mb:,.0f} MB of its own, "
        f"{peak:,.0f} MB with the pages of the file that were in memory"
    )


class OwnMemory(threading.Thread):
    """Looks at how much memory of this process is no file's; Linux alone tells.

    Pages of a file that is mapped are no memory that the process needs: they go when others do.

    Attributes:
      peak_mb: the highest that was seen.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_mb = 0.0
        self._ended = threading.Event()

    def __enter__(self) -> OwnMemory:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Looks until it is left."""
        while not self._ended.wait(LOOK_S):
            try:
                lines = Path("/proc/self/status").read_text().splitlines()
            except OSError:
                self.peak_mb = float("nan")
                return
            (kilobytes,) = (line.split()[1] for line in lines if line.startswith("RssAnon:"))
            self.peak_mb = max(self.peak_mb, int(kilobytes) * 1024 / 1e6)


def measure_compare(options: argparse.Namespace) -> str:
    """What `pass-evaluate compare` takes, from an empty cache."""
    first, second = options.compare
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        environment = os.environ.get("PYTHONPATH", "")
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [environment, str(EXAMPLES)]))
        done = measure_tree(
            [
                *(sys.executable, "-m", "pass_dataset.evaluate", "compare"),
                *("--a", first, "--b", second, "--data", options.labelled),
                *("--cache", folder, "--out", Path(folder) / "page.html"),
            ]
        )
    return (
        f"{done.output}\ncompare {done.seconds:8.1f} s   {done.cpu_s:8.1f} s of processors   "
        f"{done.peak_mb:,.0f} MB"
    )


def equal_encoders(draw: int) -> tuple[Probed, Probed]:
    """Features of two encoders that are equally good: the same centres, noise of their own."""
    random = np.random.default_rng(draw)
    centres = random.normal(size=(5, 16))
    labels, test_labels = np.arange(400) % 5, np.arange(400) % 5

    def features(of: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        noise = random.normal(size=(len(of), 16))
        made: np.ndarray[Any, Any] = (centres[of] + 2 * noise).astype(np.float16)
        return made

    one, two = (
        Probed([train], train, labels, features(test_labels), test_labels)
        for train in (features(labels), features(labels))
    )
    return one, two


def measure_equal(options: argparse.Namespace) -> Iterator[str]:
    """How often the interval of the difference of equal encoders holds 0, by protocol."""
    held: Counter[str] = Counter()
    for draw in range(options.equal):
        first, second = map(run_protocols, equal_encoders(draw))
        for one, two in zip(first, second, strict=True):
            held[f"{one.protocol} {one.metric}"] += not difference(one, two, seed=draw).is_visible
    for name, times in held.items():
        yield f"equal   {name:24} holds 0 in {times} of {options.equal} draws"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("labelled", nargs="?", type=Path, help="folder with train/ and test/")
    parser.add_argument("--encoder", default="random:resnet50")
    parser.add_argument(
        "--compare", nargs=2, metavar=("A", "B"), help="compare two encoders instead, end to end"
    )
    parser.add_argument("--equal", type=int, metavar="DRAWS", help="compare equal encoders")
    parser.add_argument("--rows", type=int, help="fit logistic regression on so many made-up rows")
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--classes", type=int, default=100)
    parser.add_argument("--work", type=Path, help="folder for what is made")
    parser.add_argument("--fit-here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.compare is not None and options.labelled is None:
        parser.error("--compare needs labelled images")
    return options


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    options = parse(arguments)
    if options.fit_here:
        fit_rows(options)
        return 0
    print(f"load {os.getloadavg()[0]:.1f}")
    if options.compare is not None:
        print(measure_compare(options), flush=True)
    elif options.labelled is not None:
        for line in measure_images(options):
            print(line, flush=True)
    if options.equal is not None:
        for line in measure_equal(options):
            print(line, flush=True)
    if options.rows is not None:
        given = sys.argv[1:] if arguments is None else arguments
        subprocess.run([sys.executable, __file__, *given, "--fit-here"], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
