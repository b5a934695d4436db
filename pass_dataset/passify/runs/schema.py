"""The columns of a run's results, and one row of them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, TypedDict

import pyarrow as pa

from pass_dataset.errors import RunError

__all__ = ["SCHEMA_VERSION", "Box", "ImageResult", "check_version", "results_schema", "to_table"]

#: Change it whenever the columns or their meaning change.
SCHEMA_VERSION = 1
_VERSION_KEY = b"passify.schema_version"


class Box(TypedDict):
    """A box that a detector found.

    ``x1, y1, x2, y2`` in pixels of the image as decoded, EXIF orientation applied; ``score`` is
    over the detector's storing threshold, which is far below that of the verdict.
    """

    x1: float
    y1: float
    x2: float
    y2: float
    score: float


@dataclass(slots=True)
class ImageResult:
    """One row: an image and what was found.

    Attributes:
      source: the source's path, as text.
      path: the image's path within the source, as text (see `sources.names`).
      outcome: ``kept``, ``dropped``, ``failed`` or ``undecided`` at the run's own thresholds.
      reason: why it is not kept; None if it is.
      message: more about the reason, where there is more to say.
      face_max_score, person_max_score: highest score in the image, 0 to 1; None: not looked for.
      size_bytes: of the file; None: not read.
      width, height: pixels as decoded; None: not decoded.
      sha256: of the file, as hexadecimal text; None: not read.
      face_boxes, person_boxes: best first; None: not looked for.
      face_detector, person_detector: name of what looked; None: nothing did.
      face_weights_sha256, person_weights_sha256: hash of its weights.
      processed_at: when the row was written, UTC.
    """

    source: str
    path: str
    outcome: str | None = None
    reason: str | None = None
    message: str | None = None
    face_max_score: float | None = None
    person_max_score: float | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    face_boxes: list[Box] | None = None
    person_boxes: list[Box] | None = None
    face_detector: str | None = None
    face_weights_sha256: str | None = None
    person_detector: str | None = None
    person_weights_sha256: str | None = None
    processed_at: datetime.datetime | None = None


@cache
def results_schema() -> pa.Schema:
    """The columns, in the order of `ImageResult`, with the schema's version."""
    names = pa.dictionary(pa.int32(), pa.string())
    box = pa.struct([(name, pa.float32()) for name in Box.__annotations__])
    kinds = {
        "source": names,
        "path": pa.string(),
        "outcome": names,
        "reason": names,
        "message": pa.string(),
        "face_max_score": pa.float32(),
        "person_max_score": pa.float32(),
        "size_bytes": pa.int64(),
        "width": pa.int32(),
        "height": pa.int32(),
        "sha256": pa.string(),
        "face_boxes": pa.list_(box),
        "person_boxes": pa.list_(box),
        "face_detector": names,
        "face_weights_sha256": names,
        "person_detector": names,
        "person_weights_sha256": names,
        "processed_at": pa.timestamp("us", "UTC"),
    }
    assert list(kinds) == [field.name for field in fields(ImageResult)]
    return pa.schema(list(kinds.items()), metadata={_VERSION_KEY: str(SCHEMA_VERSION).encode()})


def to_table(results: Sequence[ImageResult]) -> pa.Table:
    """Rows as a table."""
    schema = results_schema()
    columns = [
        pa.array([getattr(result, field.name) for result in results], field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def check_version(path: object, schema: pa.Schema) -> None:
    """Refuses a file of another version.

    Raises:
      RunError: it is of another version, or no file of results.
    """
    found: Any = (schema.metadata or {}).get(_VERSION_KEY, b"none").decode(errors="replace")
    if found != str(SCHEMA_VERSION):
        raise RunError(
            f"{path}: expected results of schema version {SCHEMA_VERSION}, found {found}; run "
            "again in a new folder, or read it with the version of this package that wrote it"
        )
