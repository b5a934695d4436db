"""Columns of `pass` for Hugging Face `datasets`, and a record as a row of them."""

from __future__ import annotations

from typing import Any

import datasets

from pass_dataset.archives.records import ImageRecord
from pass_dataset.releases.licenses import DATASET_LICENSE

__all__ = ["FEATURES", "LICENSE", "OLD_COLUMNS", "example"]

LICENSE = DATASET_LICENSE.url

FEATURES = datasets.Features(
    {
        "image": datasets.Image(),
        "creator_uname": datasets.Value("string"),
        "hash": datasets.Value("string"),
        "gps_lat": datasets.Value("float32"),
        "gps_lon": datasets.Value("float32"),
        "date_taken": datasets.Value("timestamp[us]"),
    }
)

#: The columns that the Hub's old script called otherwise, and its names for them:
#: ``ds.rename_columns(OLD_COLUMNS)`` makes code that was written for that script run.
OLD_COLUMNS = {
    "creator_uname": "creator_username",
    "gps_lat": "gps_latitude",
    "gps_lon": "gps_longitude",
}


def example(record: ImageRecord) -> dict[str, Any]:
    """A record as a row with `FEATURES`; the JPEG's bytes as they are."""
    return {
        "image": {"bytes": record.jpeg, "path": f"{record.hash}.jpg"},
        "creator_uname": record.creator,
        "hash": record.hash,
        "gps_lat": record.latitude,
        "gps_lon": record.longitude,
        "date_taken": record.date_taken,
    }
