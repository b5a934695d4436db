"""Rows of YFCC100M's metadata, many at a time: what is plain about them is done by the column.

What is not plain (and may be refused, or just unusual) is left to whoever looks at one row.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.select.gathered import PIECE_SCHEMA, hash_keys, id_keys

__all__ = ["columns_of", "hashes_of", "plain_rows"]

Picked: TypeAlias = Callable[[Sequence[str]], Sequence[str]]
_WEB = ("http://", "https://")
_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)


def plain_rows(
    rows: Sequence[bytes], width: int, picked: Picked
) -> tuple[list[int], list[Sequence[str]]]:
    """Places and fields of the rows of which nothing has to be looked at twice.

    Args:
      rows: fields with tabs between.
      width: how many of them there are to be.
      picked: takes those that count: `FIELDS` of `flickr`, and maybe the hash.
    """
    try:
        texts = b"\n".join(rows).decode().split("\n")
    except UnicodeDecodeError:
        texts = []
    if len(texts) != len(rows):  # some are no UTF-8, or have a newline, as SQLite may
        texts = [_text(row) for row in rows]
    split = [picked(fields) if len(fields := text.split("\t")) == width else None for text in texts]
    has_nul = any("\0" in text for text in texts)
    places = [
        place
        for place, fields in enumerate(split)
        if fields is not None
        and fields[0].isdigit()
        and fields[8].startswith(_WEB)
        and (not (date := fields[3]) or date == "null" or _is_date(date))
        and (not (fields[5] or fields[6]) or _is_position(fields[5], fields[6]))
        and not (has_nul and "\0" in texts[place])
        and fields[0].isascii()
    ]
    return places, [split[place] for place in places]  # type: ignore[misc]


def _text(row: bytes) -> str:
    try:
        text = row.decode()
    except UnicodeDecodeError:
        return ""
    return "" if "\n" in text else text


def _is_date(text: str, parse: Any = datetime.datetime.fromisoformat) -> bool:
    try:
        parse(text[:19])
    except ValueError:
        return False
    return True


def _is_position(longitude: str, latitude: str) -> bool:
    try:
        return -180 <= float(longitude) <= 180 and -90 <= float(latitude) <= 90
    except ValueError:
        return False


def hashes_of(addresses: Sequence[str]) -> pa.Array:
    """Hashes of addresses, as `law.address_hash` has them, all at once."""
    md5 = hashlib.md5
    digests = b"".join(
        [
            md5(
                (address if address[4] == ":" else f"http{address[5:]}").encode(),
                usedforsecurity=False,
            ).digest()
            for address in addresses
        ]
    )
    numbers = np.frombuffer(digests, np.uint8).reshape(-1, 16)
    printed = np.empty((len(numbers), 16, 2), np.uint8)
    printed[:, :, 0] = _DIGITS[numbers >> 4]
    printed[:, :, 1] = _DIGITS[numbers & 15]
    is_kept = np.ones(printed.shape, bool)
    is_kept[:, :, 0] = numbers > 15
    ends = np.cumsum(is_kept.sum(axis=(1, 2)), dtype=np.int32)
    offsets = np.concatenate([np.zeros(1, np.int32), ends])
    return pa.StringArray.from_buffers(
        len(numbers), pa.py_buffer(offsets), pa.py_buffer(printed[is_kept])
    )


def columns_of(
    fields: Sequence[Sequence[str]], lines: npt.NDArray[np.int64], hashes: pa.Array
) -> pa.Table:
    """Plain rows as a table of photographs.

    Args:
      fields: of each row, as `plain_rows` gives them.
      lines: their numbers.
      hashes: what their files are called by.
    """
    columns = list(zip(*fields, strict=True))
    photo, nsid, nickname, date, title, longitude, latitude, page, address = map(
        _texts, columns[:9]
    )
    values = {
        "hash": hashes,
        "line": pa.array(lines),
        "photo_id": photo,
        "nsid": _unless_empty(nsid),
        "unickname": nickname,
        "title": title,
        "datetaken": _unless_empty(pc.if_else(pc.equal(date, "null"), "", date)),
        "latitude": _degrees(latitude, columns[6]),
        "longitude": _degrees(longitude, columns[5]),
        "page_url": page,
        "download_url": address,
        "path": pa.nulls(len(lines), pa.string()),
        "extension": _unless_empty(_texts(columns[11])),
        "license_name": _texts(columns[9]),
        "license_url": _texts(columns[10]),
        "hash_key": hash_keys(hashes),
        "id_key": id_keys(photo),
    }
    return pa.Table.from_arrays([values[name] for name in PIECE_SCHEMA.names], schema=PIECE_SCHEMA)


def _texts(values: Sequence[str]) -> pa.Array:
    return pa.array(values, pa.string())


def _unless_empty(texts: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(pc.binary_length(texts), 0), None, texts)


def _degrees(texts: pa.Array, values: Sequence[str]) -> pa.Array:
    try:
        return pc.cast(_unless_empty(texts), pa.float64())
    except pa.ArrowInvalid:  # numbers that Python reads and Arrow does not, such as 1_0
        return pa.array([float(value) if value else None for value in values], pa.float64())
