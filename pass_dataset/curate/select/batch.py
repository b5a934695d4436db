"""Rows of YFCC100M's metadata, many at a time: what is plain about them is done by the column.

What is not plain (and may be refused, or just unusual) is left to whoever looks at one row. So what
is said here to be plain need not be all that is sound, but must be sound.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.select.gathered import PIECE_SCHEMA, hash_keys, id_keys
from pass_dataset.curate.select.rules import is_sound_text
from pass_dataset.files.arrow import column_of, truths_of

try:
    # Python's own: of OpenSSL's, which `hashlib` prefers, making the object takes as long again.
    from _md5 import md5  # type: ignore[import-not-found]
except ImportError:
    md5 = hashlib.md5

__all__ = ["LOOKED_AT", "hashes_of", "is_plain", "photographs_of", "unsound"]

#: Days that are in every year, and times; others that are sound are looked at one by one.
_DATE = (
    "^[1-9][0-9]{3}-"
    "(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    "|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    " (?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
)
_DEGREES = r"^-?[0-9]{1,3}(?:\.[0-9]+)?$"
#: Text of which what is percent-encoded is UTF-8 (its table of well-formed sequences).
_TAIL = "%[89abAB][0-9a-fA-F]"
_SOUND = (
    "^(?:[^%]|%[0-7][0-9a-fA-F]"
    f"|%(?:[cC][2-9a-fA-F]|[dD][0-9a-fA-F]){_TAIL}"
    f"|%[eE](?:0%[abAB][0-9a-fA-F]|[dD]%[89][0-9a-fA-F]|[1-9abcefABCEF]{_TAIL}){_TAIL}"
    f"|%[fF](?:0%[9abAB][0-9a-fA-F]|[1-3]{_TAIL}|4%8[0-9a-fA-F]){_TAIL}{_TAIL})*$"
)
#: Columns that tell whether a row is plain.
LOOKED_AT = ("photoid", "datetaken", "longitude", "latitude", "downloadurl")
Columns = Mapping[str, pa.Array]
Bits = npt.NDArray[np.bool_]


def is_plain(columns: Columns) -> Bits:
    """True for rows of which nothing has to be looked at twice.

    Args:
      columns: `LOOKED_AT`, of ASCII text without NUL.
    """
    date, address = columns["datetaken"], columns["downloadurl"]
    longitude, latitude = columns["longitude"], columns["latitude"]
    has_date = pc.or_(_is_empty(date), pc.equal(date, "null"))
    is_nowhere = pc.and_(_is_empty(longitude), _is_empty(latitude))
    plain = pc.and_(
        pc.and_(
            pc.ascii_is_decimal(columns["photoid"]),
            pc.or_(pc.starts_with(address, "http://"), pc.starts_with(address, "https://")),
        ),
        pc.and_(
            pc.or_(has_date, pc.match_substring_regex(date, _DATE)),
            pc.or_(is_nowhere, pc.and_(_is_within(longitude, 180), _is_within(latitude, 90))),
        ),
    )
    return truths_of(plain)


def _is_within(texts: pa.Array, most: int) -> pa.Array:
    is_number = pc.match_substring_regex(texts, _DEGREES)
    numbers = pc.cast(pc.if_else(is_number, texts, "1000"), pa.float64())
    return pc.less_equal(pc.abs(numbers), most)


def _is_empty(texts: pa.Array) -> pa.Array:
    return pc.equal(pc.binary_length(texts), 0)


def unsound(columns: Columns) -> npt.NDArray[np.int64]:
    """Places of rows where what is percent-encoded in names and titles is no UTF-8."""
    found: set[int] = set()
    for name in ("unickname", "title"):
        texts = columns[name]
        others = np.flatnonzero(~truths_of(pc.match_substring_regex(texts, _SOUND)))
        # A per cent sign that encodes nothing is not told from what is no UTF-8.
        found.update(place for place in others.tolist() if not is_sound_text(texts[place].as_py()))
    return np.array(sorted(found), np.int64)


def hashes_of(addresses: pa.Array) -> pa.Array:
    """Hashes of addresses, as `law.address_hash` has them, all at once."""
    is_secure = pc.starts_with(addresses, "https:")
    if pc.any(is_secure).as_py():
        addresses = pc.if_else(
            is_secure,
            pc.replace_substring(addresses, "https", "http", max_replacements=1),
            addresses,
        )
    digests = b"".join(
        [
            md5(address, usedforsecurity=False).digest()
            for address in addresses.cast(pa.binary()).to_pylist()
        ]
    )
    printed = np.frombuffer(digests.hex().encode(), np.uint8)
    is_long = np.frombuffer(digests, np.uint8) > 15
    is_kept = np.ones((len(is_long), 2), bool)
    is_kept[:, 0] = is_long
    offsets = np.zeros(len(addresses) + 1, np.int32)
    np.cumsum(16 + is_long.reshape(-1, 16).sum(axis=1), out=offsets[1:])
    return pa.StringArray.from_buffers(
        len(addresses), pa.py_buffer(offsets), pa.py_buffer(printed[is_kept.ravel()])
    )


def photographs_of(columns: Columns, lines: npt.NDArray[np.int64], hashes: pa.Array) -> pa.Table:
    """Plain rows as a table of photographs.

    Args:
      columns: as those of `is_plain`.
      lines: their numbers.
      hashes: what their files are called by.
    """
    date = columns["datetaken"]
    values = {
        "hash": hashes,
        "line": column_of(lines),
        "photo_id": columns["photoid"],
        "nsid": _unless_empty(columns["uid"]),
        "unickname": columns["unickname"],
        "title": columns["title"],
        "datetaken": _unless_empty(pc.if_else(pc.equal(date, "null"), "", date)),
        "latitude": pc.cast(_unless_empty(columns["latitude"]), pa.float64()),
        "longitude": pc.cast(_unless_empty(columns["longitude"]), pa.float64()),
        "page_url": columns["pageurl"],
        "download_url": columns["downloadurl"],
        "path": pa.nulls(len(lines), pa.string()),
        "extension": _unless_empty(columns["ext"]),
        "license_name": columns["licensename"],
        "license_url": columns["licenseurl"],
        "hash_key": hash_keys(hashes),
        "id_key": id_keys(columns["photoid"]),
    }
    return pa.Table.from_arrays([values[name] for name in PIECE_SCHEMA.names], schema=PIECE_SCHEMA)


def _unless_empty(texts: pa.Array) -> pa.Array:
    is_empty = _is_empty(texts)
    if not pc.any(is_empty).as_py():
        return texts
    return pc.if_else(is_empty, None, texts)
