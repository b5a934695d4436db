"""The columns of the Parquet files: those of `pass_dataset.huggingface.FEATURES`.

Written down here once more, and held against `datasets` by a test, so that exporting does not need
that library.
"""

from __future__ import annotations

import json

import pyarrow as pa

__all__ = ["FEATURES", "arrow_schema"]

#: Column to its type as `datasets` names it, in its order.
FEATURES = {
    "image": "image",
    "creator_uname": "string",
    "hash": "string",
    "gps_lat": "float32",
    "gps_lon": "float32",
    "date_taken": "timestamp[us]",
}


def arrow_schema() -> pa.Schema:
    """The schema, with the metadata by which `datasets` knows an image from a struct.

    An image is a struct of ``bytes`` (the JPEG as it is) and ``path`` (its file name), as
    `datasets.Image` stores it.
    """
    types = {
        "image": pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())]),
        "string": pa.string(),
        "float32": pa.float32(),
        "timestamp[us]": pa.timestamp("us"),
    }
    described = {
        name: {"_type": "Image"} if kind == "image" else {"dtype": kind, "_type": "Value"}
        for name, kind in FEATURES.items()
    }
    metadata = {"huggingface": json.dumps({"info": {"features": described}})}
    return pa.schema([(name, types[kind]) for name, kind in FEATURES.items()], metadata=metadata)
