"""Hashing as a kind of work: images of a round read, decoded and hashed, here or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pyarrow as pa

from pass_dataset.curate.duplicates.fingerprints import FINGERPRINTS, Fingerprint, fingerprint
from pass_dataset.curate.duplicates.hash_round import HashRound
from pass_dataset.curate.duplicates.listing import items_of
from pass_dataset.errors import MissingExtraError, PassDatasetError, SourceChangedError
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import DoneShard, ShardFolder
from pass_dataset.executors.work import Work, WorkerShare
from pass_dataset.passify.sources.opening import open_source
from pass_dataset.passify.sources.source import Reader, SourceItem

__all__ = ["DECODER_DIED", "Hashing", "ImageReader"]

#: What an image is called whose decoding ended the process.
DECODER_DIED = "decoder-died"


@dataclass(frozen=True)
class Hashing(Work):
    """Makes the fingerprints of the images of a round, and puts them into the store."""

    title: ClassVar[str] = "Hashing"
    command: ClassVar[str] = "pass-curate-hash"
    fatal_errors: ClassVar[tuple[type[PassDatasetError], ...]] = (
        MissingExtraError,
        SourceChangedError,
    )

    def folder(self, path: str) -> HashRound:
        return HashRound(path)

    def open(self, folder: str, share: WorkerShare) -> _Doer:
        return _Doer(HashRound(folder))

    def images(self, folder: ShardFolder[Any], shards: Sequence[int]) -> int:
        return HashRound(folder.path).images(shards)

    def shares(self, most: int | None = None) -> list[WorkerShare]:
        # A process a core: threads of matrix products this small only wait for each other.
        return [replace(share, threads=1) for share in super().shares(most)]


class ImageReader:
    """Reads the images of a round, in a worker process."""

    def __init__(self, folder: HashRound) -> None:
        self._folder = folder
        self._readers: dict[int, Reader] = {}

    def read(self, source: int, item: SourceItem) -> bytes | None:
        """The bytes of an image of a collection, by its number; None: they cannot be read.

        Raises:
          SourceChangedError: the file that holds it is another than was listed.
        """
        if source not in self._readers:
            collection = self._folder.collections[source]
            opened = open_source(collection.settings)
            self._readers[source] = opened.reader(collection.files)
        try:
            return self._readers[source].read(item)
        except SourceChangedError:
            raise
        except (OSError, PassDatasetError):
            return None


class _Doer:
    """Hashes shards of a round, in a process of its own."""

    def __init__(self, folder: HashRound) -> None:
        self._folder = folder
        self._images = ImageReader(folder)

    def run(
        self,
        job: ShardJob,
        told: Callable[[int], None],
        begins: Callable[[int], None] | None = None,
    ) -> DoneShard:
        rows = self._folder.items(job.shard)
        culprits = self._folder.crashes(job.shard).culprits
        found = []
        images = zip(rows["source"].to_pylist(), items_of(rows), strict=True)
        for position, (source, item) in enumerate(images):
            if position in culprits:
                found.append(Fingerprint(broken=DECODER_DIED))
            else:
                if begins is not None:
                    begins(position)
                data = self._images.read(source, item)
                found.append(
                    Fingerprint(broken="unreadable") if data is None else fingerprint(data)
                )
            told(1)
        return self._folder.finish(job.shard, rows, _to_table(found))


def _to_table(found: list[Fingerprint]) -> pa.Table:
    """Fingerprints as a table."""
    return pa.table(
        [
            pa.array([getattr(one, field.name) for one in found], field.type)
            for field in FINGERPRINTS
        ],
        schema=FINGERPRINTS,
    )
