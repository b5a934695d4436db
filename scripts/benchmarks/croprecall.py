"""For `bench_duplicates.py`: parts of photographs, turned and overlaid ones: how many are found."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measurement import format_table

#: Pairs of other photographs that are looked at as if they had been proposed.
FALSE_PAIRS = 20_000
#: Images that the network sees at once.
BATCH = 16


def cut_and_turned(image: Any) -> Iterator[tuple[str, bytes]]:
    """An image cut, turned and overlaid, each with its name."""
    from PIL import Image, ImageDraw

    width, height = image.size

    def file(changed: Any) -> bytes:
        buffer = io.BytesIO()
        changed.save(buffer, "JPEG", quality=90)
        return buffer.getvalue()

    for share in (0.02, 0.05, 0.10, 0.30):
        x, y = round(width * share / 2), round(height * share / 2)
        yield f"crop {share:.0%}", file(image.crop((x, y, width - x, height - y)))
    x, y = round(width * 0.3), round(height * 0.3)
    yield "crop 30%, of a corner", file(image.crop((x, y, width, height)))
    for degrees in (1, 4, 15):
        yield f"rotated {degrees}°", file(image.rotate(degrees, Image.Resampling.BICUBIC))
    for share, name in ((0.05, "5 %"), (0.15, "15 %")):
        overlaid = image.copy()
        side = share**0.5
        box = (width * 0.2, height * 0.5, width * (0.2 + side), height * (0.5 + side))
        ImageDraw.Draw(overlaid).rectangle(box, fill=(250, 220, 20))
        yield f"a patch over {name}", file(overlaid)
    canvas = Image.new("RGB", (2 * width, 2 * height), (200, 60, 60))
    canvas.paste(image, (width // 2, height // 3))
    yield "within another picture", file(canvas)


def pixels_of(data: bytes) -> Any:
    """Of a file that was just made."""
    from pass_dataset.images.decoding import decode

    return decode(data).pixels


def bench_crops(photographs: list[Path], weights: Path | None, every: int) -> str:
    """The table of crops: with weights, what descriptors propose, and what is found; else the
    confirmation alone.

    Args:
      photographs: all of them are paired with others; changed is only every so-many-th.
      weights: of SSCD, or of random numbers by the same names.
      every: which are changed.
    """
    import numpy as np
    from PIL import Image, ImageOps

    from pass_dataset.curate.duplicates.crops.agreeing import agreement_of
    from pass_dataset.curate.duplicates.crops.placing import sight_of
    from pass_dataset.curate.duplicates.finding import CROP_COSINE
    from pass_dataset.images.decoding import decode

    describer = _Describer(weights) if weights is not None else None
    sights, rows, taken = [], [], [0.0, 0.0]
    found: dict[str, list[tuple[bool, float, float]]] = {}
    for place, path in enumerate(photographs):
        pixels = decode(path.read_bytes()).pixels
        if pixels is None:
            continue
        started = time.process_time()
        sights.append(sight_of(pixels))
        taken[0] += time.process_time() - started
        if place % every:
            if describer is not None:
                rows.append(describer([pixels])[0])
            continue
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
        made = [(name, pixels_of(data)) for name, data in cut_and_turned(upright)]
        described = describer([pixels, *(one for _, one in made)]) if describer else None
        if described is not None:
            rows.append(described[0])
        for number, (name, changed) in enumerate(made, 1):
            agreed = agreement_of(sights[-1], sight_of(changed))
            is_enough = agreed is not None and agreed.is_enough
            cosines = (np.nan, np.nan) if described is None else _cosines(described, number)
            found.setdefault(name, []).append((is_enough, *cosines))
    lines = [("changed", "confirmed %", "proposed %", "found %")]
    moved, crossed = 0.0, 0
    for name, pairs in found.items():
        enough = np.array([pair[0] for pair in pairs])
        full, half = (np.array([pair[side] for pair in pairs]) for side in (1, 2))
        near = half >= CROP_COSINE
        told = ("", "")
        if describer is not None:
            told = (f"{100 * near.mean():.1f}", f"{100 * (near & enough).mean():.1f}")
            moved = max(moved, float(np.abs(full - half).max()))
            crossed += int((near != (full >= CROP_COSINE)).sum())
        lines.append((name, f"{100 * enough.mean():.1f}", *told))
    numbers = np.random.default_rng(5)
    asked = confirmed = 0
    most = 0.0
    started = time.process_time()
    while asked < FALSE_PAIRS:
        left, right = numbers.integers(0, len(sights), 2)
        if left == right:
            continue
        asked += 1
        agreed = agreement_of(sights[left], sights[right])
        confirmed += agreed is not None and agreed.is_enough
        most = max(most, 0.0 if agreed is None else agreed.share)
    taken[1] = time.process_time() - started
    said = [
        f"{len(photographs):,} photographs, of which {len(next(iter(found.values()))):,} were "
        f"changed",
        format_table(lines),
        f"{asked:,} pairs of other photographs: {confirmed:,} confirmed; of the cells of none more "
        f"than {most:.0%} agreed",
        f"a look at an image {1000 * taken[0] / len(sights):.0f} ms of processor, a comparison "
        f"{1000 * taken[1] / asked:.1f} ms",
    ]
    if describer is not None:
        said.append(
            f"half precision moved cosines by {moved:.5f} at most, and {crossed} pairs across "
            f"{CROP_COSINE}; describing took {1000 * describer.seconds / describer.images:.0f} ms "
            "of processor an image"
        )
        said.append(_among_originals(np.stack(rows), sights))
    return "\n".join(said)


class _Describer:
    """Images to descriptors in single precision."""

    def __init__(self, weights: Path) -> None:
        from pass_dataset.curate.duplicates.crops.network import load_describer
        from pass_dataset.curate.duplicates.crops.weights import crop_weights

        self._module = load_describer(crop_weights(weights))
        self.seconds, self.images = 0.0, 0

    def __call__(self, pictures: list[Any]) -> Any:
        import torch

        from pass_dataset.curate.duplicates.crops.network import prepared

        started = time.process_time()
        with torch.inference_mode():
            rows = self._module(torch.stack([prepared(pixels) for pixels in pictures])).numpy()
        self.seconds += time.process_time() - started
        self.images += len(pictures)
        return rows


def _cosines(rows: Any, number: int) -> tuple[float, float]:
    """Of the first row and another: in single precision, and as it is kept."""
    import numpy as np

    values = []
    for kept in (rows, rows.astype(np.float16)):
        one, other = kept[0].astype(np.float64), kept[number].astype(np.float64)
        values.append(float(one @ other / np.linalg.norm(one) / np.linalg.norm(other)))
    return values[0], values[1]


def _among_originals(rows: Any, sights: list[Any]) -> str:
    """What the whole tier finds among photographs of which none is another's."""
    import numpy as np

    from pass_dataset.curate.duplicates.crops.agreeing import agree
    from pass_dataset.curate.duplicates.crops.search import near_pairs
    from pass_dataset.curate.duplicates.finding import CROP_COSINE

    near = near_pairs(rows.astype(np.float16), np.arange(len(rows)), len(rows), CROP_COSINE)
    false = sum(
        agree(sights[left], sights[right])
        for left, right in zip(near.left, near.right, strict=True)
    )
    return (
        f"pairs among the originals: {len(near.left):,} proposed ({near.left_out:,} more are left "
        f"out), {false:,} of them confirmed"
    )


