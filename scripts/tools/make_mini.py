"""Remakes the mini release: ten tars, the metadata CSV and the list of checksums.

Run ``python scripts/tools/make_mini.py [OUT_DIR]``. The same versions of numpy and Pillow on the
same kind of processor give the same bytes. The awkward rows and files are in :data:`TRAPS` (name ->
hash, see :mod:`pass_dataset.archives.mini.traps`); ``TRAP_PICTURES`` says which picture carries
which. The drawings are in ``mini_pictures`` beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import logging
import tarfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus

import numpy as np
from mini_pictures.catalogue import PICTURES, Picture

from pass_dataset.archives import mini
from pass_dataset.archives.mini.traps import TRAPS
from pass_dataset.files.whole import write_whole

__all__ = ["TRAPS", "TRAP_PICTURES", "main", "make"]

logger = logging.getLogger(__name__)

TRAP_PICTURES = {
    "all_digits": "candles",
    "float_like": "rain on the window",
    "short": "fish bowl",
    "creator_na": "iceberg",
    "creator_null": "roofs",
    "creator_none": "canyon",
    "creator_percent": "ranges at dawn",
    "no_date": "marbles",
    "no_gps": "tea",
    "gps_zero": "sails",
    "grayscale": "ranges in grey",
    "cmyk": "pears",
    "portrait": "lighthouse",
    "progressive": "lavender",
}
TRAP_CREATORS = {
    "creator_na": "NA",
    "creator_null": "null",
    "creator_none": "None",
    "creator_percent": "山の音",
}
# Invented; encoded the way the source encodes them.
CREATORS = (
    "Blue Heron Studio<3",
    "quietharbour",
    "Lumen & Loam",
    "tin_kettle",
    "Ostwind*Bilder",
    "fernwehkiste",
    "Low Tide Pictures",
    "piet.zonder.land",
    "Café Nébuleuse",
    "marmalade skies",
    "9volt-garden",
    "Sörensdotter Foto",
    "the.paper.kite",
    "Nordlicht 65°",
    "oldmillpond",
    "granite+moss",
    "Salt/Shaker",
    "papaya_parade",
    "Études en vert",
    "Two Left Mittens",
)

PART_SIZES = (7, 7, 7, 7, 6, 6, 6, 6, 6, 6)
# Lengths of the hashes before the traps: leading zeros are lost in the source.
HASH_LENGTHS = (32, 31, 32, 31, 32, 31, 30, 32, 31, 32, 31, 32, 29, 31, 32, 31)
MTIME = 1_633_046_400  # 2021-10-01, seconds since 1970
MAX_BYTES = 23_000  # of one JPEG
ARCHIVES_MAX_BYTES = 1_400_000
HEADER = ",unickname,datetaken,licensename,hash,latitude,longitude"


@dataclass(frozen=True)
class Entry:
    """A picture with its place in the release."""

    picture: Picture
    hash: str
    part: int
    folder: str
    trap: str | None


def entries() -> list[Entry]:
    """All pictures with their hashes, dealt out to the parts in a fixed shuffled order."""
    traps = {picture: trap for trap, picture in TRAP_PICTURES.items()}
    places = [part for part, count in enumerate(PART_SIZES) for _ in range(count)]
    order = np.random.default_rng(20211001).permutation(len(PICTURES))
    result = []
    for position, (index, part) in enumerate(zip(order, places, strict=True)):
        picture = PICTURES[int(index)]
        trap = traps.get(picture.name)
        folder = "10" if part == 0 and position >= 4 else str(part)
        name = TRAPS[trap] if trap else _hash(picture.name, HASH_LENGTHS[int(index) % 16])
        result.append(Entry(picture, name, part, folder, trap))
    return result


def _hash(name: str, length: int) -> str:
    # Try salts until MD5 begins with the right number of zeros, then lose them.
    salt = 0
    while True:
        text = hashlib.md5(f"{name}/{salt}".encode(), usedforsecurity=False).hexdigest()
        short = text.lstrip("0")
        if len(short) == length:
            return short
        salt += 1


def encode(picture: Picture) -> bytes:
    """Draw a picture and store it as JPEG without EXIF, small enough for the release."""
    image = picture.image()
    data = b""
    for quality in (80, 77, 74, 71, 68, 64, 60, 56):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True, progressive=picture.progressive)
        data = buffer.getvalue()
        if len(data) <= MAX_BYTES:
            break
    logger.info("%-24s %5d bytes, quality %d", picture.name, len(data), quality)
    return data


def _encode_at(index: int) -> bytes:
    # Scenes hold closures, which do not travel between processes: send the index.
    return encode(PICTURES[index])


def encode_all(jobs: int) -> dict[str, bytes]:
    """The JPEG files of all pictures, by name."""
    indices = range(len(PICTURES))
    if jobs > 1:
        with ProcessPoolExecutor(jobs) as pool:
            files = list(pool.map(_encode_at, indices))
    else:
        files = [_encode_at(index) for index in indices]
    return {picture.name: data for picture, data in zip(PICTURES, files, strict=True)}


def tar_of(part: Sequence[Entry], files: dict[str, bytes]) -> bytes:
    """One part as an uncompressed ustar archive with fixed metadata."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(_member("PASS_dataset"))
        folders: set[str] = set()
        for entry in part:
            folder = f"PASS_dataset/{entry.folder}"
            if folder not in folders:
                archive.addfile(_member(folder))
                folders.add(folder)
            data = files[entry.picture.name]
            archive.addfile(_member(f"{folder}/{entry.hash}.jpg", len(data)), io.BytesIO(data))
    return buffer.getvalue()


