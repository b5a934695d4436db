"""Benchmark: `passify run` for faces beside the published loop, and what the run folder costs.

    python scripts/benchmarks/bench_passify.py ../shared/images --weights mobilenet0.25_Final.pth

makes 500×375 JPEGs as `bench_detectors.py` does, in the temporary folder or in `--work DIR`, and
measures, each in a fresh process and from the page cache:

- the published loop of `bench_detectors.py`, on `--loop-images` of the images;
- the detector alone, as that benchmark runs it. Loading is not counted for these two;
- `passify run --detectors face`, all of it: start, listing, results, lists;
- with `--long N`: the same on a list of N images (the same ones over again), for its memory;
- listing and planning a folder of `--listing` empty files;
- `passify summary` at other thresholds on `--rows` rows of results, and `passify keep`.

Peak memory is that of all processes together. Processor time is given beside the rates, as it
tells more where the machine is shared.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_detectors import make_images
from measurement import BenchmarkError, format_table, machine_line, measure_tree

logger = logging.getLogger("bench_passify")

TARGET_RATIO = 7.0
TARGET_OVERHEAD = 0.15
TARGET_PEAK_MB = 2000.0
TARGET_LISTING_S = 60.0
TARGET_LISTING_MB = 1000.0
TARGET_ROWS_S = 5.0

# Run as `python -c CODE ARGUMENTS...`.
#: Rows as a run of both detectors leaves them: faces in most images, 15 boxes each.
ROWS_CODE = """
import dataclasses, json, random, sys
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.results import write_results
from pass_dataset.passify.runs.run_folder import RunFolder, ShardStats
from pass_dataset.passify.runs.schema import ImageResult
from pass_dataset.passify.runs.settings import DetectorChoice, RunSettings
from pass_dataset.passify.sources.opening import SourceSettings
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds

folder, rows = RunFolder(sys.argv[1]), int(sys.argv[2])
plan = Plan(rows, min(1000, rows), (), (), 0, {})
choices = (DetectorChoice("face", "retinaface", "a" * 64), DetectorChoice("person", "c", "b" * 64))
folder.claim(RunSettings(SourceSettings("/photos", "folder"), choices), None)
rng = random.Random(0)
def score(): return rng.random() ** 2
def box(): return dict(x1=500 * rng.random(), y1=1.5, x2=300.0, y2=9.0, score=rng.random())
def row(number):
    face = score()
    return ImageResult("/photos", f"n{number % 1000:08}/n{number:012}.JPEG", face_max_score=face,
        person_max_score=None if face > 0.5 else score(), size_bytes=number, width=500, height=375,
        sha256=rng.randbytes(32).hex(), face_boxes=[box() for _ in range(15)],
        face_detector="retinaface", face_weights_sha256="a" * 64)
for shard in range(plan.num_shards):
    start, stop = plan.bounds(shard)
    # A few different files are enough; each is read for itself.
    if shard < 4 or stop - start < plan.shard_size:
        outcomes = write_results(
            folder.results_path(shard), [row(n) for n in range(start, stop)], Thresholds(), TARGETS)
    else:
        folder.results_path(shard).write_bytes(folder.results_path(shard % 4).read_bytes())
    folder.mark_done(ShardStats(shard, stop - start, outcomes, stop - start, 1.0, 1.0, {}, "", 0.0))
folder.plan_path.parent.mkdir()
folder.plan_path.write_text(json.dumps(dataclasses.asdict(plan)))
"""
PLAN_CODE = """
import json, sys
from pass_dataset.passify.runs.plan import make_plan
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.settings import DetectorChoice, RunSettings
from pass_dataset.passify.sources.opening import SourceSettings, open_source
from pass_dataset.progress import Silent

