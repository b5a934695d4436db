"""Fingerprints of collections, made in worker processes; what was made is not made again."""

from __future__ import annotations

import json
import logging
import os
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset import errors
from pass_dataset.curate.duplicates.fingerprints import FINGERPRINTS
from pass_dataset.curate.duplicates.hash_store import HashStore
from pass_dataset.curate.duplicates.identity import Identity, of_name
from pass_dataset.curate.duplicates.listing import Listing, rows_of
from pass_dataset.errors import CurationError, PassDatasetError
from pass_dataset.progress import Progress, Task
from pass_dataset.workers.cores import available_cores
from pass_dataset.workers.pool import Pool, Reply, Worker

__all__ = ["IMAGES", "fingerprints_of", "make_fingerprints"]

logger = logging.getLogger(__name__)

#: An image of a collection: which it is, and its fingerprint.
IMAGES = pa.schema(
    [
        pa.field("path", pa.string()),
        pa.field("photo_id", pa.string()),
        pa.field("address", pa.string()),
        *FINGERPRINTS,
    ]
)
#: Images of a part: what is lost when it is cut takes a second to make again.
_PART = 500
#: Images of a part that end the process: the machine is at fault, not the images.
_MOST_CULPRITS = 20
_MOST_IDLE_DEATHS = 3


def fingerprints_of(
    listings: Sequence[Listing], folder: Path, *, workers: int | None, progress: Progress
) -> list[pa.Table]:
    """Fingerprints of all images, in order, a table with the columns of `IMAGES` each.

    Args:
      listings: of collections whose names differ.
      folder: what is made is kept there.
      workers: processes; None: one a core.
      progress: shows how far it is.

    Raises:
      SourceChangedError: a file was changed after it was listed.
      CurationError: processes die whatever they are at.
      OSError: the folder cannot be written.
    """
    make_fingerprints(listings, folder, workers=workers, progress=progress)
    store = HashStore(folder)
    kept = store.load()
    return [_images(listing, kept.take(store.places(kept, _keys(listing)))) for listing in listings]


def make_fingerprints(
    listings: Sequence[Listing],
    folder: Path,
    *,
    share: tuple[int, int] = (0, 1),
    workers: int | None,
    progress: Progress,
) -> None:
    """Makes the fingerprints that are missing, see `fingerprints_of`.

    Args:
      listings, folder, workers, progress: as there.
      share: which of how many shares of the images, from 0 on; others may make theirs at the same
        time, on whatever machines see the folder.
    """
    store = HashStore(folder)
    kept = store.load()
    parts: list[_Part] = []
    total = made = 0
    for number, listing in enumerate(listings):
        is_missing = np.asarray(pc.is_null(store.places(kept, _keys(listing))))
        # Shares are of all images, whatever is made by now: no two are at the same ones.
        is_meant = np.arange(len(is_missing)) // _PART % share[1] == share[0]
        missing = np.flatnonzero(is_missing & is_meant)
        total += int(is_meant.sum())
        made += int(is_meant.sum()) - len(missing)
        for start in range(0, len(missing), _PART):
            items = listing.items.take(pa.array(missing[start : start + _PART]))
            parts.append(_Part(number, items))
    task = progress.task("Hashing", total, "images", done=made)
    sources = [(one.settings.path, one.settings, one.files) for one in listings]
    for _ in _Hashers(store, sources, parts, task).run(workers or available_cores()):
        pass
    task.finish()


def _keys(listing: Listing) -> pa.ChunkedArray:
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


@dataclass
class _Part:
    """Images that one process is given.

    Attributes:
      source: number of the collection.
      items: its images, with the columns of `ITEMS`.
      skip: places of images that ended a process.
    """

    source: int
    items: pa.Table
    skip: list[int] = field(default_factory=list)


class _Hasher(Worker[_Part]):
    """A process, and the place of the image that it is at."""

    def __init__(self, store: HashStore, sources: Sequence[object]) -> None:
        self.at: int | None = None
        super().__init__(
            "pass_dataset.curate.duplicates.hash_worker",
            [os.fspath(store.folder), pickle.dumps(list(sources)).hex()],
            # One process a core: matrices this small gain nothing by threads.
            environment={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )

    def give(self, piece: _Part) -> None:
        self.at = None
        super().give(piece)

    def line(self, piece: _Part) -> str:
        return json.dumps(
            {
                "source": piece.source,
                "rows": list(rows_of(piece.items)),
                "stamps": piece.items["stamp"].to_pylist(),
                "skip": piece.skip,
            }
        )


class _Hashers(Pool[_Hasher, _Part, None]):
    def __init__(
        self, store: HashStore, sources: Sequence[object], parts: Sequence[_Part], task: Task
    ) -> None:
        super().__init__(parts)
        self._store = store
        self._sources = sources
        self._task = task
        self._idle_deaths = 0

    def start(self, number: int) -> _Hasher:
        return _Hasher(self._store, self._sources)

    def take_in(self, worker: _Hasher, reply: Reply) -> Iterator[None]:
        if "error" in reply:
            kind = getattr(errors, reply["error"], CurationError)
            if not issubclass(kind, PassDatasetError):
                kind = CurationError
            raise kind(reply["message"])
        if "at" in reply:
            worker.at = reply["at"]
            return
        assert worker.piece is not None
        self._idle_deaths = 0
        self._task.advance(worker.piece.items.num_rows)
        worker.piece = None
        yield None

    def bury(self, worker: _Hasher, how: str) -> Iterator[None]:
        piece = worker.piece
        if piece is None:
            return
        if worker.at is None:
            self._idle_deaths += 1
            if self._idle_deaths > _MOST_IDLE_DEATHS:
                raise CurationError(f"processes that hash die before they read an image: {how}")
        else:
            name = piece.items["path"][worker.at].as_py()
            logger.warning("%s: its decoding ended the process (%s)", name, how)
            piece.skip.append(worker.at)
            if len(piece.skip) > _MOST_CULPRITS:
                raise CurationError(
                    f"processes that hash die on one image after the other, at last {name}: {how}"
                )
        self.waiting.appendleft(piece)
        yield from ()
