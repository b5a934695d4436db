"""Fingerprints of collections, made wherever an executor has it done; none is made twice."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.duplicates.fingerprints import FINGERPRINTS
from pass_dataset.curate.duplicates.hash_round import HashRound
from pass_dataset.curate.duplicates.hash_store import HashStore
from pass_dataset.curate.duplicates.hash_work import Hashing
from pass_dataset.curate.duplicates.identity import Identity, of_name
from pass_dataset.curate.duplicates.listing import ITEMS, Listing
from pass_dataset.executors.executor import Executor, do_jobs, sweep
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.files.parts import sweep_parts
from pass_dataset.folders.lock import hold
from pass_dataset.passify.runs.plan import automatic_shard_size
from pass_dataset.progress import Progress

__all__ = ["IMAGES", "fingerprints_of", "keys_of", "make_missing"]

#: An image of a collection: which it is, and its fingerprint.
IMAGES = pa.schema(
    [
        pa.field("path", pa.string()),
        pa.field("photo_id", pa.string()),
        pa.field("address", pa.string()),
        *FINGERPRINTS,
    ]
)


def fingerprints_of(
    listings: Sequence[Listing],
    folder: Path,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress,
) -> list[pa.Table] | None:
    """Fingerprints of all images, in order, a table with the columns of `IMAGES` each.

    Args:
      listings: of collections whose names differ.
      folder: what is made is kept there.
      executor: where images are hashed, made with `Hashing`; None: on this machine.
      workers: processes on this machine; None: one a core.
      progress: shows how far it is.

    Returns:
      The tables; None: others are at work (`Executor.waits`), and the same call, later, has them.

    Raises:
      SourceChangedError: a file was changed after it was listed.
      RunError: shards failed, or processes die whatever they are at.
      FolderLockedError: another process has the folder.
      CurationError: what was made cannot be read.
      OSError: the folder cannot be written.
    """
    store = HashStore(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with hold(folder, wait=False):
        executor = executor or LocalExecutor(Hashing(workers=workers))
        if not make_missing(listings, store, executor, progress, "Hashing"):
            return None
        kept = store.load()
    return [
        _images(listing, kept.take(store.places(kept, keys_of(listing)))) for listing in listings
    ]


def make_missing(
    listings: Sequence[Listing],
    store: HashStore,
    executor: Executor,
    progress: Progress,
    title: str,
) -> bool:
    """Has made what a store, which this process holds, does not have of some collections.

    Returns:
      Whether it is all there now; False: others are at it (`Executor.waits`).

    Raises:
      SourceChangedError, RunError, CurationError, OSError: see `fingerprints_of`.
    """
    sweep_parts(store.folder)
    missing = _missing(listings, store)
    if not missing.num_rows:
        return True
    current = HashRound.of(store, _digest(listings, store.kept.version))
    if not current.is_begun:
        current.begin(listings, missing, automatic_shard_size(missing.num_rows))
    sizes = current.sizes()
    jobs = [ShardJob(shard) for shard in current.undone()]
    if not jobs:
        # What it had to do was done, and has been removed since.
        shutil.rmtree(current.path)
        return make_missing(listings, store, executor, progress, title)
    sweep(current, executor)
    total = sum(listing.items.num_rows for listing in listings)
    to_do = sum(sizes[job.shard] for job in jobs)
    task = progress.task(title, total, "images", done=total - to_do)
    try:
        did = do_jobs(current, executor, jobs, task.advance, shards=len(sizes))
    finally:
        task.finish()
    if did.left:
        return False
    _end_rounds(store)
    return True


def _missing(listings: Sequence[Listing], store: HashStore) -> pa.Table:
    """What the store does not have: the number of the collection, and `ITEMS`."""
    kept = store.load(["key"])
    found = []
    for number, listing in enumerate(listings):
        items = listing.items.filter(pc.is_null(store.places(kept, keys_of(listing))))
        numbers = pa.array(np.full(items.num_rows, number, np.int32))
        found.append(items.select(ITEMS.names).add_column(0, "source", numbers))
    return pa.concat_tables(found)


def _digest(listings: Sequence[Listing], version: str) -> str:
    """Of what is asked, however much of it is done."""
    digest = hashlib.sha256(version.encode())
    for listing in listings:
        digest.update(repr(asdict(listing.settings)).encode())
        digest.update("\n".join(keys_of(listing).to_pylist()).encode("utf-8", "replace"))
    return digest.hexdigest()[:24]


def _end_rounds(store: HashStore) -> None:
    """Removes rounds: the one that is over, and those of other calls that were never ended."""
    shutil.rmtree(store.folder / "rounds", ignore_errors=True)


def keys_of(listing: Listing) -> pa.ChunkedArray:
    """What a store knows the images of a collection by."""
    return HashStore.keys(listing.settings.path, listing.items)


def _images(listing: Listing, found: pa.Table) -> pa.Table:
    identities = listing.identities
    if identities is None:
        identities = _identities_of(listing)
    columns = [
        listing.items["path"],
        identities["photo_id"],
        identities["address"],
        *(found[name] for name in FINGERPRINTS.names),
    ]
    return pa.table(columns, schema=IMAGES)


def _identities_of(listing: Listing) -> pa.Table:
    """What names of images tell."""
    paths = listing.items["path"].to_pylist()
    if listing.settings.kind == "pass":
        # All names are hashes there, even those of which `of_name` would not be sure.
        known = [Identity(None, path.rpartition("/")[2].partition(".")[0]) for path in paths]
    else:
        known = [of_name(path) for path in paths]
    photos, addresses = zip(*known, strict=True)
    return pa.table(
        {"photo_id": pa.array(photos, pa.string()), "address": pa.array(addresses, pa.string())}
    )
