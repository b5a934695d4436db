"""Make a synthetic PASS release: the true layout, any number of images, invented content.

    python scripts/benchmarks/make_synthetic.py OUT --images 1440000

writes into OUT

- `PASS.0.tar` ... `PASS.9.tar`: plain ustar archives with the folder entries `PASS_dataset/` and
  `PASS_dataset/<part>/` and the images `PASS_dataset/<part>/<hash>.jpg`; as in the releases the
  last archive is shorter than the others;
- `pass_metadata.csv`: one row an image, in another order than the archives;
- `checksums.tsv`: sizes and SHA-256 in the package's checksum format, written last, so that a
  folder that has it is whole.

Every image is a real grey JPEG of 8x8 pixels, followed after its end-of-image marker by
pseudo-random bytes up to the wanted size. Same arguments, same bytes. Hashes and photographers
include the awkward ones of the real data: hashes of digits only, hashes that look like `12e45`,
photographers called `NA`, `null` or `None`.

With `--pictures DIR` the images are the JPEGs of that folder, over and over, each time with other
bytes after its end-of-image marker: as much work to decode as photographs.

Images are derived one by one from the seed and their number, so memory does not grow with their
count: 1.44 million images of 600 bytes took 17 s, 25 MB of memory and 2.4 GB of disk.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import logging
import math
import random
import re
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist

from checksummed import FileFacts, HashedWriter, hashed_file, write_checksums

logger = logging.getLogger("make_synthetic")

CHECKSUMS_NAME = "checksums.tsv"
METADATA_NAME = "pass_metadata.csv"

# 8x8 grey pixels, baseline, with optimized Huffman tables: 159 bytes.
TINY_JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300080606070605080707070909080a"
    "0c140d0c0b0b0c1912130f141d1a1f1e1d1a1c1c20242e2720222c231c1c2837292c3031343434"
    "1f27393d38323c2e333432ffc0000b080008000801011100ffc400140001000000000000000000"
    "00000000000000ffc40014100100000000000000000000000000000000ffda0008010100003f00"
    "3fffd9"
)
OWN_BYTES = 16  # of the digest, after the JPEG, so that no two bodies are the same
MIN_BODY_BYTES = len(TINY_JPEG) + OWN_BYTES

BLOCK_BYTES = 512  # tar's unit: headers and bodies are padded to it
RECORD_BYTES = 20 * BLOCK_BYTES  # archives end on it, as those of GNU tar and of the releases do
MTIME = 1_632_182_400  # 2021-09-21, fixed for repeatable archives
LAST_PART_SHARE = 0.6  # length of the last archive over that of the others, as in the releases
SIZE_SIGMA = 0.4  # spread of log(size) around the mean, about that of 500-pixel photographs
POOL_BYTES = 1 << 20
LOG_EVERY_S = 5.0

# Of 256 byte values, how many mean an empty field: 2 % of the dates, 62 % of the positions.
DATE_EMPTY_BELOW = 5
POSITION_EMPTY_BELOW = 159

HEX = [f"{byte:x}" for byte in range(256)]
DIGITS_ONLY = str.maketrans("abcdef", "123456")
AWKWARD_EVERY = 1000  # images from one digits-only hash to the next

IMAGES_PER_PHOTOGRAPHER = 20
AWKWARD_NAMES = ("NA", "null", "None")
FIRST_NAMES = (
    "Anouk", "Bram", "Chiara", "Dimitri", "Elif", "Femke", "Goran", "Hanneke", "Ilse", "Joao",
    "Kaisa", "Lotte", "Marek", "Nour", "Oskar", "Pilar", "Quentin", "Ronja", "Sven", "Tove",
)  # fmt: skip
LAST_NAMES = (
    "Aalto", "Bakker", "Castelli", "Dvorak", "Eriksen", "Fontaine", "Grimm", "Haas", "Ivanova",
    "Jansen", "Kowalski", "Lindqvist", "Moreau", "Novak", "Oliveira", "Petrov", "Quist",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What to make; equal settings give equal bytes.

    Attributes:
        images: number of images, at least 1.
        body_bytes: size of each body, or their mean where `sizes_vary`; a body is never smaller
            than `MIN_BODY_BYTES`.
        sizes_vary: draw sizes from a log-normal distribution about the mean.
        tars: number of archives.
        seed: of hashes, bodies and metadata.
        version: written into `checksums.tsv`.
        release_1: leave out dates and positions, which the first release did not have.
        pictures: JPEGs to be used in turn, in place of tiny ones of `body_bytes`.
    """

    images: int
    body_bytes: int = 600
    sizes_vary: bool = False
    tars: int = 10
    seed: int = 0
    version: str = "0.0.1"
    release_1: bool = False
    pictures: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        for name, value in (("images", self.images), ("tars", self.tars)):
            if value < 1:
                raise ValueError(f"{name}: expected 1 or more, found {value}")
        if self.body_bytes < 0:
            raise ValueError(f"body_bytes: expected 0 or more, found {self.body_bytes}")
        if not re.fullmatch(r"\d+\.\d+\.\d+", self.version):
            raise ValueError(f"version: expected X.Y.Z, found {self.version!r}")


