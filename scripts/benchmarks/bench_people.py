"""Detecting people: the package's Cascade R-CNN beside the plain network, one image at a time.

Both sides go from JPEG files to verdicts, each in a process of its own, in float32 on the CPU; or,
with --device cuda, the package's side in the precision asked for, with as many images at once as
`passify run` gives it there and the next ones decoded meanwhile, as it does; what cuDNN plans once
for each size of image is not counted. They must agree on every verdict; where the plain side's
score lies within 0.001 of the threshold, rounding decides. With less than float32 images near the
threshold are run again in float32; how many is printed, as it decides how long it takes.

The images are crops and rescalings of the photographs given, of 500×375 pixels, or with --varied
of all sizes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measurement import BenchmarkError, Run, format_table, machine_line, measure, require_package

if TYPE_CHECKING:
    import numpy as np

    from pass_dataset.passify.detectors.cascade_rcnn.network import Network
    from pass_dataset.passify.detectors.settings import Precision

THRESHOLD = 0.5
TOLERANCE = 1e-3  # of a score, where the order of additions differs
SIZE = (500, 375)  # width, height: what most images of PASS have

PARTS = ("decode", "resize", "forward", "rest")


def make_images(sources: Sequence[Path], count: int, varied: bool, folder: Path) -> None:
    """Writes crops of photographs as JPEGs; the same for the same arguments."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    photographs = [Image.open(path).convert("RGB") for path in sources]
    for number in range(count):
        photograph = photographs[number % len(photographs)]
        fractions = rng.uniform(0.4, 1.0, 2)
        width, height = (
            max(16, int(f * s)) for f, s in zip(fractions, photograph.size, strict=True)
        )
        left = int(rng.integers(0, photograph.width - width + 1))
        top = int(rng.integers(0, photograph.height - height + 1))
        size = SIZE
        if varied:
            scale = rng.uniform(0.5, 2.0)
            size = (max(16, int(width * scale)), max(16, int(height * scale)))
        crop = photograph.crop((left, top, left + width, top + height)).resize(size)
        crop.save(folder / f"{number:05}.jpg", quality=90)


class Parts:
    """Seconds spent in each part of the work."""

    def __init__(self, synchronize: Callable[[], None]) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self._synchronize = synchronize

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        self._synchronize()
        start = time.perf_counter()
        yield
        self._synchronize()
        self.seconds[name] += time.perf_counter() - start

    def time(self, owner: Any, method: str, name: str) -> None:
        """Counts a method's time as a part."""
        inner = getattr(owner, method)

        def timed(*arguments: Any) -> Any:
            with self.part(name):
                return inner(*arguments)

        setattr(owner, method, timed)


def run_side(options: argparse.Namespace) -> None:
    """One side, in this process; prints its figures as JSON."""
    from pass_dataset.images.decoding import decode
    from pass_dataset.workers.cores import available_cores

    def read(path: Path) -> np.ndarray[Any, Any]:
        pixels = decode(path.read_bytes()).pixels
        if pixels is None:
            raise BenchmarkError(f"{path}: cannot be decoded")
        return pixels

    side = _Ours(options) if options.side == "ours" else _Plain(options)
    import torch

    cuda = options.device.startswith("cuda")
    parts = Parts(partial(torch.cuda.synchronize, options.device) if cuda else lambda: None)
    paths = sorted(options.images.glob("*.jpg"))
    chunks = [paths[start : start + side.chunk] for start in range(0, len(paths), side.chunk)]
    side.warm_up(list(map(read, paths if cuda else chunks[0])))
    side.count_parts(parts)
    scores = []
    with ThreadPoolExecutor(available_cores(), "decode") as pool:
        # All that comes next is asked for before it is needed, or image after image when it is.
        read_all = pool.map if side.decodes_ahead else map
        started = time.perf_counter()
        coming = read_all(read, chunks[0])
        for following in [*chunks[1:], []]:
            with parts.part("decode"):
                images = list(coming)
            coming = read_all(read, following)
            scores += side.detect(images)
        seconds = time.perf_counter() - started
    parts.seconds["rest"] = seconds - sum(parts.seconds.values())
    # With what is kept for each stream.
    peak_gpu_mb = torch.cuda.max_memory_reserved(options.device) / 1e6 if cuda else 0.0
    answer = {
        "seconds": seconds,
        "parts": parts.seconds,
        "scores": scores,
        "again": side.again,
        "peak_gpu_mb": peak_gpu_mb,
    }
    print(json.dumps(answer))