source = SourceSettings.of(sys.argv[1]).resolved()
settings = RunSettings(source, (DetectorChoice("face", "retinaface", "a" * 64),))
plan = make_plan(RunFolder(sys.argv[2]), open_source(source), settings, Silent())
print(json.dumps({"images": plan.images}))
"""


def python(code: str, *arguments: str | Path) -> list[str | Path]:
    """A command that runs code with this Python."""
    return [sys.executable, "-c", code, *arguments]


def passify(*arguments: str | Path) -> list[str | Path]:
    """The command `passify`, run by this Python."""
    return [sys.executable, "-m", "pass_dataset.passify", *arguments]


def verdict(met: bool) -> str:
    """`met` or `missed`."""
    return "met" if met else "missed"


@dataclass(frozen=True)
class Rate:
    """What one way of finding faces did: a line of the table.

    Attributes:
        what: the way.
        images: number of images.
        seconds: time for all of them; loading is not counted, but for `passify run`.
        cpu_s: processor time of all processes.
        peak_mb: memory of all processes.
    """

    what: str
    images: int
    seconds: float
    cpu_s: float
    peak_mb: float

    @property
    def per_s(self) -> float:
        """Images a second."""
        return self.images / self.seconds

    @property
    def cells(self) -> list[str]:
        """Its line."""
        cpu_ms = 1000 * self.cpu_s / self.images
        per_s = f"{self.per_s:,.1f}"
        return [self.what, f"{self.images:,}", per_s, f"{cpu_ms:,.1f}", f"{self.peak_mb:,.0f}"]


def contest(name: str, what: str, folder: Path, weights: Path) -> tuple[Rate, int]:
    """A contestant of `bench_detectors.py` on the JPEGs of a folder; and the faces it found."""
    script = Path(__file__).with_name("bench_detectors.py")
    words: list[str | Path] = ["--contestant", name, "--work", folder, "--weights", weights]
    run = measure_tree([sys.executable, script, *words])
    found = json.loads(run.output)
    scores, cpu_s = found["scores"], sum(found["spent"].values())
    rate = Rate(what, len(scores), found["seconds"], cpu_s, run.peak_mb)
    return rate, sum(score > 0.5 for score in scores)


def filtered(what: str, source: Path, out: Path, images: int, weights: Path) -> Rate:
    """`passify run` for faces, from start to end."""
    options = ("--detectors", "face", "--device", "cpu", "--face-weights", weights)
    run = measure_tree(passify("run", source, "--out", out, *options))
    return Rate(what, images, run.seconds, run.cpu_s, run.peak_mb)


def bench_rates(options: argparse.Namespace, work: Path) -> None:
    """The published loop, the detector, and the pipeline, on the same images."""
    everything, some = work / "images", work / "some"
    for folder in (everything, some):
        folder.mkdir()
    paths = make_images(options.source, everything, options.images)
    for path in paths[: options.loop_images]:
        (some / path.name).hardlink_to(path)
    loop, _ = contest("published", "published loop", some, options.weights)
    alone, faces = contest("ours", "detector alone", everything, options.weights)
    run = filtered("passify run", everything, work / "run", len(paths), options.weights)
    kept = len((work / "run" / "kept.txt").read_text().splitlines())
    if kept != len(paths) - faces:
        raise BenchmarkError(f"{kept} of {len(paths)} kept, but the detector alone found {faces}")
    rates = [loop, alone, run]
    if options.long:
        long = work / "long.txt"
        with long.open("w") as file:
            file.writelines(f"{paths[n % len(paths)]}\n" for n in range(options.long))
        rates.append(filtered("passify run", long, work / "long", options.long, options.weights))
    head = ["faces, 500x375 JPEGs", "images", "images/s", "CPU ms/image", "peak MB"]
    print(format_table([head, *(rate.cells for rate in rates)]))
    ratio, share = run.per_s / loop.per_s, run.per_s / alone.per_s
    peak_mb = max(rate.peak_mb for rate in rates[2:])
    print(
        f"passify run / published loop: {ratio:.1f}x (target {TARGET_RATIO:g}: "
        f"{verdict(ratio >= TARGET_RATIO)})\n"
        f"passify run / detector alone: {share:.2f} (target {1 - TARGET_OVERHEAD:g}: "
        f"{verdict(share >= 1 - TARGET_OVERHEAD)})\n"
        f"peak memory under {TARGET_PEAK_MB:,.0f} MB: {verdict(peak_mb < TARGET_PEAK_MB)}\n"
    )


def bench_listing(options: argparse.Namespace, work: Path) -> None:
    """Listing and planning a folder of empty files."""
    folder = work / "empty"
    folder.mkdir()
    for number in range(options.listing):
        os.close(os.open(folder / f"{number:08}.jpg", os.O_CREAT | os.O_WRONLY))
    run = measure_tree(python(PLAN_CODE, folder, work / "planned"), poll_s=0.05)
    assert json.loads(run.output)["images"] == options.listing
    met = run.seconds < TARGET_LISTING_S and run.peak_mb < TARGET_LISTING_MB
    print(
        f"listing and planning {options.listing:,} files in one folder: {run.seconds:.1f} s "
        f"({run.cpu_s:.1f} s of CPU), {run.peak_mb:,.0f} MB (target {TARGET_LISTING_S:.0f} s, "
        f"{TARGET_LISTING_MB:,.0f} MB: {verdict(met)})\n"
    )
    shutil.rmtree(folder)


def bench_rows(options: argparse.Namespace, work: Path) -> None:
    """Other thresholds on stored scores."""
    measure_tree(python(ROWS_CODE, work / "rows", str(options.rows)))
    for command in ("summary", "keep"):
        run = measure_tree(passify(command, work / "rows", "--face", "0.3"), poll_s=0.05)
        print(
            f"passify {command} --face 0.3 on {options.rows:,} rows: {run.seconds:.1f} s "
            f"({run.cpu_s:.1f} s of CPU), {run.peak_mb:,.0f} MB (target {TARGET_ROWS_S:.0f} s: "
            f"{verdict(run.seconds < TARGET_ROWS_S)})"
        )


BENCHMARKS = {"rates": bench_rates, "listing": bench_listing, "rows": bench_rows}


@contextlib.contextmanager
def workplace(given: Path | None) -> Iterator[Path]:
    """A folder to work in, which is removed."""
    with tempfile.TemporaryDirectory(prefix="bench-passify-", dir=given) as work:
        yield Path(work)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description="Measure passify run, and what it is made of.")
    parser.add_argument("source", metavar="SOURCE", type=Path, help="folder with photographs")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="mobilenet0.25_Final.pth")
    parser.add_argument("--images", type=int, default=8000, help="images (default: 8000)")
    parser.add_argument("--loop-images", type=int, default=500, help="for the published loop")
    parser.add_argument("--long", type=int, metavar="N", help="images of a longer run")
    parser.add_argument("--listing", type=int, default=1_000_000, help="files to list")
    parser.add_argument("--rows", type=int, default=1_440_000, help="rows of results")
    parser.add_argument("--only", choices=sorted(BENCHMARKS), help="only this part")
    parser.add_argument("--work", type=Path, metavar="DIR", help="folder to work in")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    if options.weights is None and options.only in (None, "rates"):
        parser.error("--weights FILE: needed for the rates")
    print(machine_line())
    try:
        with workplace(options.work) as work:
            for name, benchmark in BENCHMARKS.items():
                if options.only in (None, name):
                    benchmark(options, work)
    except BenchmarkError as error:
        logger.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