CROP_SEARCH = """
import json, resource, sys, time
import numpy as np
from pass_dataset.curate.duplicates.crops.search import near_pairs
random = np.random.default_rng(13)
count, planted = {count}, 3000
rows = np.empty((count, 512), np.float16)
for start in range(0, count, 1 << 14):
    made = random.standard_normal((min(count - start, 1 << 14), 512), np.float32)
    rows[start:start + len(made)] = made / np.linalg.norm(made, axis=1, keepdims=True)
places = random.permutation(count)
left, right = places[:planted], places[planted:2 * planted]
noise = random.standard_normal((planted, 512), np.float32) / 512 ** 0.5
# Cosines of 0.8 to 1.
rows[right] = rows[left] + noise * random.uniform(0, 0.6, (planted, 1))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
started, clock = time.process_time(), time.time()
found = near_pairs(rows, np.arange(count), count, 0.75, device={device!r})
pairs = set(zip(found.left.tolist(), found.right.tolist()))
hits = sum((min(a, b), max(a, b)) in pairs for a, b in zip(left.tolist(), right.tolist()))
print(json.dumps(dict(
    seconds=time.process_time() - started, clock=time.time() - clock, found=hits,
    pairs=len(pairs), memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
)))
"""


def bench_crop_search(count: int, device: str | None) -> str:
    """The line of the search: all pairs of so many random descriptors, with planted ones."""
    import json
    import sys

    from measurement import measure_tree

    program = CROP_SEARCH.format(count=count, device=device)
    said = json.loads(measure_tree([sys.executable, "-c", program]).output)
    whole = (1_440_000 / count) ** 2
    return (
        f"search of {count:,} descriptors: {said['seconds']:,.1f} s of processor, "
        f"{said['clock']:,.1f} s by the clock, {said['memory']:.2f} GB; {said['found']:,}/3,000 "
        f"planted pairs found, {said['pairs'] - said['found']:,} others; of 1.44 million it would "
        f"take {whole * said['seconds']:,.0f} s of processor, {whole * said['clock']:,.0f} s by "
        "the clock"
    )
