"""Data that `datasets` has cached, without the images on removal lists."""

from __future__ import annotations

import hashlib
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets.fingerprint import update_fingerprint

from pass_dataset.archives.removals import RemovalList

__all__ = ["leave_out", "leave_out_all"]


def leave_out_all(found: Any, removals: RemovalList, lacking: frozenset[str]) -> Any:
    """`leave_out` for whatever a builder gives: a dataset, or a dictionary or list of some."""
    if isinstance(found, datasets.Dataset):
        return leave_out(found, removals, lacking)
    if isinstance(found, dict):
        # A DatasetDict stays one.
        return type(found)(
            {name: leave_out_all(part, removals, lacking) for name, part in found.items()}
        )
    return [leave_out_all(part, removals, lacking) for part in found]


def leave_out(
    dataset: datasets.Dataset, removals: RemovalList, lacking: frozenset[str]
) -> datasets.Dataset:
    """A dataset without the images on a list.

    Its fingerprint is another one, so that nothing that was computed and cached with them is used.

    Args:
      dataset: with a column ``hash``.
      removals: the list.
      lacking: images that the data on disk was built or purged without.
    """
    if lacking:
        digest = hashlib.sha256("\n".join(sorted(lacking)).encode()).hexdigest()
        dataset._fingerprint = update_fingerprint(
            dataset._fingerprint, "pass_dataset.archives.removals", {"lacking": digest}
        )
    listed = pa.array(sorted(removals.hashes), pa.string())
    is_removed = pc.is_in(dataset.data.column("hash"), value_set=listed)
    kept = np.flatnonzero(~is_removed.to_numpy())
    left_out = len(dataset) - len(kept)
    name = f"{dataset.info.dataset_name or 'dataset'} ({dataset.split})"
    removals.report(name, left_out, len(dataset))
    return dataset.select(kept) if left_out else dataset
