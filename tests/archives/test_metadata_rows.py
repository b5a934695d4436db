"""A metadata CSV without some rows: the rest to the byte, however it is quoted."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from pass_dataset.archives.metadata import read_metadata
from pass_dataset.archives.metadata_rows import copy_rows, row_hashes
from pass_dataset.errors import MetadataError

HEADER = b"unickname,hash,licensename\n"
#: Rows as they may be written; of each the hash is its number.
FORMS = (
    b"ann,%d,CC\n",
    b'"Ann\nLee",%d,CC\n',
    b'"Ann ""A"" Lee","%d",CC\r\n',
    b'"a\r\nb\r\n\r\nc",%d,"x,\ny"\n',
    b'5" lens,%d,"CC"\n',
    b'"","%d",\n',
    b"\n" + b"after an empty line,%d,CC\n",
    b'"all, in\nquotes","%d","C""\nC"\r\n',
)


def copied(tmp_path: Path, content: bytes, gone: set[str]) -> bytes:
    path, target = tmp_path / "m.csv", tmp_path / "copy.csv"
    path.write_bytes(content)
    copy_rows(path, target, np.array([one not in gone for one in row_hashes(path).to_pylist()]))
    return target.read_bytes()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_all_others_keep_their_bytes(seed: int, end: bytes, tmp_path: Path) -> None:
    chosen = random.Random(seed)
    rows = [chosen.choice(FORMS) % number for number in range(40)]
    if not end:
        rows[-1] = rows[-1].rstrip(b"\r\n")
    gone = set(chosen.sample(range(40), 9))
    found = copied(tmp_path, HEADER + b"".join(rows), {str(number) for number in gone})
    # The empty line before a row is not the row's.
    kept = [
        b"\n" * row.startswith(b"\n") if number in gone else row for number, row in enumerate(rows)
    ]
    assert found == HEADER + b"".join(kept)


def test_larger_than_a_piece_that_is_read_at_once(tmp_path: Path) -> None:
    """A row over several lines may lie across the end of a piece (1 MiB)."""
    rows = [b'"%s\n%s",%d,CC\n' % (b"a" * 700, b"b" * 900, number) for number in range(2000)]
    found = copied(tmp_path, HEADER + b"".join(rows), {"0", "654", "1999"})
    del rows[1999], rows[654], rows[0]
    assert found == HEADER + b"".join(rows)
    assert read_metadata(tmp_path / "copy.csv").num_rows == 1997


def test_what_cannot_be_parted_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match=r"m\.csv"):
        copied(tmp_path, HEADER + b'ann,1,CC\n"bob,2,CC\ncy,3,CC\n', {"1"})
