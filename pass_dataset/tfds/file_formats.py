"""File formats of TFDS that builds are written in, by their names there."""

from __future__ import annotations

__all__ = ["FILE_FORMATS"]

FILE_FORMATS = ("tfrecord", "array_record", "parquet")
