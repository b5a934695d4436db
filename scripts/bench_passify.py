"""Benchmark: `passify run` for faces beside the published loop, and what the run folder costs.

    python scripts/bench_passify.py ../shared/images --weights ../shared/weights

makes a collection with `make_collection.py` (500×375 JPEGs, in the temporary folder or in `--work
DIR`) and measures, each in a fresh process and from the page cache:

- the published loop, on `--loop-images` of the images: one after the other, read, decoded, through
  the network by PyTorch eager, priors and non-maximum suppression by NumPy;
- the detector alone: a process a core, each of which decodes its share of the images and gives
  them to RetinaFace one by one, with nothing around it. Loading is not counted;
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
from pathlib import Path

from make_collection import Settings, make_collection
from measurement import BenchmarkError, TreeRun, format_table, machine_line, measure_tree

logger = logging.getLogger("bench_passify")

SIZE = (500, 375)
TARGET_RATIO = 7.0
TARGET_OVERHEAD = 0.15
TARGET_PEAK_MB = 2000.0
TARGET_LISTING_S = 60.0
TARGET_LISTING_MB = 1000.0
TARGET_ROWS_S = 5.0

# Run as `python -c CODE ARGUMENTS...`; each prints one JSON object.
#: The loop of the published scripts, written from their description: the prior boxes are made in
#: Python for each image, as there.
LOOP_CODE = """
import itertools, json, math, sys, time
from pathlib import Path
import numpy as np
import torch
from pass_dataset.passify.detectors.retinaface.network import load_network
from pass_dataset.passify.images import decode

def priors(height, width):
    boxes = []
    for stride, sides in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512))):
        rows, columns = math.ceil(height / stride), math.ceil(width / stride)
        for row, column in itertools.product(range(rows), range(columns)):
            for side in sides:
                boxes += [(column + 0.5) * stride / width, (row + 0.5) * stride / height,
                          side / width, side / height]
    return np.array(boxes, np.float32).reshape(-1, 4)

def suppress(boxes, scores):
    areas = (boxes[:, 2] - boxes[:, 0] + 1) * (boxes[:, 3] - boxes[:, 1] + 1)
    order, kept = scores.argsort()[::-1], []
    while order.size:
        first, rest = order[0], order[1:]
        kept.append(first)
        left = np.maximum(boxes[first, :2], boxes[rest, :2])
        right = np.minimum(boxes[first, 2:], boxes[rest, 2:])
        inside = np.maximum(0, right - left + 1).prod(axis=1)
        order = rest[inside / (areas[first] + areas[rest] - inside) <= 0.4]
    return kept

network = load_network(Path(sys.argv[1]))
paths = [Path(line) for line in Path(sys.argv[2]).read_text().splitlines()]
faces, started, cpu = 0, time.perf_counter(), time.process_time()
with torch.no_grad():
    for path in paths:
        pixels = decode(path.read_bytes()).pixels
        height, width = pixels.shape[:2]
        image = np.float32(pixels) - (104, 117, 123)
        levels = network(torch.from_numpy(image.transpose(2, 0, 1)).unsqueeze(0).float())
        logits = torch.cat([level[0, :2].permute(1, 2, 0).reshape(-1) for level in levels])
        offsets = torch.cat([level[0, 2:].permute(1, 2, 0).reshape(-1, 4) for level in levels])
        scores, offsets, prior = logits.sigmoid().numpy(), offsets.numpy(), priors(height, width)
        centres = prior[:, :2] + offsets[:, :2] * 0.1 * prior[:, 2:]
        sizes = prior[:, 2:] * np.exp(offsets[:, 2:] * 0.2)
        boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], 1)
        boxes *= (width, height, width, height)
        over = scores > 0.02
        boxes, scores = boxes[over], scores[over]
        kept = scores[suppress(boxes, scores)]
        faces += bool((kept > 0.5).any())
print(json.dumps({"images": len(paths), "faces": faces, "s": time.perf_counter() - started,
                  "cpu_s": time.process_time() - cpu}))
"""
DETECTOR_CODE = """
import json, os, sys, time
from pathlib import Path
from pass_dataset.passify.detectors import DetectorSettings, open_detector
from pass_dataset.passify.images import decode

paths = [Path(line) for line in Path(sys.argv[2]).read_text().splitlines()]
cores = len(os.sched_getaffinity(0))
readers = []
for number in range(cores):
    read, write = os.pipe()
    if os.fork() == 0:
        detector = open_detector(
            "retinaface", DetectorSettings(weights=Path(sys.argv[1]), threads=1, device="cpu"))
        mine, faces = paths[number::cores], 0
        detector.detect([decode(mine[0].read_bytes()).pixels])
        started, cpu = time.perf_counter(), time.process_time()
        for path in mine:
            (found,) = detector.detect([decode(path.read_bytes()).pixels])
            faces += found.max_score > 0.5
        result = {"faces": faces, "s": time.perf_counter() - started,
                  "cpu_s": time.process_time() - cpu}
        os.write(write, json.dumps(result).encode())
        os._exit(0)
    os.close(write)
    readers.append(read)
