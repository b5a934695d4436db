"""`pass-dataset demo`: the mini release built and loaded through both libraries, and compared."""

from __future__ import annotations

import argparse
import hashlib
import io
import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.errors import VerificationError
from pass_dataset.extras import require
from pass_dataset.files.whole import writing_whole

if TYPE_CHECKING:
    from pass_dataset.archives.records import ImageRecord

__all__ = ["LoadedRecord", "add_arguments", "load_with_datasets", "load_with_tfds", "run_demo"]

_SHOWN = 3
_COLUMNS = 8
_CELL_PX = 160


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset demo",
        "pass-dataset demo --out /tmp/demo",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("pass-demo"),
        help="folder to write (default: pass-demo)",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    for line in run_demo(options.out):
        print(line, flush=True)
    return 0


@dataclass(frozen=True)
class LoadedRecord:
    """What a loader gave for one image, in terms common to both.

    Attributes:
      hash, creator: text.
      date_taken: ``YYYY-MM-DD HH:MM:SS``, or None.
      gps: latitude and longitude in degrees as float32 has them, or None.
      size_px: width and height of the decoded image.
      jpeg_sha256: of the stored bytes.
    """

    hash: str
    creator: str
    date_taken: str | None
    gps: tuple[float, float] | None
    size_px: tuple[int, int]
    jpeg_sha256: str


def run_demo(out: Path) -> Iterator[str]:
    """Builds `pass_mini` twice, compares, draws a contact sheet; yields what there is to say.

    Args:
      out: folder for both builds and ``contact_sheet.png``; made if missing.

    Raises:
      MissingExtraError: TFDS, `datasets` or Pillow is not installed.
      VerificationError: the two do not hold the same.
    """
    from pass_dataset.archives.ensure import open_mini

    out.mkdir(parents=True, exist_ok=True)
    loaders = {
        "TFDS: tfds.load('pass_mini', split='train')": load_with_tfds,
        "Hugging Face: datasets.load_dataset('pass_mini', split='train')": load_with_datasets,
    }
    results = []
    for title, load in loaders.items():
        started = time.perf_counter()
        records = load(out)
        results.append(records)
        yield f"\n{title}"
        yield f"  {len(records)} records in {time.perf_counter() - started:.1f} s, import included"
        for image_hash in sorted(records)[:_SHOWN]:
            yield f"  {_line(records[image_hash])}"
    _compare(*results)
    yield f"\nBoth hold the same {len(results[0])} images and the same metadata."
    sheet = out / "contact_sheet.png"
    draw_contact_sheet(list(open_mini()), sheet)
    yield f"All pictures at a glance: {sheet}"


def _line(record: LoadedRecord) -> str:
    gps = "no GPS" if record.gps is None else f"{record.gps[0]:.4f}, {record.gps[1]:.4f}"
    width, height = record.size_px
    return (
        f"{record.hash:<32}  {width}×{height}  {record.date_taken or 'no date':<19}  {gps:<19}  "
        f"by {record.creator}"
    )


def load_with_tfds(out: Path) -> dict[str, LoadedRecord]:
    """Builds and reads `pass_mini` with TFDS; by hash."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # its start-up notes bury the demo's lines
    tfds = require("tensorflow_datasets", feature="The demo's first half", extra="tfds")
    tfds.disable_progress_bar()
    where = {"data_dir": str(out / "tfds"), "split": "train"}
    decoded = tfds.as_numpy(tfds.load("pass_mini", **where))
    skip = {"image": tfds.decode.SkipDecoding()}
    stored = tfds.as_numpy(tfds.load("pass_mini", decoders=skip, **where))
    sizes = {row["image/hash"]: row["image"].shape for row in decoded}
    records = (_from_tfds(row, sizes[row["image/hash"]]) for row in stored)
    return {record.hash: record for record in records}


def _from_tfds(row: Mapping[str, Any], shape: tuple[int, int, int]) -> LoadedRecord:
    latitude, longitude = float(row["image/gps_lat"]), float(row["image/gps_lon"])
    date_taken = row["image/date_taken"].decode().removesuffix(".0")
    return LoadedRecord(
        hash=row["image/hash"].decode(),
        creator=row["image/creator_uname"].decode(),
        date_taken=date_taken or None,
        gps=None if math.isnan(latitude) else (latitude, longitude),
        size_px=(shape[1], shape[0]),
        jpeg_sha256=hashlib.sha256(row["image"]).hexdigest(),
    )


def load_with_datasets(out: Path) -> dict[str, LoadedRecord]:
    """Builds and reads `pass_mini` with Hugging Face `datasets`; by hash."""
    datasets = require("datasets", feature="The demo's second half", extra="hf")
    require("PIL", feature="The demo's second half", extra="hf")
    datasets.disable_progress_bars()
    decoded = datasets.load_dataset("pass_mini", split="train", cache_dir=str(out / "huggingface"))
    stored = decoded.cast_column("image", datasets.Image(decode=False))
    records = (
        _from_datasets(row, image.size) for row, image in zip(stored, decoded["image"], strict=True)
    )
    return {record.hash: record for record in records}


def _from_datasets(row: Mapping[str, Any], size_px: tuple[int, int]) -> LoadedRecord:
    taken = row["date_taken"]
    return LoadedRecord(
        hash=row["hash"],
        creator=row["creator_uname"],
        date_taken=None if taken is None else taken.strftime("%Y-%m-%d %H:%M:%S"),
        gps=None if row["gps_lat"] is None else (row["gps_lat"], row["gps_lon"]),
        size_px=size_px,
        jpeg_sha256=hashlib.sha256(row["image"]["bytes"]).hexdigest(),
    )


def _compare(first: Mapping[str, LoadedRecord], second: Mapping[str, LoadedRecord]) -> None:
    for image_hash in sorted(first.keys() | second.keys()):
        one, other = first.get(image_hash), second.get(image_hash)
        if one != other:
            raise VerificationError(f"image {image_hash}: TFDS has {one}, Hugging Face has {other}")


def draw_contact_sheet(records: list[ImageRecord], path: Path) -> None:
    """Draws all images, 8 a row, into one PNG."""
    image_module = require("PIL.Image", feature="The contact sheet", extra="hf")
    rows = -(-len(records) // _COLUMNS)
    sheet = image_module.new("RGB", (_COLUMNS * _CELL_PX, rows * _CELL_PX), (24, 24, 24))
    for number, record in enumerate(records):
        image = image_module.open(io.BytesIO(record.jpeg)).convert("RGB")
        image.thumbnail((_CELL_PX - 8, _CELL_PX - 8))
        row, column = divmod(number, _COLUMNS)
        left = column * _CELL_PX + (_CELL_PX - image.width) // 2
        top = row * _CELL_PX + (_CELL_PX - image.height) // 2
        sheet.paste(image, (left, top))
    with writing_whole(path) as file:
        sheet.save(file, format="PNG")
