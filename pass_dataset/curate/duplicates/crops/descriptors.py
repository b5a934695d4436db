"""Descriptors of collections, made wherever an executor has it done; none is made twice.

Kept as hashes are, in a folder ``descriptors`` beside them, and with one network's weights only:
``weights.json`` there says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from pass_dataset.curate.duplicates.crops.rows import (
    DESCRIPTOR_VERSION,
    DESCRIPTORS,
    WIDTH,
    Descriptors,
    Rows,
    rows_of,
)
from pass_dataset.curate.duplicates.crops.weights import CropWeights, same_weights
from pass_dataset.curate.duplicates.hash_store import HashStore, Kept
from pass_dataset.curate.duplicates.hashing import keys_of, make_missing
from pass_dataset.curate.duplicates.listing import Listing
from pass_dataset.errors import CurationError
from pass_dataset.executors.executor import Executor
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.folders.lock import hold
from pass_dataset.progress import Progress

__all__ = ["descriptors_of", "kept_by"]


def kept_by(sha256: str) -> Kept:
    """What a store keeps that is made with weights of a digest."""
    return Kept(DESCRIPTORS, f"{DESCRIPTOR_VERSION}, weights {sha256}")


def descriptors_of(
    listings: Sequence[Listing],
    folder: Path,
    weights: CropWeights,
    *,
    executor: Executor,
    progress: Progress,
) -> Descriptors | None:
    """Descriptors of all images of collections, in order.

    Args:
      listings: of collections whose names differ.
      folder: what is made is kept there, and what was made there before is not made again.
      weights: what they are made with.
      executor: where images are described, made with `describing.Describing`.
      progress: shows how far it is.

    Returns:
      The descriptors; None: others are at work (`Executor.waits`), and the same call, later, has
      them.

    Raises:
      WeightsError: the folder has descriptors made with others, or the weights cannot be used.
      SourceChangedError, RunError, FolderLockedError, CurationError, OSError: as of
        `hashing.fingerprints_of`.
    """
    store = HashStore(folder, kept_by(weights.sha256))
    folder.mkdir(parents=True, exist_ok=True)
    with hold(folder, wait=False):
        _check(store, weights)
        if not make_missing(listings, store, executor, progress, "Describing"):
            return None
        keys = pa.chunked_array(
            [chunk for listing in listings for chunk in keys_of(listing).chunks], pa.string()
        )
        rows = np.zeros((len(keys), WIDTH), np.float16)
        _fill(rows, store, keys)
    return Descriptors(weights.sha256, rows)


def _check(store: HashStore, weights: CropWeights) -> None:
    """Refuses a folder of other weights; one in which nothing was described is marked as of these.

    Of a file that turns out to be no weights the mark alone is left.
    """
    folder = store.folder
    path = folder / "weights.json"
    try:
        found = None if store.is_empty else str(load_json(path)["sha256"])
    except FileNotFoundError:
        found = None
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise CurationError(
            f"{path}: cannot be read ({error}); remove {folder}, and all is described anew"
        ) from error
    if found is None:
        save_json(path, {"sha256": weights.sha256, "file": weights.path.name})
        return
    remedy = f"Name the file of then, or remove {folder} to describe all images anew"
    same_weights(str(folder), found, weights.sha256, remedy)


def _fill(rows: Rows, store: HashStore, keys: pa.ChunkedArray) -> None:
    """Puts descriptors where their keys are: part by part, as all together take gigabytes."""
    found = store.places(store.load(["key"]), keys)
    places = np.asarray(found.to_numpy(), np.int64)
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    start = 0
    for part in store.parts(["descriptor"]):
        end = start + part.num_rows
        first, last = np.searchsorted(ordered, [start, end])
        column = part["descriptor"].take(pa.array(ordered[first:last] - start))
        rows[order[first:last]] = rows_of(column)
        start = end
