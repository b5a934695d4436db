"""Make a collection of photographs out of a few: crops, scales and flips of those in a folder.

    python scripts/benchmarks/make_collection.py ../shared/images OUT --images 5000

writes `OUT/<folder>/<number>.jpg`, a hundred images a folder: a part of an image of the folder,
chosen, cut, scaled and perhaps mirrored by the seed and its number, as JPEG of quality 90. Longer
sides are 500 pixels for most, as in PASS; with `--size 500x375` all images are of that size. The
same arguments give the same pixels. Files that cannot be read, or show a
single colour, are passed over. Images that are
there already are not made again, so a collection can be made larger.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from PIL import Image, ImageOps, ImageStat

PER_FOLDER = 100
LONGER_SIDE = 500
#: Share of images whose longer side is another, and the bounds of that.
VARIED_SHARE = 0.2
VARIED_SIDES = (160, 900)
#: Smallest part of an image's width and height that is cut out.
MIN_CROP = 0.4
QUALITY = 90
#: Photographs whose values deviate by less from the mean in every channel are passed over.
MIN_DEVIATION = 8


@dataclass(frozen=True)
class Settings:
    """What to make.

    Attributes:
        source: folder with image files.
        out: folder to write into.
        seed: of all choices.
        size: width and height of all images, or None to let them vary.
    """

    source: Path
    out: Path
    seed: int
    size: tuple[int, int] | None


@cache
def photographs(source: Path) -> list[Image.Image]:
    """The images of a folder that can be read, in the order of their names."""
    found = []
    for path in sorted(source.iterdir()):
        try:
            with Image.open(path) as image:
                photograph = ImageOps.exif_transpose(image).convert("RGB")
        except (OSError, SyntaxError, ValueError):
            continue
        # Parts of a single colour are of a single colour, whatever is done to them.
        if max(ImageStat.Stat(photograph).stddev) > MIN_DEVIATION:
            found.append(photograph)
    return found


def varied(
    photograph: Image.Image, rng: random.Random, size: tuple[int, int] | None
) -> Image.Image:
    """A part of a photograph, scaled, and mirrored or not."""
    width, height = photograph.size
    if size is None:
        part = [rng.uniform(MIN_CROP, 1.0) * side for side in (width, height)]
        longer = LONGER_SIDE if rng.random() > VARIED_SHARE else rng.randint(*VARIED_SIDES)
        scale = longer / max(part)
        size = (max(1, round(part[0] * scale)), max(1, round(part[1] * scale)))
    else:
        # The largest part of this shape, and less.
        fit = min(width / size[0], height / size[1]) * rng.uniform(MIN_CROP, 1.0)
        part = [size[0] * fit, size[1] * fit]
    left, top = rng.uniform(0, width - part[0]), rng.uniform(0, height - part[1])
    box = (left, top, left + part[0], top + part[1])
    made = photograph.resize(size, Image.Resampling.BICUBIC, box=box)
    return ImageOps.mirror(made) if rng.random() < 0.5 else made


def make(settings: Settings, number: int) -> int:
    """Makes an image unless it is there; returns its bytes."""
    path = settings.out / f"{number // PER_FOLDER:05}" / f"{number:07}.jpg"
    if not path.exists():
        rng = random.Random(f"{settings.seed} {number}")
        found = photographs(settings.source)
        image = varied(found[rng.randrange(len(found))], rng, settings.size)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        image.save(part, "JPEG", quality=QUALITY)
        part.rename(path)
    return path.stat().st_size


def make_collection(settings: Settings, images: int) -> int:
    """Makes all images on all cores; returns their bytes."""
    with ProcessPoolExecutor() as pool:
        return sum(pool.map(partial(make, settings), range(images), chunksize=PER_FOLDER))


def parse_size(text: str) -> tuple[int, int]:
    """Width and height, from `500x375`."""
    width, by, height = text.partition("x")
    if not (by and width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, found {text!r}")
    return int(width), int(height)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        description="Make a collection of crops, scales and flips of the images in a folder."
    )
    parser.add_argument("source", metavar="SOURCE", type=Path, help="folder with image files")
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to write into")
    parser.add_argument("--images", metavar="N", type=int, default=5000, help="default: 5000")
    parser.add_argument("--seed", type=int, default=0, help="of all choices (default: 0)")
    parser.add_argument(
        "--size", metavar="WxH", type=parse_size, help="size of all images (default: they vary)"
    )
    options = parser.parse_args(arguments)
    if not options.source.is_dir() or not photographs(options.source):
        parser.error(f"{options.source}: expected a folder with image files")
    started = time.monotonic()
    settings = Settings(options.source, options.out, options.seed, options.size)
    size_bytes = make_collection(settings, options.images)
    print(
        f"{options.out}: {options.images:,} images, {size_bytes / 1e6:,.1f} MB, "
        f"{time.monotonic() - started:.1f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
