"""Benchmark: duplicates found: hashing, search, recall.

    python scripts/benchmarks/bench_duplicates.py --photographs FOLDER
    python scripts/benchmarks/bench_duplicates.py --only search --codes 10000000
    python scripts/benchmarks/bench_duplicates.py --photographs FOLDER --imagededup VENV/bin/python
    python scripts/benchmarks/bench_duplicates.py --photographs FOLDER --only recall --crops WEIGHTS
    python scripts/benchmarks/bench_duplicates.py --only crop-search --codes 100000

hashing: photographs as JPEGs of 500×375 pixels are decoded, and hashed as `pass-curate hash` does
(digest of the file, decoded, digest of the pixels, perceptual hash), in one process: images a
second of processor time. imagededup hashes the same files, where a Python that has it is named.

search: random codes, of which 1 % are in clusters of 1,000 around one code each, and 3,000 planted
pairs within the radius: 256 bits at radius 31, 64 bits at radius 6. Processor time, peak memory,
planted pairs found. Beside it faiss (``IndexBinaryMultiHash`` and flat), for a sample of queries,
and imagededup, for some of the codes: their time is extrapolated.

recall: photographs made anew (JPEG, half size, blur, gamma, watermark, noise, brightness, other
formats; small crops and rotations): how many are found, and pairs among the originals. With --crops
and SSCD's weights also parts, turned and overlaid ones by their descriptors: how many of these are
proposed, how many true pairs and how many of 20,000 pairs of other photographs are confirmed. With
weights of random numbers (``random:SEED``) what is proposed means nothing, and the rest holds; with
``none`` the confirmation is measured alone. ``--only crops``: these alone.

crop-search: all pairs of random descriptors, with 3,000 planted near ones; on its own only.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from croprecall import bench_crop_search, bench_crops
from measurement import BenchmarkError, format_table, machine_line, measure_tree, require_package

#: Of the files that are hashed: photographs then have some 55 kB, half of what those of PASS have.
#: The smaller files are, the less time decoding takes.
QUALITY = 95
#: Of hashing.
ROUNDS = 10
CLUSTER = 1000
PLANTED = 3000
#: Words and radius of the searches, and the most bits that codes of a cluster have from its middle.
SEARCHES = {"256 bits, radius 31": (4, 31, 15), "64 bits, radius 6": (1, 6, 3)}
#: Queries of faiss that are measured.
QUERIES = 2000
#: Codes that imagededup searches, which takes the square of their number.
SOME = 8_000

SEARCH = """
import json, resource, sys, time
import numpy as np
sys.path.insert(0, {here!r})
from bench_duplicates import planted_codes
from pass_dataset.curate.duplicates.hamming import group
codes, left, right, cluster = planted_codes({count}, {words}, {spread}, {radius})
started = time.process_time()
groups = group(codes, {radius})
seconds = time.process_time() - started
print(json.dumps(dict(
    seconds=seconds,
    found=int((groups[left] == groups[right]).sum()),
    clustered=int((groups[cluster] == groups[cluster[:, :1]]).all(1).sum()),
    clusters=len(cluster),
    memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
)))
"""
FAISS = """
import json, sys, time
import numpy as np
sys.path.insert(0, {here!r})
import faiss
from bench_duplicates import planted_codes
faiss.omp_set_num_threads(1)
codes, left, right, _ = planted_codes({count}, {words}, {spread}, {radius})
bits = 64 * {words}
rows = codes.view(np.uint8)
queries = np.concatenate([left, np.random.default_rng(3).permutation(len(codes))])[:{queries}]
index = faiss.{index}
started = time.process_time()
index.add(rows)
built = time.process_time() - started
started = time.process_time()
bounds, _, found = index.range_search(rows[queries], {radius} + 1)
taken = time.process_time() - started
hits = sum(right[k] in found[bounds[k]:bounds[k + 1]] for k in range(min(len(left), len(queries))))
print(json.dumps(dict(seconds=built + taken / len(queries) * len(codes), found=int(hits),
                      asked=min(len(left), len(queries)))))
