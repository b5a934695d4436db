"""What a run of the filter found in images, to be blurred where they are shown."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder

__all__ = ["Boxes", "boxes_of"]

#: ``x1, y1, x2, y2`` in pixels of an image; None: it was not looked at, or nobody knows where
#: what was found is.
Boxes = list[tuple[float, float, float, float]] | None

_COLUMNS = ("face_boxes", "person_boxes")


def boxes_of(run: Path, sha256: Collection[str]) -> dict[str, Boxes]:
    """What was found, whatever its score, by the SHA-256 of the images.

    Raises:
      RunError: there is no run, or it cannot be read.
    """
    wanted = pa.array(sorted(sha256), pa.string())
    found: dict[str, Boxes] = {}
    scores = ("face_max_score", "person_max_score")
    for table in Results(RunFolder(run)).tables(["sha256", *_COLUMNS, *scores]):
        rows = table.filter(pc.is_in(table["sha256"].cast(pa.string()), value_set=wanted))
        for row in rows.to_pylist():
            found[row["sha256"]] = _boxes(row)
    return found


def _boxes(row: dict[str, object]) -> Boxes:
    looked_at = [row[name] for name in _COLUMNS if row[name] is not None]
    if not looked_at:
        return None
    boxes: list[tuple[float, float, float, float]] = []
    for of_target in looked_at:
        assert isinstance(of_target, list)
        boxes += [(box["x1"], box["y1"], box["x2"], box["y2"]) for box in of_target]
    # A score without a box is one below the storing threshold: there is no telling where.
    for name, score in zip(_COLUMNS, ("face_max_score", "person_max_score"), strict=True):
        value = row[score]
        if row[name] == [] and isinstance(value, float) and value >= _DOUBTFUL:
            return None
    return boxes


#: Half of the threshold of the verdicts.
_DOUBTFUL = 0.25
