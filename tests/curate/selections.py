"""Ledgers that begin as tests want them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from PIL import Image

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.photographs import PHOTOGRAPHS
from pass_dataset.curate.step_writer import begin_step

__all__ = ["jpeg", "name_of", "selected"]


def name_of(number: int) -> str:
    """The hash of the photograph `number` of these tests."""
    return hashlib.md5(str(number).encode()).hexdigest()


def jpeg(number: int, side: int = 16) -> bytes:
    """A small JPEG that no other number has."""
    file = io.BytesIO()
    Image.new("RGB", (side, side + number % 7), (number % 256, number // 256 % 256, 9)).save(
        file, "JPEG", comment=str(number).encode()
    )
    return file.getvalue()


def selected(path: Path, *shards: Sequence[dict[str, Any]]) -> CurationFolder:
    """A curation in which these photographs are selected; what is not said of one is made up."""
    folder = CurationFolder(path)
    writer = begin_step(Ledger(folder), "select", {})
    row = 0
    for shard, photographs in enumerate(shards):
        rows = []
        for given in photographs:
            made_up = {
                "hash": name_of(row),
                "photo_id": str(row),
                "nsid": f"{row % 5}@N00",
                "unickname": f"user+{row % 5}",
                "download_url": f"http://farm1.staticflickr.com/1/{row}_secret.jpg",
                "page_url": f"http://www.flickr.com/photos/{row % 5}@N00/{row}/",
            }
            rows.append({**made_up, **given, "row": row, "cause": given.get("cause")})
            row += 1
        schema = pa.schema([("row", pa.int64()), ("cause", pa.string()), *PHOTOGRAPHS])
        writer.write(shard, pa.Table.from_pylist(rows, schema=schema))
    writer.finish()
    return folder
