"""Benchmark: views for self-supervised training, from JPEG to a collated batch, beside others'.

    pip install 'pass-dataset[views]' albumentations==2.0.8 nvidia-dali-cuda120
    python scripts/benchmarks/bench_views.py --pictures photographs/ --images 2000

makes JPEGs of PASS's size of the pictures (500 pixels long; without `--pictures`, of noise upon
colours), and has views made of them by `view_makers.py`, which says there how each does it: in
turn, each in a process of its own with the same number of workers, some rounds. Those that are not
installed are left out, and said to be missing.

With ``--device cuda`` there are also those that are decoded and made on a GPU, `device`.

Images a second are those of all of it, workers' start included. Processor milliseconds an image are
those of all processes; a busy machine changes them less, so ratios of both are printed. Ratios are
of medians. Whether the views are alike is what `compare_views.py` looks at.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench_torch import make_pictures
from measurement import BenchmarkError, format_table, machine_line, measure

SCRIPTS = Path(__file__).parent
OURS = "views"
#: Maker, the package that it needs, and how many times as fast `views` shall be.
OTHERS: dict[str, tuple[str, float | None]] = {
    "torchvision": ("torchvision", 3.0),
    "torchvision, uint8": ("torchvision", None),
    "torchvision v2": ("torchvision", 3.0),
    "albumentations": ("albumentations", None),
    "dali": ("nvidia.dali", 1.0),
}
DEVICE = "device"
#: Of views made on an H100 or H200: how many times as fast as torchvision, and images a second.
DEVICE_TARGETS = (10.0, 5000.0)
RECIPES = ("moco_v2", "swav", "dino")
LONG_SIDE_PX, QUALITY = 500, 95

Runs = dict[str, list[dict[str, float]]]


def make_jpegs(pictures: Path | None, folder: Path) -> None:
    """JPEGs of PASS's size."""
    if pictures is None:
        make_pictures(folder)
        return
    from PIL import Image

    folder.mkdir()
    number = 0
    for path in sorted(pictures.rglob("*")):
        if path.suffix.lower() not in (".jpg", ".jpeg"):
            continue
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        scale = LONG_SIDE_PX / max(image.size)
        size = (round(image.width * scale), round(image.height * scale))
        image = image.resize(size, Image.Resampling.BICUBIC)
        image.save(folder / f"{number:06}.jpg", "JPEG", quality=QUALITY)
        number += 1
    if not number:
        raise BenchmarkError(f"{pictures}: expected JPEGs, found none")


def is_installed(package: str) -> bool:
    """Whether a package is there, without importing all of it."""
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def run(maker: str, recipe: str, jpegs: Path, options: argparse.Namespace) -> dict[str, float]:
    """One maker, once."""
    command: list[str | Path] = [sys.executable, SCRIPTS / "view_makers.py", maker, jpegs]
    command += ["--recipe", recipe, "--images", str(options.images)]
    command += ["--workers", str(options.workers), "--batch-size", str(options.batch_size)]
    if maker == DEVICE:
        command += ["--device", options.device]
    found: dict[str, float] = json.loads(measure(command).output.splitlines()[-1])
    if found["images"] != options.images:
        raise BenchmarkError(f"{maker}: made views of {found['images']:,} images")
    return found


def table(recipe: str, runs: Runs) -> str:
    """What all took, and how many times as fast ours were."""
    rates = {
        maker: median(one["images"] / one["seconds"] for one in done)
        for maker, done in runs.items()
    }
    costs = {
        maker: median(one["processor_s"] / one["images"] * 1e3 for one in done)
        for maker, done in runs.items()
    }
    lines = [[recipe, "images/s", "processor ms/image", "views: times as fast", "by processor"]]
    for maker in runs:
        lines.append([maker, f"{rates[maker]:,.0f}", f"{costs[maker]:.2f}"])
        lines[-1] += [f"{rates[OURS] / rates[maker]:.2f}", f"{costs[maker] / costs[OURS]:.2f}"]
    verdicts = []
    for maker in runs:
        target = OTHERS[maker][1] if maker in OTHERS else None
        if target is not None:
            ratio = rates[OURS] / rates[maker]
            met = "met" if ratio >= target else "MISSED"
            verdicts.append(f"{recipe}: {ratio:.2f}x {maker} (target {target:g}x: {met})")
    if DEVICE in runs:
        rate = rates[DEVICE]
        verdicts.append(
            f"{recipe}: on the device {rate:,.0f} images/s (target {DEVICE_TARGETS[1]:,.0f})"
        )
        if "torchvision" in rates:
            verdicts[-1] += (
                f", {rate / rates['torchvision']:.2f}x torchvision (target {DEVICE_TARGETS[0]:g}x)"
            )
    return "\n".join([format_table(lines), *verdicts])


def benchmark(options: argparse.Namespace, jpegs: Path) -> None:
    """Everything, printed."""
    sizes = [path.stat().st_size for path in jpegs.iterdir()]
    print(
        f"{len(sizes):,} JPEGs of {sum(sizes) / len(sizes) / 1e3:.0f} kB, {options.workers} workers"
    )
    makers = [OURS] if options.device is None else [OURS, DEVICE]
    for maker, (package, _) in OTHERS.items():
        if options.others is not None and maker not in options.others:
            continue
        if is_installed(package):
            makers.append(maker)
        else:
            print(f"{maker}: missing, as {package} is not installed")
    for recipe in options.recipes:
        runs: Runs = {maker: [] for maker in makers}
        for _ in range(options.rounds):
            for maker, done in runs.items():
                done.append(run(maker, recipe, jpegs, options))
        print(table(recipe, runs), flush=True)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=Path, help="folder of JPEGs (default: made up)")
    parser.add_argument("--images", type=int, default=2000, help="of a run (default: 2,000)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=64, help="images (default: 64)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--recipes", type=names(RECIPES), default=["moco_v2", "swav"])
    parser.add_argument("--others", type=names(tuple(OTHERS), ";"), help="with ; between them")
    parser.add_argument("--device", help="make them there too, such as cuda (default: not)")
    parser.add_argument("--work", type=Path, help="folder for the JPEGs (default: the system's)")
    return parser.parse_args(arguments)


class names:  # noqa: N801  (argparse shows it as the type)
    """Names out of some, with something between them."""

    def __init__(self, known: Sequence[str], between: str = ",") -> None:
        self._known, self._between = known, between

    def __call__(self, text: str) -> list[str]:
        found = [name.strip() for name in text.split(self._between)]
        for name in found:
            if name not in self._known:
                raise argparse.ArgumentTypeError(
                    f"expected some of {', '.join(self._known)}, found {name!r}"
                )
        return found


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    options = parse(arguments)
    print(machine_line())
    try:
        with tempfile.TemporaryDirectory(dir=options.work, prefix="bench_views-") as work:
            jpegs = Path(work) / "jpegs"
            make_jpegs(options.pictures, jpegs)
            benchmark(options, jpegs)
    except BenchmarkError as error:
        print(f"bench_views: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
