"""Small curations: photographs selected, and fetched into tars, as the steps would leave them."""

from __future__ import annotations

import functools
import hashlib
import io
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pass_dataset.curate.fetch.receipts import LEDGER_COLUMNS
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.photographs import PHOTOGRAPHS
from pass_dataset.curate.step_writer import begin_step

__all__ = ["Curation", "hash_of", "own_collection", "photograph", "small_jpeg"]


def hash_of(number: int) -> str:
    """The hash of a photograph, by the law of YFCC100M."""
    digest = hashlib.md5(address(number).encode()).digest()
    return "".join(f"{byte:x}" for byte in digest)


def address(number: int) -> str:
    return f"http://farm1.staticflickr.com/{number % 7}/{number}_{number * 7919 % 65521:x}.jpg"


def photograph(number: int, **values: Any) -> dict[str, Any]:
    """The columns of a photograph, whatever is not given made of its number."""
    user = number % 5
    return {
        "hash": hash_of(number),
        "source": "yfcc100m_dataset",
        "line": number + 1,
        "photo_id": str(1_000_000 + number),
        "nsid": f"{user}0000@N00",
        "unickname": f"user+{user}%3C3",
        "title": f"No.+{number}%2C+%22a+view%22",
        "datetaken": f"2007-05-{number % 28 + 1:02} 06:11:48.0" if number % 7 < 6 else None,
        "latitude": 53.535233 if number % 3 == 0 else None,
        "longitude": -113.565075 if number % 3 == 0 else None,
        "page_url": f"http://www.flickr.com/photos/{user}0000@N00/{1_000_000 + number}/",
        "download_url": address(number),
        "path": None,
        "extension": "jpg",
        "license_name": "Attribution License",
        "license_url": "http://creativecommons.org/licenses/by/2.0/",
    } | values


@functools.cache
def small_jpeg(number: int, width: int = 32, height: int = 24) -> bytes:
    """A real JPEG of a colour and a gradient of its own."""
    from PIL import Image

    rng = np.random.default_rng(number)
    colours = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
    image = Image.fromarray(colours).resize((width, height), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def own_collection(folder: Path, photographs: int) -> Path:
    """Files of one's own, and `mine.csv` about them: by five people, all under CC BY."""
    (folder / "images").mkdir(parents=True)
    lines = ["path,creator,title,license"]
    for number in range(photographs):
        name = f"images/{number:04}.jpg"
        (folder / name).write_bytes(small_jpeg(number))
        lines.append(f"{name},Somebody {number % 5},No. {number},CC BY 4.0")
    (folder / "mine.csv").write_text("\n".join([*lines, ""]))
    return folder / "mine.csv"


@dataclass
class Curation:
    """The folder of a curation, and what was written into it.

    Attributes:
      path: the folder.
      photographs: the rows of `select`, see `photograph`.
      shard_size: photographs in a shard.
      bodies: bytes of the images that were fetched, by hash.
    """

    path: Path
    photographs: Sequence[Mapping[str, Any]]
    shard_size: int = 10
    bodies: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = CurationFolder(self.path)
        self.ledger = Ledger(self.folder)
        self.select()

    def select(self) -> None:
        writer = begin_step(self.ledger, "select", {"licenses": ["by"]})
        for shard, first in enumerate(range(0, max(1, len(self.photographs)), self.shard_size)):
            rows = list(self.photographs[first : first + self.shard_size])
            table = pa.Table.from_pylist(rows, PHOTOGRAPHS)
            keys = pa.table(
                {
                    "row": pa.array(range(first, first + len(rows)), pa.int64()),
                    "cause": pa.nulls(len(rows), pa.string()),
                }
            )
            for name in PHOTOGRAPHS.names:
                keys = keys.append_column(PHOTOGRAPHS.field(name), table[name])
            writer.write(shard, keys)
        writer.finish({"read": len(self.photographs)})

    def fetch(
        self,
        body: Callable[[int], bytes | None] = small_jpeg,
    ) -> Curation:
        """Tars of what is left, one a shard; a photograph without body is missing."""
        writer = begin_step(self.ledger, "fetch", {"base_url": "http://bucket/"})
        tars = self.folder.work_path("fetch") / "tars"
        tars.mkdir(parents=True)
        for shard in writer.missing():
            given = writer.given(shard, ["hash"])
            said: list[dict[str, Any]] = []
            with tarfile.open(tars / f"{shard:06d}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
                for row, name in zip(*(given[n].to_pylist() for n in ("row", "hash")), strict=True):
                    data = body(row)
                    entry: dict[str, Any] = {"row": row, "cause": "missing", "fetch_status": 404}
                    if data is not None:
                        info = tarfile.TarInfo(f"PASS_dataset/{shard}/{name}.jpg")
                        info.size = len(data)
                        # Of short names a header has one block.
                        entry = {"row": row, "cause": None, "fetch_status": 200}
                        entry |= {"fetched_from": "bucket", "size_bytes": len(data)}
                        entry |= {"sha256": hashlib.sha256(data).hexdigest()}
                        entry |= {"tar_offset": tar.offset + tarfile.BLOCKSIZE}
                        tar.addfile(info, io.BytesIO(data))
                        self.bodies[name] = data
                    said.append(entry)
            writer.write(shard, pa.Table.from_pylist(said, LEDGER_COLUMNS))
        writer.finish()
        return self

    def say(self, step: str, causes: Mapping[int, str], **columns: Sequence[Any]) -> Curation:
        """A step that lets all rows through but these; columns have a value for each row."""
        writer = begin_step(self.ledger, step, {})
        for shard in writer.missing():
            rows = writer.given(shard)["row"].to_pylist()
            table = {
                "row": rows,
                "cause": pa.array([causes.get(row) for row in rows], pa.string()),
            }
            table |= {name: [values[row] for row in rows] for name, values in columns.items()}
            writer.write(shard, pa.table(table))
        writer.finish()
        return self

    def left(self, columns: Sequence[str] = ("hash",)) -> list[dict[str, Any]]:
        """What is left, of all shards."""
        return [
            row
            for shard in range(self.ledger.shards())
            for row in self.ledger.left(shard, list(columns)).to_pylist()
        ]