class HeaderTemplate:
    """The ustar headers of one kind of member, of which only name, size and checksum differ.

    Ten times as fast as `tarfile`, which makes some 50,000 headers a second.
    """

    def __init__(self, kind: bytes, mode: int) -> None:
        owner = b"%07o\0" % 1000
        self._before_size = b"%07o\0" % mode + owner + owner
        self._mtime = b"%011o\0" % MTIME
        self._after_checksum = (
            kind
            + bytes(100)  # name of a link's target
            + b"ustar\x0000"
            + b"pass".ljust(32, b"\0")  # user
            + b"pass".ljust(32, b"\0")  # group
            + bytes(8 + 8 + 155 + 12)  # device numbers, prefix of the name, padding
        )
        # The checksum counts its own eight bytes as spaces.
        fixed = self._before_size + self._mtime + self._after_checksum
        self._fixed_sum = sum(fixed) + 8 * ord(" ")

    def header(self, name: bytes, size: int) -> bytes:
        """The 512 bytes before a member called `name` (at most 100 bytes) of `size` bytes."""
        size_field = b"%011o\0" % size
        checksum = self._fixed_sum + sum(name) + sum(size_field)
        return b"".join(
            (
                name.ljust(100, b"\0"),
                self._before_size,
                size_field,
                self._mtime,
                b"%06o\0 " % checksum,
                self._after_checksum,
            )
        )


FILE_HEADERS = HeaderTemplate(b"0", 0o644)
FOLDER_HEADERS = HeaderTemplate(b"5", 0o755)


class Images:
    """The images of a collection, each a function of the seed and its number."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._photographers = max(20, settings.images // IMAGES_PER_PHOTOGRAPHER)
        self._pool = random.Random(settings.seed).randbytes(POOL_BYTES)
        self._mean = max(settings.body_bytes, MIN_BODY_BYTES)
        self._normal = NormalDist(-(SIZE_SIGMA**2) / 2, SIZE_SIGMA)  # mean of exp() is 1

    def digest(self, number: int) -> bytes:
        """48 pseudo-random bytes, from which all else about image `number` is taken."""
        return hashlib.blake2b(b"%d:%d" % (self._settings.seed, number), digest_size=48).digest()

    def hash_text(self, number: int, digest: bytes) -> str:
        """The image's name: 16 bytes as hexadecimal, each without its leading zero."""
        text = "".join([HEX[byte] for byte in digest[:16]])
        awkward = number % AWKWARD_EVERY
        if awkward == 1:
            return text.translate(DIGITS_ONLY)
        if awkward == 2:
            digits = text.translate(DIGITS_ONLY)
            return f"{digits[:2]}e{digits[3:]}"
        return text

    def write_member(self, out: HashedWriter, folder: bytes, number: int) -> None:
        """Append header and body of image `number`, in tar's blocks."""
        digest = self.digest(number)
        name = folder + self.hash_text(number, digest).encode("ascii") + b".jpg"
        pictures = self._settings.pictures
        if pictures:
            body = pictures[number % len(pictures)] + digest[:OWN_BYTES]
            out.write(FILE_HEADERS.header(name, len(body)))
            out.write(body + bytes(-len(body) % BLOCK_BYTES))
            return
        size = self._body_size(digest)
        out.write(FILE_HEADERS.header(name, size))
        out.write(TINY_JPEG + digest[:OWN_BYTES])
        left = size - MIN_BODY_BYTES
        start = int.from_bytes(digest[17:20], "big") % (POOL_BYTES - BLOCK_BYTES)
        while left > 0:
            piece = self._pool[start : start + left]
            out.write(piece)
            left -= len(piece)
            start = 0
        out.write(bytes(-size % BLOCK_BYTES))

    def csv_row(self, row: int, number: int) -> str:
        """Line `row` of the CSV, which describes image `number`."""
        digest = self.digest(number)
        hash_ = self.hash_text(number, digest)
        # YFCC has 100 million rows, of which PASS took about every 70th.
        yfcc_row = 3 + 69 * row + digest[23] % 69
        photographer = self._photographer(digest)
        if self._settings.release_1:
            return f"{yfcc_row},{photographer},Attribution License,{hash_}\n"
        return (
            f"{yfcc_row},{photographer},{_date(digest)},Attribution License,{hash_},"
            f"{_position(digest)}\n"
        )

    def _body_size(self, digest: bytes) -> int:
        if not self._settings.sizes_vary:
            return self._mean
        uniform = (int.from_bytes(digest[24:28], "big") + 0.5) / 2**32
        return max(MIN_BODY_BYTES, round(self._mean * math.exp(self._normal.inv_cdf(uniform))))

    def _photographer(self, digest: bytes) -> str:
        """An invented name, URL-encoded as the real ones are."""
        who = int.from_bytes(digest[28:32], "big") % self._photographers
        if who < len(AWKWARD_NAMES):
            return AWKWARD_NAMES[who]
        first = FIRST_NAMES[who % len(FIRST_NAMES)]
        last = LAST_NAMES[who % len(LAST_NAMES)]
        # 20 and 17 share no factor: the pair of names is another one for 340 photographers.
        again = who // (len(FIRST_NAMES) * len(LAST_NAMES)) or ""
        style = who % 7
        if style == 0:
            return f"{first.lower()}{who}"
        if style == 1:
            return f"{first}+%26+{last}{again}"
        if style == 2:
            return f"{first}+Photography%3C3{again}"
        if style == 3:
            return f"Caf%C3%A9+{last}{again}"
        return f"{first}+{last}{again}"