class _Ours:
    #: Images that were run a second time, in float32.
    again = 0

    def __init__(self, options: argparse.Namespace) -> None:
        from pass_dataset.passify.detectors.cascade_rcnn.detector import CascadeRCNN
        from pass_dataset.passify.detectors.settings import DetectorSettings
        from pass_dataset.passify.steps.loading import Loading

        self.detector = CascadeRCNN(
            DetectorSettings(
                device=options.device,
                precision=options.precision,
                batch_size=options.batch_size,
                threads=options.threads,
                weights=options.weights,
                verdict_threshold=options.threshold,
            )
        )
        self.decodes_ahead = options.device != "cpu"
        loading = Loading(on_gpu=True, batch_size=options.batch_size)
        self.chunk = loading.at_once("person") if self.decodes_ahead else 1

    def warm_up(self, images: list[np.ndarray[Any, Any]]) -> None:
        """Loads; on CUDA each lane sees each size in each number of images, as it plans alone."""
        self.detector.detect(images[:1])
        if not self.decodes_ahead:
            return
        from pass_dataset.passify.detectors.cascade_rcnn import detector
        from pass_dataset.passify.detectors.cascade_rcnn.frames import Frame, frame_of, resize

        lanes = self.detector._lanes_of_device()
        both = threading.Barrier(detector.CUDA_LANES)
        sizes: dict[tuple[int, int], list[tuple[np.ndarray[Any, Any], Frame]]] = {}
        for image in images:
            frame = frame_of(*image.shape[:2])
            sizes.setdefault(frame.padded, []).append((image, frame))

        def see(network: Network, some: list[tuple[np.ndarray[Any, Any], Frame]]) -> None:
            both.wait()
            frames = [frame for _, frame in some]
            network.detect([resize(*one) for one in some], frames, detector.STORE_THRESHOLD)

        precisions: set[Precision] = {self.detector._precision(), "float32"}
        for precision in precisions:
            look = partial(see, self.detector._network(precision))
            for alike in sizes.values():
                count = self.detector.settings.batch_size or detector.CUDA_BATCH_SIZE
                while count:
                    if count <= len(alike):
                        list(lanes.each(look, [alike[:count]] * detector.CUDA_LANES))
                    count //= 2

    def detect(self, images: list[np.ndarray[Any, Any]]) -> list[float]:
        return [found.max_score for found in self.detector.detect(images)]

    def count_parts(self, parts: Parts) -> None:
        from pass_dataset.passify.detectors.cascade_rcnn import detector

        if self.detector._device == "cpu":  # elsewhere parts go on beside each other
            parts.time(detector, "resize", "resize")
            for network in self.detector._networks.values():
                parts.time(network, "regions", "forward")
        run = self.detector._run

        def counted(images: Sequence[Any], precision: Any) -> Any:
            self.again += len(images) if precision != self.detector._precision() else 0
            return run(images, precision)

        self.detector._run = counted  # type: ignore[method-assign]


class _Plain:
    chunk = 1
    decodes_ahead = False
    again = 0

    def __init__(self, options: argparse.Namespace) -> None:
        import torch

        if options.threads:
            torch.set_num_threads(options.threads)
        # float32 is to be float32, also where CUDA would round it to 19 bits.
        torch.backends.cudnn.allow_tf32 = False
        import plainrcnn

        self._module = plainrcnn
        self._network = plainrcnn.PlainRCNN(options.weights, options.device)

    def warm_up(self, images: list[np.ndarray[Any, Any]]) -> None:
        for image in images:
            self.detect([image])

    def detect(self, images: list[np.ndarray[Any, Any]]) -> list[float]:
        return [self._network.detect(image).max_score for image in images]

    def count_parts(self, parts: Parts) -> None:
        parts.time(self._module, "resize", "resize")
        for method in ("_resnet", "_pyramid", "_propose", "_cascade"):
            parts.time(self._network, method, "forward")


