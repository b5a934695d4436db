"""Describing as a kind of work: images of a round read, decoded and described, anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from pass_dataset.curate.duplicates.crops.descriptors import kept_by
from pass_dataset.curate.duplicates.crops.network import (
    SIDE,
    describe,
    load_describer,
    prepared,
)
from pass_dataset.curate.duplicates.crops.rows import DESCRIPTORS
from pass_dataset.curate.duplicates.crops.weights import crop_weights
from pass_dataset.curate.duplicates.hash_round import HashRound
from pass_dataset.curate.duplicates.hash_work import ImageReader
from pass_dataset.curate.duplicates.listing import items_of
from pass_dataset.errors import (
    MissingExtraError,
    PassDatasetError,
    SourceChangedError,
    WeightsError,
)
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import DoneShard, ShardFolder
from pass_dataset.executors.work import Work, WorkerShare
from pass_dataset.images.decoding import decode
from pass_dataset.workers.threads import in_threads

__all__ = ["Describing"]

#: Images that the network sees at once, always: of a smaller batch it would make other last bits.
_BATCH = 16


@dataclass(frozen=True)
class Describing(Work):
    """Describes the images of a round: in one process a GPU, or one that has all cores.

    Attributes:
      weights: path of the weights.
      sha256: their digest; where another file is found, nothing is described.
    """

    title: ClassVar[str] = "Describing"
    command: ClassVar[str] = "pass-curate-describe"
    uses_gpus: ClassVar[bool] = True
    takes_all_cores: ClassVar[bool] = True
    fatal_errors: ClassVar[tuple[type[PassDatasetError], ...]] = (
        MissingExtraError,
        SourceChangedError,
        WeightsError,
    )

    weights: str = ""
    sha256: str = ""

    def folder(self, path: str) -> HashRound:
        return HashRound(path, kept_by(self.sha256))

    def open(self, folder: str, share: WorkerShare) -> _Doer:
        return _Doer(self.folder(folder), self, share)

    def images(self, folder: ShardFolder[Any], shards: Sequence[int]) -> int:
        return HashRound(folder.path).images(shards)


class _Doer:
    """Describes shards of a round, in a process of its own."""

    def __init__(self, folder: HashRound, work: Describing, share: WorkerShare) -> None:
        torch.set_num_threads(share.threads)
        self._folder = folder
        self._images = ImageReader(folder)
        self._device = share.device or ("cuda" if torch.cuda.is_available() else "cpu")
        module = load_describer(crop_weights(Path(work.weights), work.sha256))
        self._module = module.to(self._device)

    def run(
        self,
        job: ShardJob,
        told: Callable[[int], None],
        begins: Callable[[int], None] | None = None,
    ) -> DoneShard:
        rows = self._folder.items(job.shard)
        culprits = self._folder.crashes(job.shard).culprits
        images = list(zip(rows["source"].to_pylist(), items_of(rows), strict=True))

        def ready(position: int) -> torch.Tensor | None:
            if position in culprits:
                return None
            if begins is not None:
                begins(position)
            data = self._images.read(*images[position])
            return None if data is None else _prepared(data)

        positions = range(len(images))
        # With care, one after the other: the last that began is the one.
        made = in_threads(ready, positions) if begins is None else map(ready, positions)
        found = list(self._described(made, told))
        table = pa.table([pa.array(found, DESCRIPTORS.field(0).type)], schema=DESCRIPTORS)
        return self._folder.finish(job.shard, rows, table)

    def _described(
        self, images: Iterator[torch.Tensor | None], told: Callable[[int], None]
    ) -> Iterator[bytes | None]:
        """The bytes of descriptors, in order; None where there is no image."""
        waiting: list[torch.Tensor | None] = []
        for image in images:
            waiting.append(image)
            if sum(one is not None for one in waiting) == _BATCH:
                yield from self._batch(waiting)
                told(len(waiting))
                waiting = []
        yield from self._batch(waiting)
        told(len(waiting))

    def _batch(self, images: Sequence[torch.Tensor | None]) -> Iterator[bytes | None]:
        there = [image for image in images if image is not None]
        found: Iterator[npt.NDArray[np.float16]] = iter(())
        if there:
            batch = torch.zeros((_BATCH, 3, SIDE, SIDE))
            batch[: len(there)] = torch.stack(there)
            found = iter(describe(self._module, batch, self._device))
        return (None if image is None else next(found).tobytes() for image in images)


def _prepared(data: bytes) -> torch.Tensor | None:
    """An image's file, ready for the network; None: it has no pixels."""
    try:
        decoded = decode(data)
    except MissingExtraError:
        raise
    except Exception:  # what is wrong with it is said where it is hashed
        return None
    return prepared(decoded.pixels) if decoded.is_ok and decoded.pixels is not None else None
