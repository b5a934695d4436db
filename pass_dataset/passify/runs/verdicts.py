"""Verdicts: what becomes of an image, from the scores that are stored, for any thresholds."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.runs.outcomes import FROM_SCORES, TARGETS, UNKNOWN, Thresholds

__all__ = ["VERDICT_COLUMNS", "judge"]

#: Columns that `judge` needs.
VERDICT_COLUMNS = ("reason", "face_max_score", "person_max_score")


def judge(
    rows: pa.Table, thresholds: Thresholds, targets: Collection[Target]
) -> pa.DictionaryArray:
    """The reason against each image; null where it is kept.

    What is known against an image counts before what is not known of it: a face is enough to drop
    it, whether or not people were looked for.

    Args:
      rows: with `VERDICT_COLUMNS`.
      thresholds: for the scores.
      targets: the detectors that have a say.
    """
    stored = rows["reason"].unify_dictionaries().combine_chunks()
    names = [*stored.dictionary.to_pylist()]
    kept = np.int32(-1)
    # Its last entry is for -1: what has no reason.
    standing = [kept if name in FROM_SCORES else code for code, name in enumerate(names)]
    codes = np.array([*standing, kept], np.int32)[pc.fill_null(stored.indices, -1).to_numpy()]

    def drop(which: np.ndarray, name: str) -> None:
        if name not in names:
            names.append(name)
        codes[which & (codes == kept)] = names.index(name)

    # In float64, as a threshold of 0.3 must mean the same here and for one score. Missing scores
    # are filled in here: Arrow would load pandas for them.
    scores = {
        target: pc.fill_null(
            rows[f"{target}_max_score"].combine_chunks().cast(pa.float64()), float("nan")
        ).to_numpy()
        for target in TARGETS
        if target in targets
    }
    if "face" in scores:
        drop(scores["face"] > thresholds.face, "face")
    if "person" in scores:
        drop(scores["person"] >= thresholds.person, "person")
    for target, values in scores.items():
        drop(np.isnan(values), UNKNOWN[target])
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=codes == kept), pa.array(names, pa.string())
    )
