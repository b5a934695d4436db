"""Benchmark: faces found by the published code's loop and by this package, from disk to verdict.

    python scripts/benchmarks/bench_detectors.py --images FOLDER --weights mobilenet0.25_Final.pth

makes 500×375 JPEGs of the photographs in a folder (centre crops, flips and brightnesses of them,
rescaled) in the temporary folder, and runs on two cores, each in a fresh process, turn by turn:

- ``published``: ``imread`` (Pillow where there is no OpenCV), the network in PyTorch eager, one
  image at a time, priors made in Python loops for each image, boxes and landmarks decoded, NumPy
  NMS box by box;
- ``ours``: a process for each core, as `passify run` has them, which reads, decodes and detects one
  image after the other, by the fastest runtime that is installed, or by the one that `--backend`
  names.

Imports, loading of the network and a first round over some images are not timed. The verdicts of
both have to be the same. Memory is that of all processes together at its largest. The shares, and
the time of the CPU, are of all threads and processes together. A second table has the parts in
milliseconds, with the least and most of any round; a third, what ncnn's layers take.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

from measurement import BenchmarkError, format_table, machine_line, measure_tree
from ncnnlayers import layer_table, sound_pixels

logger = logging.getLogger("bench_detectors")

#: What gives scores, and processor time by part, of images; and the name of what computes.
Contestant = tuple[Callable[[list[Path]], tuple[list[float], dict[str, float]]], str]

CORES = 2
WIDTH, HEIGHT = 500, 375
TARGET_RATIO = 8.0
WARM_UP = 8


# --- images ---------------------------------------------------------------------------------------


def make_images(source: Path, folder: Path, count: int) -> list[Path]:
    """JPEGs of 500×375 pixels from the photographs of a folder."""
    from PIL import Image, ImageEnhance, ImageOps

    photographs = []
    for path in sorted(source.iterdir()):
        if path.suffix.lower() in (".jpg", ".jpeg", ".png") and not path.name.startswith("bad_"):
            with Image.open(path) as opened:
                photographs.append(ImageOps.exif_transpose(opened).convert("RGB"))
    if not photographs:
        raise BenchmarkError(f"{source}: expected photographs (.jpg, .png), found none")
    paths = []
    for number in range(count):
        image = photographs[number % len(photographs)]
        turn = number // len(photographs)
        share = 1.0 - 0.08 * (turn % 6)
        width, height = round(image.width * share), round(image.height * share)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        image = image.crop((left, top, left + width, top + height))
        image = image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        if turn % 2:
            image = ImageOps.mirror(image)
        image = ImageEnhance.Brightness(image).enhance(0.8 + 0.1 * (turn % 5))
        paths.append(folder / f"{number:05}.jpg")
        image.save(paths[-1], quality=95)
    return paths


# --- the published loop ---------------------------------------------------------------------------


def published(weights: Path) -> Contestant:
    """The loop of ``main_face_detector.py``, written from its description."""
    import numpy as np
    import torch

    from pass_dataset.passify.detectors.retinaface.network import load_network

    torch.set_num_threads(CORES)
    torch.set_grad_enabled(False)
    network: Any = load_network(weights)

    def forward(pixels: Any) -> tuple[Any, Any, Any]:
        levels = network.fpn(*network.body(pixels))
        features = [
            context(level)
            for context, level in zip(
                (network.ssh1, network.ssh2, network.ssh3), levels, strict=True
            )
        ]

        def heads(modules: Any, values: int) -> Any:
            outputs = [head(level) for head, level in zip(modules, features, strict=True)]
            flat = [out.permute(0, 2, 3, 1).contiguous().view(1, -1, values) for out in outputs]
            return torch.cat(flat, dim=1)

        classes = torch.softmax(heads(network.ClassHead, 2), dim=-1)
        return heads(network.BboxHead, 4), classes, heads(network.LandmarkHead, 10)

    def detect(path: Path, spent: dict[str, float]) -> float:
        started = time.process_time()
        image = imread(path)
        decoded = time.process_time()
        pixels = np.float32(image)
        pixels -= (104, 117, 123)
        height, width = image.shape[:2]
        boxes, classes, landmarks = forward(torch.from_numpy(pixels.transpose(2, 0, 1))[None])
        passed = time.process_time()
        priors = make_priors(height, width)
        scale = torch.Tensor([width, height, width, height])
        boxes = (decode_boxes(boxes[0], priors) * scale).numpy()
        scores = classes[0].numpy()[:, 1]
        points = (decode_landmarks(landmarks[0], priors) * scale[:2].repeat(5)).numpy()
        over = np.where(scores > 0.02)[0]
        highest = float(scores.max())
        order = over[scores[over].argsort()[::-1]]
        found = np.hstack([boxes[order], scores[order, np.newaxis]]).astype(np.float32)
        kept = suppress(found, 0.4)
        np.concatenate([found[kept], points[order][kept]], axis=1)
        spent["decode"] += decoded - started
        spent["forward"] += passed - decoded
        spent["rest"] += time.process_time() - passed
        return highest

    def make_priors(height: int, width: int) -> Any:
        priors: list[float] = []
        for step, sides in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512))):
            for i, j in product(range(ceil(height / step)), range(ceil(width / step))):
                for side in sides:
                    side_x, side_y = side / width, side / height
                    centres_x = [x * step / width for x in [j + 0.5]]
                    centres_y = [y * step / height for y in [i + 0.5]]
                    for y, x in product(centres_y, centres_x):
                        priors += [x, y, side_x, side_y]
        return torch.Tensor(priors).view(-1, 4)

    def decode_boxes(said: Any, priors: Any) -> Any:
        centres = priors[:, :2] + said[:, :2] * 0.1 * priors[:, 2:]
        sides = priors[:, 2:] * torch.exp(said[:, 2:] * 0.2)
        boxes = torch.cat((centres, sides), 1)
        boxes[:, :2] -= boxes[:, 2:] / 2
        boxes[:, 2:] += boxes[:, :2]
        return boxes

    def decode_landmarks(said: Any, priors: Any) -> Any:
        points = [
            priors[:, :2] + said[:, 2 * i : 2 * i + 2] * 0.1 * priors[:, 2:] for i in range(5)
        ]
        return torch.cat(points, dim=1)

    def suppress(found: Any, max_iou: float) -> list[int]:
        x1, y1, x2, y2, scores = found.T
        areas = (x2 - x1 + 1) * (y2 - y1 + 1)
        order = scores.argsort()[::-1]
        kept = []
        while order.size > 0:
            best, others = order[0], order[1:]
            kept.append(int(best))
            width = np.minimum(x2[best], x2[others]) - np.maximum(x1[best], x1[others]) + 1
            height = np.minimum(y2[best], y2[others]) - np.maximum(y1[best], y1[others]) + 1
            inner = np.maximum(0.0, width) * np.maximum(0.0, height)
            overlap = inner / (areas[best] + areas[others] - inner)
            order = others[np.where(overlap <= max_iou)[0]]
        return kept

    def run(some: list[Path]) -> tuple[list[float], dict[str, float]]:
        spent = {"decode": 0.0, "forward": 0.0, "rest": 0.0}
        return [detect(path, spent) for path in some], spent

    return run, f"torch {torch.__version__}"


def imread(path: Path) -> Any:
    """Pixels, H×W×3 uint8 BGR, as the published code reads them."""
    try:
        import cv2
    except ModuleNotFoundError:
        import numpy as np
        from PIL import Image

        with Image.open(path) as opened:
            return np.asarray(opened.convert("RGB"))[:, :, ::-1]
    cv2.setNumThreads(CORES)
    return cv2.imread(str(path))


# --- ours -----------------------------------------------------------------------------------------


def ours(paths: list[Path], weights: Path, backend: Any) -> Contestant:
    """This package: a process for each core, as `passify run` has them."""
    context = multiprocessing.get_context("spawn")
    begin = context.Barrier(CORES)
    pool = ProcessPoolExecutor(CORES, context, prepare, (weights, backend, begin, paths[0]))
    # Each takes one, as none goes on before all are there.
    names = set(pool.map(wait_for_all, range(CORES)))

    def run(some: list[Path]) -> tuple[list[float], dict[str, float]]:
        found = list(pool.map(find_faces, some, chunksize=4))
        parts = zip(*(one[1] for one in found), strict=True)
        decoding, passing, rest = (sum(part) for part in parts)
        spent = {"decode": decoding, "forward": passing, "rest": rest}
        return [one[0] for one in found], spent

    (name,) = names
    return run, f"{name} {importlib.metadata.version(name)}"


class Worker:
    """What one process of ours has."""

    detector: Any
    forward_s: float
    begin: Any


def prepare(weights: Path, backend: Any, begin: Any, path: Path) -> None:
    """Load the detector, and look at a first image."""
    from pass_dataset.passify.detectors.retinaface.detector import RetinaFace
    from pass_dataset.passify.detectors.settings import DetectorSettings

    settings = DetectorSettings(device="cpu", threads=1, weights=weights)
    Worker.detector, Worker.begin = RetinaFace(settings, backend=backend), begin
    runtime: Any = Worker.detector._runtime("float32")
    forward = runtime.run

    def timed_forward(images: Any) -> Any:
        started = time.process_time()
        result = list(forward(images))
        Worker.forward_s = time.process_time() - started
        return result

    runtime.run = timed_forward
    find_faces(path)


def wait_for_all(_: int) -> str:
    """Wait until all processes are ready; what they compute with."""
    Worker.begin.wait()
    name: str = Worker.detector.backend
    return name


def find_faces(path: Path) -> tuple[float, tuple[float, float, float]]:
    """The highest score, and processor time of decoding, of the network and of the rest."""
    from pass_dataset.images.decoding import decode

    started = time.process_time()
    image = decode(path.read_bytes())
    decoded = time.process_time()
    if image.pixels is None:
        raise BenchmarkError(f"{path}: {image.outcome}: {image.message}")
    score = Worker.detector.detect([image.pixels])[0].max_score
    detecting_s = time.process_time() - decoded
    return score, (decoded - started, Worker.forward_s, detecting_s - Worker.forward_s)


CONTESTANTS = ("published", "ours")


def contest(name: str, folder: Path, weights: Path, backend: str | None) -> None:
    """Run one contestant and print what it did, as JSON."""
    paths = sorted(folder.glob("*.jpg"))
    published_one = name == "published"
    run, runtime = published(weights) if published_one else ours(paths, weights, backend)
    run(paths[:WARM_UP])
    started = time.perf_counter()
    scores, spent = run(paths)
    seconds = time.perf_counter() - started
    found = {"seconds": seconds, "scores": scores, "spent": spent, "runtime": runtime}
    print(json.dumps(found))


# --- report ---------------------------------------------------------------------------------------


def benchmark(
    folder: Path, weights: Path, count: int, rounds: int, backend: str | None = None
) -> str:
    """Run both, turn by turn, and return the report.

    Raises:
        BenchmarkError: they do not agree.
    """
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTESTANTS}
    for turn in range(rounds):
        for name in CONTESTANTS:
            logger.info("round %d of %d: %s", turn + 1, rounds, name)
            words: list[str | Path] = ["--contestant", name, "--work", folder, "--weights", weights]
            if backend:
                words += ["--backend", backend]
            run = measure_tree([sys.executable, __file__, *words])
            results[name].append({**json.loads(run.output), "peak_mb": run.peak_mb})
    scores = {name: found[0]["scores"] for name, found in results.items()}
    pairs = list(zip(scores["published"], scores["ours"], strict=True))
    differing = sum((one > 0.5) != (other > 0.5) for one, other in pairs)
    if differing:
        raise BenchmarkError(f"{differing} of {count} verdicts differ")
    seconds = {name: median(one["seconds"] for one in found) for name, found in results.items()}
    lines = [["", "img/s", "ms/img", "CPU ms/img", "peak MB", "decode", "forward", "rest"]]
    for name, found in results.items():
        spent = min((one["spent"] for one in found), key=lambda one: sum(one.values()))
        whole = sum(spent.values())
        lines.append(
            [
                name,
                f"{count / seconds[name]:.1f}",
                f"{seconds[name] / count * 1e3:.2f}",
                f"{whole / count * 1e3:.2f}",
                f"{max(one['peak_mb'] for one in found):.0f}",
                *(f"{spent[part] / whole:.0%}" for part in ("decode", "forward", "rest")),
            ]
        )
    by_round = sorted(
        one["seconds"] / other["seconds"]
        for one, other in zip(results["published"], results["ours"], strict=True)
    )
    ratio = seconds["published"] / seconds["ours"]
    verdict = "met" if ratio >= TARGET_RATIO else "missed"
    off = max(abs(one - other) for one, other in pairs)
    faces = sum(one > 0.5 for one in scores["published"])
    runtimes = {name: found[0]["runtime"] for name, found in results.items()}
    return "\n".join(
        [
            machine_line(),
            f"faces: {count} JPEGs of {WIDTH}×{HEIGHT}, {CORES} cores, median of {rounds} rounds",
            f"published by {runtimes['published']}, ours by {runtimes['ours']}",
            "",
            format_table(lines),
            "",
            parts_table(results, count),
            "",
            *([where_ncnn_goes(folder, weights), ""] if "ncnn" in runtimes["ours"] else []),
            f"round by round: {by_round[0]:.1f} to {by_round[-1]:.1f} times as fast",
            f"ours / published: {ratio:.1f} times as fast (target {TARGET_RATIO:g}: {verdict})",
            f"verdicts: all the same, {faces} with a face; scores differ by {off:.1e} at most",
        ]
    )


def parts_table(results: dict[str, list[dict[str, Any]]], count: int) -> str:
    """Processor time an image by part: the median round, and the least and most of any."""
    lines = [["ms/img of the CPU", *results, "ratio"]]
    parts = ("decode", "forward", "rest")
    for part in (*parts, "all"):
        cells, medians = [], []
        for found in results.values():
            some = [
                sum(one["spent"][p] for p in (parts if part == "all" else (part,))) for one in found
            ]
            some = sorted(seconds / count * 1e3 for seconds in some)
            medians.append(median(some))
            cells.append(f"{medians[-1]:.2f} ({some[0]:.2f} to {some[-1]:.2f})")
        lines.append([part, *cells, f"{medians[0] / medians[1]:.1f}"])
    return format_table(lines)


def where_ncnn_goes(folder: Path, weights: Path) -> str:
    """The network's time by kind of layer."""
    from pass_dataset.passify.detectors.retinaface.detector import RetinaFace
    from pass_dataset.passify.detectors.retinaface.graph_cache import cached_ncnn_graph
    from pass_dataset.passify.detectors.settings import DetectorSettings

    detector = RetinaFace(DetectorSettings(device="cpu", threads=1, weights=weights))
    images = [sound_pixels(path) for path in sorted(folder.glob("*.jpg"))[:WARM_UP]]
    graph = cached_ncnn_graph(detector._weights())
    return layer_table(detector._runtime("float32"), graph.text, images)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        description="Faces found by the published code's loop and by this package, side by side."
    )
    parser.add_argument("--images", metavar="DIR", type=Path, help="photographs to make JPEGs of")
    parser.add_argument(
        "--weights", metavar="FILE", type=Path, help="mobilenet0.25_Final.pth (default: fetched)"
    )
    parser.add_argument("--count", type=int, default=200, help="JPEGs (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument(
        "--backend",
        choices=("ncnn", "onnxruntime", "torch"),
        help="what ours computes with (default: the fastest that is installed)",
    )
    parser.add_argument("--contestant", choices=CONTESTANTS, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.images is None and options.contestant is None:
        parser.error("--images: expected a folder with photographs")
    if options.count < 1 or options.rounds < 1:
        parser.error("--count, --rounds: expected 1 or more")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; exit status 0 when all was measured, whether targets are met or not."""
    options = parse(arguments)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    if options.contestant:
        contest(options.contestant, options.work, options.weights, options.backend)
        return 0
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        weights = options.weights or fetched_weights()
        with tempfile.TemporaryDirectory(prefix="bench_detectors-") as folder:
            logger.info("making %d JPEGs", options.count)
            make_images(options.images, Path(folder), options.count)
            print(benchmark(Path(folder), weights, options.count, options.rounds, options.backend))
    except BenchmarkError as error:
        print(f"bench_detectors: {error}", file=sys.stderr)
        return 2
    return 0


def fetched_weights() -> Path:
    """The published weights, from the cache or from where they are published."""
    from pass_dataset.passify.detectors.weights.files import RETINAFACE_MOBILENET
    from pass_dataset.passify.detectors.weights.store import resolve

    return resolve(RETINAFACE_MOBILENET).path


if __name__ == "__main__":
    sys.exit(main())
