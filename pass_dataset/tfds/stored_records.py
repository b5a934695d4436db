"""A record as it stands in a build, and what differs between it and the archives."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pass_dataset.builds.stored_build import Difference
from pass_dataset.extras import require

__all__ = ["StoredRecord", "parse_record", "stored_hash"]

#: Fields of a record to their kind in a ``tf.train.Feature``.
_FIELDS = {
    "image": "bytes_list",
    "image/creator_uname": "bytes_list",
    "image/date_taken": "bytes_list",
    "image/gps_lat": "float_list",
    "image/gps_lon": "float_list",
    "image/hash": "bytes_list",
}
_HASH = "image/hash"


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record without its image's bytes.

    Attributes:
      number: position in its shard, from 0.
      hash, creator, date_taken: text as stored, in UTF-8.
      latitude, longitude: degrees, float32 values; NaN if not known.
      size_bytes: of the image.
      sha256: of the image's bytes, as 32 bytes.
      damage: why the record's bytes are not to be trusted, or None.
    """

    number: int
    hash: bytes
    creator: bytes
    date_taken: bytes
    latitude: float
    longitude: float
    size_bytes: int
    sha256: bytes
    damage: str | None

    @property
    def hash_text(self) -> str:
        return _shown(self.hash)

    def differences(self, row: Mapping[str, Any], sha256: bytes) -> Iterator[Difference]:
        """What differs from the archives.

        Args:
          row: the image's row of the index.
          sha256: of the image in the tar.
        """
        if self.sha256 != sha256:
            yield Difference(
                "image",
                f"{self.size_bytes:,} bytes with SHA-256 {self.sha256.hex()}",
                f"{row['size_bytes']:,} bytes with SHA-256 {sha256.hex()}",
            )
        texts = (
            ("image/hash", self.hash, row["hash"]),
            ("image/creator_uname", self.creator, row["creator"]),
            ("image/date_taken", self.date_taken, row["date_taken_text"]),
        )
        for feature, found, expected in texts:
            if found != (expected or "").encode():
                yield Difference(feature, repr(_shown(found)), repr(expected or ""))
        degrees = (
            ("image/gps_lat", self.latitude, row["latitude"]),
            ("image/gps_lon", self.longitude, row["longitude"]),
        )
        for feature, number, exact in degrees:
            wanted = math.nan if exact is None else _as_float32(exact)
            if number != wanted and not (math.isnan(number) and math.isnan(wanted)):
                yield Difference(feature, repr(number), repr(wanted))


def parse_record(serialized: bytes, number: int, damage: str | None) -> StoredRecord | str:
    """Reads a serialized ``tf.train.Example``, and hashes its image.

    Args:
      serialized: its bytes.
      number: its position in the shard, from 0.
      damage: what is known to be wrong with these bytes, or None.

    Returns:
      The record, or why it is none.
    """
    example = _example_class()()
    try:
        example.ParseFromString(serialized)
    except Exception as error:  # DecodeError; its home differs between versions of protobuf
        return str(error)
    stored = example.features.feature
    values: dict[str, Any] = {}
    for name, kind in _FIELDS.items():
        # `name in` first: looking up an absent key of the map would add it.
        found: Sequence[Any] = getattr(stored[name], kind).value if name in stored else ()
        if len(found) != 1:
            return f"{name}: expected one value, found {len(found)}"
        values[name] = found[0]
    image = values["image"]
    return StoredRecord(
        number=number,
        hash=values["image/hash"],
        creator=values["image/creator_uname"],
        date_taken=values["image/date_taken"],
        latitude=values["image/gps_lat"],
        longitude=values["image/gps_lon"],
        size_bytes=len(image),
        sha256=hashlib.sha256(image).digest(),
        damage=damage,
    )


def stored_hash(serialized: bytes) -> str | None:
    """The hash in a serialized ``tf.train.Example``; None if it is none of this dataset."""
    example = _example_class()()
    try:
        example.ParseFromString(serialized)
        stored = example.features.feature
        found: Sequence[Any] = stored[_HASH].bytes_list.value if _HASH in stored else ()
        return str(found[0].decode()) if len(found) == 1 else None
    except Exception:  # DecodeError; its home differs between versions of protobuf
        return None


@functools.cache
def _example_class() -> Any:
    # TFDS's own copy of the message, which it reads data sources with: TensorFlow's would take
    # seconds to import.
    proto = require("tensorflow_datasets.proto", feature="Reading a TFDS build", extra="tfds")
    return proto.tf_example_pb2.Example


def _as_float32(value: float) -> float:
    return ctypes.c_float(value).value


def _shown(text: bytes) -> str:
    return text.decode("utf-8", errors="backslashreplace")