def _member(name: str, size: int | None = None) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mtime = MTIME
    if size is None:
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    else:
        info.size, info.mode = size, 0o644
    return info


def metadata(release: Sequence[Entry]) -> bytes:
    """The CSV: rows by growing row number, in another order than the tars."""
    rng = np.random.default_rng(64)
    numbers = np.sort(rng.choice(1_500_000, len(release), replace=False))
    order = rng.permutation(len(release))
    lines = [HEADER]
    for number, index in zip(numbers, order, strict=True):
        lines.append(_row(rng, int(number), release[int(index)]))
    return ("\n".join(lines) + "\n").encode("utf-8")


def _row(rng: np.random.Generator, number: int, entry: Entry) -> str:
    # Draw every value for every row, so that one more trap does not change the other rows.
    creator = CREATORS[int(rng.integers(len(CREATORS)))]
    days, seconds = int(rng.integers(3650)), int(rng.integers(86_400))
    start = np.datetime64("2004-02-10T00:00:00")
    moment = start + np.timedelta64(days * 86_400 + seconds, "s")
    date = str(moment).replace("T", " ") + ".0"
    latitude, longitude = (str(round(rng.uniform(-e, e), 6)) for e in (60, 180))  # degrees
    has_gps, has_date = rng.random() < 0.4, rng.random() > 0.04
    trap = entry.trap
    if trap == "gps_zero":
        latitude, longitude, has_gps = "0.0", "0.0", True
    if trap == "no_gps" or not has_gps:
        latitude = longitude = ""
    if trap == "no_date" or not has_date:
        date = ""
    name = quote_plus(TRAP_CREATORS.get(trap or "", creator))
    values = (str(number), name, date, "Attribution License", entry.hash)
    return ",".join((*values, latitude, longitude))


def checksums(files: dict[str, bytes]) -> bytes:
    """The list of the release's files: comment lines, then URL, size, SHA-256 and name."""
    lines = [
        "# name\tpass_mini",
        "# version\t1.0.0",
        f"# num_examples\t{len(PICTURES)}",
        "# changes\tPictures drawn by scripts/tools/make_mini.py",
    ]
    for name, data in files.items():
        lines.append(f"-\t{len(data)}\t{hashlib.sha256(data).hexdigest()}\t{name}")
    return ("\n".join(lines) + "\n").encode("utf-8")


def make(folder: Path, jobs: int = 1) -> None:
    """Write ``archives/`` and ``pass_mini.tsv`` under a folder."""
    release = entries()
    pictures = encode_all(jobs)
    files: dict[str, bytes] = {}
    for number in range(len(PART_SIZES)):
        part = [entry for entry in release if entry.part == number]
        files[f"PASS.{number}.tar"] = tar_of(part, pictures)
    files["pass_metadata.csv"] = metadata(release)
    total = sum(map(len, files.values()))
    if total > ARCHIVES_MAX_BYTES:
        raise ValueError(f"archives/ would have {total} bytes, more than {ARCHIVES_MAX_BYTES}")
    for name, data in files.items():
        _write(folder / "archives" / name, data)
    _write(folder / "pass_mini.tsv", checksums(files))
    logger.info("%d pictures, %d bytes in %s", len(release), total, folder)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Remake the mini release of PASS.")
    parser.add_argument(
        "out_dir",
        nargs="?",
        type=Path,
        default=mini.CHECKSUMS.parent,
        metavar="OUT_DIR",
        help="where archives/ and pass_mini.tsv go (default: the package itself)",
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes that draw (default: 1)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    make(options.out_dir, options.jobs)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
