"""Rankers: how fast each is beside a plain loop, all in one pass, and what the queue finds.

    python scripts/benchmarks/bench_ranking.py IMAGES --count 2000 --planted 100 --work FOLDER

Makes `--count` photographs of those in IMAGES (crops of 480×360, in order of a seed), and draws a
number plate, an e-mail address, a telephone number or a web address, in turn, on `--planted` of
them. Prints

- photographs a second of processor time of each ranker, by `pass-curate rank` and by a plain loop
  over files that decodes with Pillow, and of decoding alone, which no ranker can be faster than;
- the time of all rankers in one pass, and of one pass for each;
- how many of the planted are in the first twentieth of the queue: the best rank by any score of the
  ranker `text` that names a kind.

With ``--only queue`` it prints the last alone.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image, ImageDraw, ImageFont

from pass_dataset.curate.ranking.catalogue import open_ranker
from pass_dataset.curate.ranking.folder import RankFolder
from pass_dataset.curate.ranking.rankers.patterns import KINDS
from pass_dataset.curate.ranking.run import rank_source
from pass_dataset.curate.ranking.settings import RankSettings
from pass_dataset.curate.ranking.work import RankWork
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.images.decoding import decode
from pass_dataset.passify.sources.opening import SourceSettings

_SIZE = (480, 360)
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("images", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="folder, new or of an earlier run")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--planted", type=int, default=100)
    parser.add_argument("--rankers", default="opennsfw,text")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", choices=("queue", "speed"))
    options = parser.parse_args()
    source = options.work / "photographs"
    if not source.is_dir():
        make(options.images, source, options.count, options.planted)
    names = tuple(options.rankers.split(","))
    if options.only != "queue":
        speed(source, options.work, names, options.workers)
    if options.only != "speed":
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
        plain, _ = _taken(partial(_loop, paths, name))
        walls, cpus = walls + wall, cpus + cpu
        rates = f"{len(paths) / cpu:.2f} a processor second, plain loop {len(paths) / plain:.2f}"
        print(f"{name}: {rates}", flush=True)
    cpu, wall = _taken(lambda: _rank(source, work / "by-all", names, workers))
    print(
        f"all in one pass: {wall:.1f} s ({cpu:.1f} s of processors), one after the other "
        f"{walls:.1f} s ({cpus:.1f} s): {walls / wall:.2f} times as fast ({cpus / cpu:.2f} by "
        "processor time)"
    )


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
