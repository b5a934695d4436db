"""The metadata CSV: PASS's columns, as its readers know them, and the full credit behind them."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.release.contents import Contents
from pass_dataset.files.whole import writing_whole
from pass_dataset.releases.release import ReleaseFile

__all__ = ["COLUMNS", "write_table"]

#: Columns of the CSV, and of the ledger. The first, without a name, numbers the rows: here those of
#: the ledger. Those after `longitude` have the names of YFCC100M's own table.
COLUMNS = {
    "": "row",
    "unickname": "unickname",
    "datetaken": "datetaken",
    "licensename": "license_name",
    "hash": "hash",
    "latitude": "latitude",
    "longitude": "longitude",
    "title": "title",
    "pageurl": "page_url",
    "licenseurl": "license_url",
    "uid": "nsid",
    "photoid": "photo_id",
    "downloadurl": "download_url",
}


def write_table(ledger: Ledger, contents: Contents, path: Path) -> ReleaseFile:
    """Writes the CSV, rows in the order of the ledger; it gets its name when it is whole.

    Raises:
      CurationError: the ledger cannot be read.
      OSError: it cannot be written.
    """
    digest, size_bytes = hashlib.sha256(), 0
    with writing_whole(path) as file:
        for piece in _pieces(ledger, contents):
            file.write(piece)
            digest.update(piece)
            size_bytes += len(piece)
    return ReleaseFile(path.name, size_bytes, digest.hexdigest())


def _pieces(ledger: Ledger, contents: Contents) -> Iterator[bytes]:
    yield _text([list(COLUMNS)])
    names = [name for name in COLUMNS.values() if name != "row"]
    for shard in range(ledger.shards()):
        rows = contents.rows(shard)
        if len(rows):
            said = ledger.joined(shard, rows, names)
            columns = [said[name].to_pylist() for name in COLUMNS.values()]
            yield _text([list(values) for values in zip(*columns, strict=True)])


def _text(rows: list[list[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