results = [json.loads(os.read(read, 10000)) for read in readers]
for _ in readers:
    os.wait()
print(json.dumps({"images": len(paths), "faces": sum(r["faces"] for r in results),
                  "s": max(r["s"] for r in results), "cpu_s": sum(r["cpu_s"] for r in results)}))
"""
#: Rows as a run of both detectors leaves them: faces in most images, 15 boxes each.
ROWS_CODE = """
import dataclasses, json, random, sys
from pass_dataset.passify.runs import *
from pass_dataset.passify.runs.results import write_results
from pass_dataset.passify.sources import SourceSettings
from pass_dataset.passify.verdicts import TARGETS, Thresholds

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
from pass_dataset.passify.runs import *
from pass_dataset.passify.runs.plan import make_plan
from pass_dataset.passify.sources import SourceSettings, open_source
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


def line(what: str, run: TreeRun, images: int, seconds: float, cpu_s: float) -> list[str]:
    """A line of the table of rates."""
    return [
        what,
        f"{images:,}",
        f"{images / seconds:,.1f}",
        f"{1000 * cpu_s / images:,.1f}",
        f"{run.peak_mb:,.0f}",
    ]


def bench_rates(options: argparse.Namespace, work: Path) -> None:
    """The published loop, the detector, and the pipeline, on the same images."""
    collection = work / "collection"
    make_collection(Settings(options.source, collection, 0, SIZE), options.images)
    paths = sorted(collection.rglob("*.jpg"))
    everything, some = work / "all.txt", work / "some.txt"
    everything.write_text("".join(f"{path}\n" for path in paths))
    some.write_text("".join(f"{path}\n" for path in paths[: options.loop_images]))
    weights = options.weights / "mobilenet0.25_Final.pth"
    ours = ("--detectors", "face", "--device", "cpu", "--face-weights", weights)

    loop = measure_tree(python(LOOP_CODE, weights, some))
    alone = measure_tree(python(DETECTOR_CODE, weights, everything))
    run = measure_tree(passify("run", collection, "--out", work / "run", *ours))
    in_loop, in_detector = json.loads(loop.output), json.loads(alone.output)
    kept = len((work / "run" / "kept.txt").read_text().splitlines())
    if kept != len(paths) - in_detector["faces"]:
        raise BenchmarkError(f"{kept} kept, but the detector alone found {in_detector}")
    count = in_loop["images"]
    table = [
        ["faces, 500x375 JPEGs", "images", "images/s", "CPU ms/image", "peak MB"],
        line("published loop", loop, count, in_loop["s"], in_loop["cpu_s"]),
        line("detector alone", alone, len(paths), in_detector["s"], in_detector["cpu_s"]),
        line("passify run", run, len(paths), run.seconds, run.cpu_s),
    ]
    if options.long:
        long = work / "long.txt"
        with long.open("w") as file:
            for number in range(options.long):
                file.write(f"{paths[number % len(paths)]}\n")
        longer = measure_tree(passify("run", long, "--out", work / "long", *ours))
        table.append(line("passify run", longer, options.long, longer.seconds, longer.cpu_s))
    print(format_table(table))
    ratio = (len(paths) / run.seconds) / (count / in_loop["s"])
    share = (len(paths) / run.seconds) / (len(paths) / in_detector["s"])
    print(f"passify run / published loop: {ratio:.1f}x (target {TARGET_RATIO}x: ", end="")
    print(f"{verdict(ratio >= TARGET_RATIO)})")
    print(f"passify run / detector alone: {share:.2f} (target {1 - TARGET_OVERHEAD}: ", end="")
    print(f"{verdict(share >= 1 - TARGET_OVERHEAD)})")
    print(f"peak memory under {TARGET_PEAK_MB:,.0f} MB: {verdict(run.peak_mb < TARGET_PEAK_MB)}\n")


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
    parser.add_argument("--weights", type=Path, metavar="DIR", help="folder of the weights")
    parser.add_argument("--images", type=int, default=5000, help="images (default: 5000)")
    parser.add_argument("--loop-images", type=int, default=500, help="for the published loop")
    parser.add_argument("--long", type=int, metavar="N", help="images of a longer run")
    parser.add_argument("--listing", type=int, default=1_000_000, help="files to list")
    parser.add_argument("--rows", type=int, default=1_440_000, help="rows of results")
    parser.add_argument("--only", choices=sorted(BENCHMARKS), help="only this part")
    parser.add_argument("--work", type=Path, metavar="DIR", help="folder to work in")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    if options.weights is None and options.only in (None, "rates"):
        parser.error("--weights DIR: needed for the rates")
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
