"""The images that a build should have: position by hash, SHA-256, and which were seen."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.order import shard_bounds
from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import RemovalList
from pass_dataset.progress import Progress
from pass_dataset.workers.threads import in_threads

__all__ = ["ExpectedImages", "expect_images"]

#: What records are compared by, and where the images are.
_COLUMNS = (
    *("hash", "tar", "offset", "size_bytes", "creator", "license"),
    *("date_taken_text", "date_taken", "latitude", "longitude"),
)

_DIGEST_BYTES = hashlib.sha256().digest_size

#: Images hashed by one thread at a time: contiguous, so that each reads forward.
_STRETCH = 4096

#: Progress costs about as much as hashing a small image.
_SHOWN_EVERY = 64


@dataclass(frozen=True)
class ExpectedImages:
    """The images of the archives, by position.

    Attributes:
      archive: the images.
      table: what the index knows of them, a row each.
      digests: SHA-256 of each, uint8 of shape (images, 32).
      hashes: their hashes in order, as fixed-width bytes.
      by_hash: position of each of `hashes`, int64.
      seen: 1 + the number of the shard that had the image; 0 for none yet.
      removed: of each, whether it is on a removal list: the build may have it or not.
      limit: the build has only so many images, the first ones; None for all.
    """

    archive: PassArchive
    table: pa.RecordBatch
    digests: npt.NDArray[np.uint8]
    hashes: npt.NDArray[np.bytes_]
    by_hash: npt.NDArray[np.int64]
    seen: npt.NDArray[np.int32]
    removed: npt.NDArray[np.bool_]
    limit: int | None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def positions(self, hashes: Sequence[bytes]) -> npt.NDArray[np.int64]:
        """Position of each hash, -1 for those the archives do not have."""
        if not len(self.hashes):
            return np.full(len(hashes), -1)
        wanted = np.array(hashes, dtype=np.bytes_)
        near = np.minimum(np.searchsorted(self.hashes, wanted), len(self.hashes) - 1)
        found: npt.NDArray[np.int64] = np.where(self.hashes[near] == wanted, self.by_hash[near], -1)
        return found

    def mark(self, position: int, shard: int) -> int | None:
        """Marks an image as seen in a shard; the shard that had it before, or None."""
        with self.lock:
            before = int(self.seen[position])
            self.seen[position] = shard + 1
        return before - 1 if before else None

    @property
    def num_expected(self) -> int:
        """Number of images that the build should have, without those on removal lists."""
        kept = int(np.count_nonzero(~self.removed))
        return kept if self.limit is None else min(kept, self.limit)

    @property
    def num_still_there(self) -> int:
        """Number of images seen that are on removal lists."""
        return int(np.count_nonzero(self.removed & (self.seen > 0)))

    def missing(self) -> npt.NDArray[np.int64]:
        """Positions of images that should have been seen and were not."""
        missing = np.flatnonzero((self.seen == 0) & ~self.removed)
        if self.limit is not None and not self.seen[self.limit :].any():
            # Built before there was a list: removed images count among its first ones.
            missing = missing[missing < self.limit]
        return missing


def expect_images(
    archive: PassArchive,
    parts: Sequence[int] | None,
    limit: int | None,
    removals: RemovalList,
    progress: Progress,
) -> ExpectedImages:
    """Reads and hashes all images once.

    Args:
      archive: all images of an archive folder, with those that are removed.
      parts: part numbers that count; None for all.
      limit: only so many images of these, the first ones; None for all.
      removals: images that the build may lack.
      progress: where progress is shown.

    Raises:
      ArchiveError: an image cannot be read.
      ReleaseError: no such part.
    """
    table = archive.columns(_COLUMNS)
    removed = pc.is_in(table["hash"], value_set=pa.array(sorted(removals.hashes), pa.string()))
    removed = removed.to_numpy(zero_copy_only=False)
    if parts is not None or limit is not None:
        archive.release.select(parts)
        wanted = [
            number
            for number, part in enumerate(archive.summary.parts)
            if parts is None or part in set(parts)
        ]
        rows = np.flatnonzero(np.isin(table["tar"].to_numpy(), wanted))
        if limit is not None:
            # Built under the list it has the first ones that are not removed.
            kept = np.flatnonzero(~removed[rows])
            rows = rows[: kept[limit - 1] + 1] if len(kept) >= limit else rows
        archive, removed = archive[rows], removed[rows]
        table = archive.columns(_COLUMNS)
    order = pc.sort_indices(table["hash"])
    ordered = table["hash"].take(order)
    width = max(pc.max(pc.binary_length(ordered)).as_py() or 0, 1)
    # NumPy pads with zero bytes as well. Through Arrow, because 1.4 million Python texts would
    # take more memory than all the rest.
    padded = pc.ascii_rpad(ordered, width, "\0").cast(pa.binary()).cast(pa.binary(width))
    return ExpectedImages(
        archive=archive,
        table=table,
        digests=_digests(archive, progress),
        hashes=np.frombuffer(padded.buffers()[1], f"S{width}", len(padded)),
        by_hash=order.to_numpy().astype(np.int64),
        seen=np.zeros(len(archive), np.int32),
        removed=removed,
        limit=limit,
    )


def _digests(archive: PassArchive, progress: Progress) -> npt.NDArray[np.uint8]:
    digests = np.zeros((len(archive), _DIGEST_BYTES), np.uint8)
    task = progress.task("Hashing the archives", len(archive), "images")
    stretches = max(1, -(-len(archive) // _STRETCH))

    def hash_stretch(number: int) -> None:
        share = (number, stretches)
        first, _ = shard_bounds(len(archive), share)
        for position, record in enumerate(archive.iterate(share), start=first):
            digest = hashlib.sha256(record.jpeg).digest()
            digests[position] = np.frombuffer(digest, np.uint8)
            if position % _SHOWN_EVERY == 0:
                task.advance(_SHOWN_EVERY)

    for _ in in_threads(hash_stretch, range(stretches)):
        pass
    task.finish()
    return digests