def differing_verdicts(
    plain: Sequence[float], ours: Sequence[float], threshold: float
) -> tuple[int, int]:
    """How many verdicts differ, and how many of those rounding cannot explain."""
    differing = [
        one
        for one, other in zip(plain, ours, strict=True)
        if (one >= threshold) != (other >= threshold)
    ]
    return len(differing), sum(abs(score - threshold) > TOLERANCE for score in differing)


def report(runs: dict[str, list[Run]], count: int, precision: str, threshold: float) -> bool:
    """Prints the table and the verdicts; True if these agree."""
    lines = [["", "img/s", "seconds", "peak MB", *PARTS]]
    best: dict[str, Any] = {}
    for side, some in runs.items():
        answers = [(json.loads(run.output), run) for run in some]
        answer, run = sorted(answers, key=lambda pair: pair[0]["seconds"])[len(answers) // 2]
        best[side] = answer
        shares = [f"{answer['parts'][part] / answer['seconds']:.0%}" for part in PARTS]
        peak = f"{run.peak_mb:,.0f}"
        if answer["peak_gpu_mb"]:
            peak += f" + {answer['peak_gpu_mb']:,.0f}"
        rate, seconds = f"{count / answer['seconds']:.2f}", f"{answer['seconds']:.1f}"
        lines.append([side, rate, seconds, peak, *shares])
    print(format_table(lines))
    print(f"ratio: {best['plain']['seconds'] / best['ours']['seconds']:.2f} ({precision})")
    if again := best["ours"]["again"]:
        print(f"run again in float32, as near the threshold: {again} of {count}")
    plain, ours = best["plain"]["scores"], best["ours"]["scores"]
    differing, wrong = differing_verdicts(plain, ours, threshold)
    people = sum(score >= threshold for score in plain)
    largest = max(abs(one - other) for one, other in zip(plain, ours, strict=True))
    print(
        f"verdicts: {people} of {count} images with people; {differing} differ, {wrong} of them by "
        f"more than rounding; highest scores differ by up to {largest:.1e}"
    )
    return wrong == 0


def compare(options: argparse.Namespace) -> int:
    """Both sides in turn, as often as asked."""
    require_package()
    sources = sorted(options.photographs)
    if not sources:
        raise BenchmarkError("no photographs: name some files with --photographs")
    print(machine_line())
    with tempfile.TemporaryDirectory(prefix="bench_people_") as folder:
        make_images(sources, options.count, options.varied, Path(folder))
        kind = "of varied size" if options.varied else f"of {SIZE[0]}×{SIZE[1]}"
        print(f"{options.count} JPEGs {kind}, device {options.device}")
        runs: dict[str, list[Run]] = {"plain": [], "ours": []}
        for _ in range(options.rounds):
            for side, some in runs.items():
                some.append(measure(_command(options, side, folder)))
        return 0 if report(runs, options.count, options.precision, options.threshold) else 1


def _command(options: argparse.Namespace, side: str, folder: str) -> list[str | Path]:
    command: list[str | Path] = [sys.executable, Path(__file__), "--side", side]
    command += ["--images", folder, "--weights", options.weights, "--device", options.device]
    command += ["--precision", options.precision]
    for name in ("batch_size", "threads", "threshold"):
        value = getattr(options, name)
        if value is not None:
            command += [f"--{name.replace('_', '-')}", str(value)]
    return command


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, required=True, help="checkpoint of the model zoo")
    parser.add_argument(
        "--photographs", type=Path, nargs="+", default=[], help="files that images are cut from"
    )
    parser.add_argument("--count", type=int, default=24, help="images (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="the middle one counts")
    parser.add_argument("--varied", action="store_true", help="images of all sizes")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda or cuda:N")
    parser.add_argument(
        "--precision", default="float32", choices=["float32", "bfloat16", "float16"]
    )
    parser.add_argument("--batch-size", type=int, help="of the package (default: its own)")
    parser.add_argument(
        "--threshold", type=float, default=THRESHOLD, help="of a verdict (default: %(default)s)"
    )
    parser.add_argument("--threads", type=int, help="of both (default: all cores)")
    parser.add_argument("--side", choices=["plain", "ours"], help=argparse.SUPPRESS)
    parser.add_argument("--images", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        if options.side:
            run_side(options)
            return 0
        return compare(options)
    except BenchmarkError as error:
        print(f"bench_people: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