def _date(digest: bytes) -> str:
    """Such as `2007-05-04 15:46:43.0`, or nothing."""
    if digest[20] < DATE_EMPTY_BELOW:
        return ""
    year, month, day, hour, minute, second = digest[32:38]
    return (
        f"{2004 + year % 11}-{1 + month % 12:02d}-{1 + day % 28:02d} "
        f"{hour % 24:02d}:{minute % 60:02d}:{second % 60:02d}.0"
    )


def _position(digest: bytes) -> str:
    """Latitude and longitude in degrees, such as `38.23818,13.183593`, or the comma alone."""
    if digest[21] < POSITION_EMPTY_BELOW:
        return ","
    latitude = int.from_bytes(digest[38:42], "big") / 2**32 * 180 - 90
    longitude = int.from_bytes(digest[42:46], "big") / 2**32 * 360 - 180
    return f"{round(latitude, 6)},{round(longitude, 6)}"


class Progress:
    """Logs how many images are done, every few seconds."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._started = self._logged = time.monotonic()

    def at(self, done: int) -> None:
        """Say that `done` images are done; calls in quick succession cost little."""
        if done % 4096 and done != self._total:
            return
        now = time.monotonic()
        if done == self._total or now - self._logged >= LOG_EVERY_S:
            self._logged = now
            logger.info(
                "%s: %d of %d images, %.1f s", self._what, done, self._total, now - self._started
            )


def part_ranges(images: int, tars: int) -> list[range]:
    """The image numbers of each archive: equal parts, but for a shorter last one."""
    full = math.ceil(images / (tars - 1 + LAST_PART_SHARE))
    bounds = [min(images, full * part) for part in range(tars)] + [images]
    return [range(start, stop) for start, stop in itertools.pairwise(bounds)]


def csv_order(images: int) -> Iterable[int]:
    """All image numbers once, scattered, without a list of them in memory."""
    # Steps of about the golden ratio visit the numbers evenly and leave no two neighbours
    # together; a step without a common factor with the count visits each number once.
    step = max(1, int(images * 0.6180339887))
    while math.gcd(step, images) != 1:
        step += 1
    return ((row + 1) * step % images for row in range(images))


def write_tar(path: Path, images: Images, part: int, numbers: range, log: Progress) -> FileFacts:
    """Write one archive of the images `numbers` under the folder called `part`."""
    folder = f"PASS_dataset/{part}/".encode("ascii")
    with hashed_file(path) as out:
        out.write(FOLDER_HEADERS.header(b"PASS_dataset/", 0))
        out.write(FOLDER_HEADERS.header(folder, 0))
        for number in numbers:
            images.write_member(out, folder, number)
            log.at(number + 1)
        out.write(bytes(2 * BLOCK_BYTES))  # end of archive
        out.write(bytes(-out.size_bytes % RECORD_BYTES))
    return out.facts(path.name)


def write_csv(path: Path, images: Images, settings: Settings) -> FileFacts:
    """Write the metadata of all images."""
    columns = ["", "unickname", "datetaken", "licensename", "hash", "latitude", "longitude"]
    if settings.release_1:
        columns = ["", "unickname", "licensename", "hash"]
    log = Progress(path.name, settings.images)
    with hashed_file(path) as out:
        out.write((",".join(columns) + "\n").encode("ascii"))
        for row, number in enumerate(csv_order(settings.images)):
            out.write(images.csv_row(row, number).encode("ascii"))
            log.at(row + 1)
    return out.facts(path.name)


def make_release(folder: Path, settings: Settings) -> list[FileFacts]:
    """Write the whole collection into `folder` and return what its files are.

    Raises:
        FileExistsError: `folder` holds archives that this collection would not have.
    """
    names = [f"PASS.{part}.tar" for part in range(settings.tars)]
    folder.mkdir(parents=True, exist_ok=True)
    strangers = sorted({path.name for path in folder.glob("PASS.*.tar")} - set(names))
    if strangers:
        raise FileExistsError(
            f"{folder}: holds {', '.join(strangers)}, not of a collection of {settings.tars} "
            "archives; give another folder or delete them"
        )
    if settings.body_bytes < MIN_BODY_BYTES:
        logger.info("bodies of %d bytes, the smallest that can be made", MIN_BODY_BYTES)
    # The checksum file says that the folder is whole: away with that of an earlier run.
    (folder / CHECKSUMS_NAME).unlink(missing_ok=True)
    images = Images(settings)
    files = []
    log = Progress("archives", settings.images)
    ranges = part_ranges(settings.images, settings.tars)
    for part, (name, numbers) in enumerate(zip(names, ranges, strict=True)):
        files.append(write_tar(folder / name, images, part, numbers, log))
    files.append(write_csv(folder / METADATA_NAME, images, settings))
    write_checksums(folder / CHECKSUMS_NAME, settings.version, settings.images, files)
    return files


def parse(arguments: list[str] | None) -> tuple[Path, Settings]:
    """The folder to write and the settings; exits with a message where they make no sense."""
    parser = argparse.ArgumentParser(
        description="Make a synthetic PASS release: true layout, invented content, same bytes "
        "for the same arguments."
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to write into")
    parser.add_argument("--images", metavar="N", type=int, required=True, help="number of images")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        "--body-bytes",
        metavar="B",
        type=int,
        default=600,
        help=f"size of each image, at least {MIN_BODY_BYTES}; smaller values give that "
        "(default: %(default)s)",
    )
    sizes.add_argument(
        "--body-bytes-mean",
        metavar="M",
        type=int,
        help="let sizes vary about this mean, as those of photographs do (PASS: 124000)",
    )
    sizes.add_argument(
        "--pictures", metavar="DIR", type=Path, help="take the JPEGs of this folder as images"
    )
    parser.add_argument("--tars", type=int, default=10, help="archives (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all content (default: 0)")
    parser.add_argument(
        "--version",
        metavar="V",
        default="0.0.1",
        help=f"release number for {CHECKSUMS_NAME} (default: %(default)s)",
    )
    parser.add_argument(
        "--release-1",
        action="store_true",
        help="CSV without dates and positions, as in the first release",
    )
    options = parser.parse_args(arguments)
    varied = options.body_bytes_mean is not None
    pictures: tuple[bytes, ...] = ()
    if options.pictures is not None:
        pictures = tuple(path.read_bytes() for path in sorted(options.pictures.glob("*.jpg")))
        if not pictures:
            parser.error(f"--pictures: no .jpg in {options.pictures}")
    try:
        settings = Settings(
            images=options.images,
            body_bytes=options.body_bytes_mean if varied else options.body_bytes,
            sizes_vary=varied,
            tars=options.tars,
            seed=options.seed,
            version=options.version,
            release_1=options.release_1,
            pictures=pictures,
        )
    except ValueError as error:
        parser.error(str(error))
    return options.out, settings


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    folder, settings = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    started = time.monotonic()
    try:
        files = make_release(folder, settings)
    except OSError as error:
        logger.error("%s", error)
        return 1
    megabytes = sum(file.size_bytes for file in files) / 1e6
    print(
        f"{folder}: {settings.images:,} images, {len(files)} files, {megabytes:,.1f} MB, "
        f"{time.monotonic() - started:.1f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