"""
IMAGEDEDUP = """
import json, sys, time
from imagededup.methods import PHash
started = time.process_time()
PHash(verbose=False).encode_images(image_dir={folder!r}, num_enc_workers=0)
print(json.dumps(dict(seconds=time.process_time() - started)))
"""
IMAGEDEDUP_SEARCH = """
import json, os, sys
sys.path.insert(0, {here!r})
from bench_duplicates import planted_codes
from imagededup.methods import PHash
codes = planted_codes({some}, 1, {spread}, {radius})[0]
names = {{str(number): format(int(code), "016x") for number, code in enumerate(codes[:, 0])}}
# What its processes take, it has waited for.
before = sum(os.times()[:4])
PHash(verbose=False).find_duplicates(
    encoding_map=names, max_distance_threshold={radius}, num_dist_workers=1
)
print(json.dumps(dict(seconds=sum(os.times()[:4]) - before)))
"""


def planted_codes(count: int, words: int, spread: int, radius: int) -> Any:
    """Codes with clusters and pairs among them.

    Returns:
      The codes (N×W uint64), numbers of the planted pairs, left and right, and numbers of the codes
      of each cluster, a row each.
    """
    import numpy as np

    random = np.random.default_rng(11)
    codes = random.integers(0, 1 << 64, (count, words), np.uint64, endpoint=False)
    clusters = max(1, count // 100 // CLUSTER)

    def flip(rows: Any, most: int) -> None:
        """Turns up to so many bits of each row."""
        for _ in range(most):
            bits = random.integers(0, 64 * words, len(rows))
            is_turned = random.random(len(rows)) < 0.6
            where = rows[is_turned], bits[is_turned] // 64
            codes[where] ^= np.uint64(1) << (bits[is_turned] % 64).astype(np.uint64)

    members = np.arange(clusters * CLUSTER).reshape(clusters, CLUSTER)
    codes[members] = codes[members[:, :1]]
    flip(members[:, 1:].ravel(), spread)
    left = clusters * CLUSTER + 2 * np.arange(PLANTED)
    codes[left + 1] = codes[left]
    flip(left + 1, radius)
    places = random.permutation(count)
    shuffled = np.empty_like(codes)
    shuffled[places] = codes
    return shuffled, places[left], places[left + 1], places[members]


def bench_search(count: int, with_faiss: bool, imagededup: str | None) -> str:
    """The table of searches."""
    here = str(Path(__file__).resolve().parent)
    lines = [("search", "CPU-s", "peak GB", "planted found", "clusters whole")]
    for name, (words, radius, spread) in SEARCHES.items():
        values = {"here": here, "count": count, "words": words}
        values |= {"radius": radius, "spread": spread, "queries": QUERIES}
        said = json.loads(measure_tree([sys.executable, "-c", SEARCH.format(**values)]).output)
        lines.append(
            (
                name,
                f"{said['seconds']:.1f}",
                f"{said['memory']:.2f}",
                f"{said['found']:,}/{PLANTED:,}",
                f"{said['clustered']}/{said['clusters']}",
            )
        )
        if imagededup is not None and words == 1:
            program = IMAGEDEDUP_SEARCH.format(**values, some=SOME)
            said = json.loads(measure_tree([imagededup, "-c", program]).output.splitlines()[-1])
            seconds = said["seconds"] * (count / SOME) ** 2
            told = f"  imagededup, extrapolated from {SOME:,} codes"
            lines.append((told, f"{seconds:,.0f}", "", "", ""))
        if not with_faiss:
            continue
        hashes = (
            "IndexBinaryMultiHash(bits, 16, 16)"
            if words == 4
            else ("IndexBinaryMultiHash(bits, 4, 16)")
        )
        for index in (hashes, "IndexBinaryFlat(bits)"):
            program = FAISS.format(**values, index=index)
            said = json.loads(measure_tree([sys.executable, "-c", program]).output)
            kind = index.partition("(")[0].removeprefix("IndexBinary")
            lines.append(
                (
                    f"  faiss {kind}, extrapolated from {QUERIES:,} queries",
                    f"{said['seconds']:,.0f}",
                    "",
                    f"{said['found']:,}/{said['asked']:,}",
                    "",
                )
            )
    return f"{count:,} codes\n{format_table(lines)}"


def bench_hashing(photographs: list[Path], images: int, imagededup: str | None) -> str:
    """The table of hashing."""
    from PIL import Image

    from pass_dataset.curate.duplicates.fingerprints import fingerprint
    from pass_dataset.images.decoding import decode

    files = []
    for path in photographs[:images]:
        with Image.open(path) as image:
            resized = image.convert("RGB").resize((500, 375), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        resized.save(buffer, "JPEG", quality=QUALITY)
        files.append(buffer.getvalue())
    kilobytes = sum(map(len, files)) / len(files) / 1000
    decoding, hashing = rates([decode, fingerprint], files)
    lines = [
        (f"500×375, {kilobytes:.0f} kB on the average", "images/CPU-s", "of decoding"),
        ("decoding alone", f"{decoding:,.0f}", ""),
        ("hashing", f"{hashing:,.0f}", f"{hashing / decoding:.2f}"),
    ]
    if imagededup is not None:
        with tempfile.TemporaryDirectory() as folder:
            for number, data in enumerate(files):
                (Path(folder) / f"{number}.jpg").write_bytes(data)
            run = measure_tree([imagededup, "-c", IMAGEDEDUP.format(folder=folder)])
        theirs = len(files) / json.loads(run.output.splitlines()[-1])["seconds"]
        lines.append(("imagededup, PHash", f"{theirs:,.0f}", f"{theirs / decoding:.2f}"))
    return format_table(lines)


def rates(works: list[Callable[[bytes], object]], files: list[bytes]) -> list[float]:
    """Files a second of processor time of each: by the least that each file takes in some rounds.

    All take their turns in each round, so that what else the machine does falls on all of them.
    """
    least = [[float("inf")] * len(files) for _ in works]
    for _ in range(ROUNDS):
        for taken, work in zip(least, works, strict=True):
            for place, data in enumerate(files):
                started = time.process_time()
                work(data)
                taken[place] = min(taken[place], time.process_time() - started)
    return [len(files) / sum(taken) for taken in least]


def made_anew(image: Any, seed: int) -> Iterator[tuple[str, bytes]]:
    """An image made anew in many ways, each with its name."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFilter

    values = np.asarray(image).astype(np.float64)
    random = np.random.default_rng(seed)
    width, height = image.size

    def file(changed: Any, quality: int = 90, kind: str = "JPEG") -> bytes:
        if not isinstance(changed, Image.Image):
            changed = Image.fromarray(np.clip(changed, 0, 255).round().astype(np.uint8))
        buffer = io.BytesIO()
        changed.save(buffer, kind, quality=quality)
        return buffer.getvalue()

    for quality in (95, 50, 20):
        yield f"JPEG {quality}", file(image, quality)
    yield "half size", file(image.resize((width // 2, height // 2), Image.Resampling.LANCZOS))
    yield "blur, 2 pixels", file(image.filter(ImageFilter.GaussianBlur(2)))
    yield "gamma 0.7", file(255 * (values / 255) ** 0.7)
    yield "gamma 1.4", file(255 * (values / 255) ** 1.4)
    marked = image.copy()
    ImageDraw.Draw(marked, "RGBA").text(
        (width * 0.55, height * 0.85),
        "(c) a photographer",
        fill=(255, 255, 255, 160),
        font_size=max(12, height // 16),
    )
    yield "watermark", file(marked)
    yield "noise, 5 %", file(values + random.normal(0, 12.75, values.shape))
    yield "brightness 0.8", file(values * 0.8)
    yield "brightness 1.2", file(values * 1.2)
    yield "PNG", file(image, kind="PNG")
    yield "WebP 80", file(image, 80, "WEBP")
    for share in (0.02, 0.05):
        x, y = round(width * share / 2), round(height * share / 2)
        yield f"crop {share:.0%}", file(image.crop((x, y, width - x, height - y)))
    for degrees in (1, 4):
        yield f"rotated {degrees}°", file(image.rotate(degrees, Image.Resampling.BICUBIC))


def bench_recall(photographs: list[Path]) -> str:
    """The table of recall."""
    import numpy as np
    from PIL import Image, ImageOps

    from pass_dataset.curate.duplicates.hamming import distances
    from pass_dataset.curate.duplicates.perceptual import RADIUS, code_of
    from pass_dataset.curate.duplicates.small_pictures import AGREEMENT, small_picture
    from pass_dataset.images.decoding import decode

    codes, pictures = [], []
    found: dict[str, list[tuple[int, float]]] = {}
    for seed, path in enumerate(photographs):
        pixels = decode(path.read_bytes()).pixels
        code = None if pixels is None else code_of(pixels)
        if pixels is None or code is None:
            continue
        picture = small_picture(pixels)
        codes.append(code)
        pictures.append(picture)
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            for name, data in made_anew(upright, seed):
                changed = decode(data).pixels
                other = None if changed is None else code_of(changed)
                away, agree = 256, 0.0
                if changed is not None and other is not None:
                    away = int(distances(other[None], code[None])[0])
                    agree = float(small_picture(changed) @ picture)
                found.setdefault(name, []).append((away, agree))
    lines = [("made anew", "found %", "within radius %", "median bits", "most bits")]
    for name, pairs in found.items():
        bits = np.array([pair[0] for pair in pairs])
        agreed = np.array([pair[1] for pair in pairs]) >= AGREEMENT
        within = bits <= RADIUS
        lines.append(
            (
                name,
                f"{100 * (within & agreed).mean():.2f}",
                f"{100 * within.mean():.2f}",
                f"{np.median(bits):.0f}",
                f"{bits.max()}",
            )
        )
    all_codes, all_pictures = np.stack(codes), np.stack(pictures)
    near, false, least = 0, 0, 256
    for number in range(len(codes) - 1):
        apart = distances(all_codes[number + 1 :], all_codes[number : number + 1])
        is_near = apart <= RADIUS
        least = min(least, int(apart.min()))
        near += int(is_near.sum())
        agreeing = all_pictures[number + 1 :][is_near] @ all_pictures[number]
        false += int((agreeing >= AGREEMENT).sum())
    return (
        f"{len(codes):,} photographs\n{format_table(lines)}\n"
        f"pairs among the originals: {near:,} within the radius, {false:,} of them confirmed; the "
        f"nearest differ in {least} bits"
    )


def weights_of(name: str, folder: Path) -> Path | None:
    """A file of weights; ``random:SEED`` makes one with the published names; ``none``: without."""
    if name == "none":
        return None
    if not name.startswith("random:"):
        return Path(name)
    import torch
    import torchvision

    torch.manual_seed(int(name.removeprefix("random:")))
    trunk = torchvision.models.resnet50(weights=None, num_classes=512)
    path = folder / "random.pt"
    torch.save({f"backbone.{name}": value for name, value in trunk.state_dict().items()}, path)
    return path


def main() -> int:
    """Parse the arguments, run the benchmarks, print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photographs", type=Path, help="folder of photographs, of any depth")
    parser.add_argument("--images", type=int, default=500, help="that are hashed (%(default)s)")
    parser.add_argument("--codes", type=int, default=1_440_000, help="searched (%(default)s)")
    parser.add_argument("--only", choices=("hashing", "search", "recall", "crops", "crop-search"))
    parser.add_argument(
        "--crops", metavar="WEIGHTS", help="SSCD's, random:SEED, or none: recall of crops too"
    )
    parser.add_argument(
        "--every", type=int, default=1, help="of which photographs crops are made (%(default)s)"
    )
    parser.add_argument("--device", help="where descriptors are searched: cpu or cuda")
    parser.add_argument("--no-faiss", action="store_true")
    parser.add_argument("--imagededup", metavar="PYTHON", help="a Python that has imagededup")
    options = parser.parse_args()
    # As in processes that hash: threads of a matrix product this small only wait for each other.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        require_package()
        print(machine_line(), end="\n\n")
        photographs = sorted(options.photographs.rglob("*.jpg")) if options.photographs else []
        if options.only not in ("search", "crop-search") and not photographs:
            raise BenchmarkError("--photographs: name a folder with .jpg files")
        if options.only in (None, "hashing"):
            print(bench_hashing(photographs, options.images, options.imagededup), end="\n\n")
        if options.only in (None, "search"):
            print(bench_search(options.codes, not options.no_faiss, options.imagededup), end="\n\n")
        if options.only in (None, "recall"):
            print(bench_recall(photographs))
        if options.crops is not None and options.only in (None, "recall", "crops"):
            with tempfile.TemporaryDirectory() as folder:
                weights = weights_of(options.crops, Path(folder))
                print(f"\n{bench_crops(photographs, weights, options.every)}")
        if options.only == "crop-search":
            print(bench_crop_search(options.codes, options.device))
    except BenchmarkError as error:
        print(f"bench_duplicates: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
