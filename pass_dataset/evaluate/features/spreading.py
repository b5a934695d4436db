"""Images through an encoder by executors: each part of the features is a shard.

The folder of the features is theirs while they are at work; what they leave there besides the
features is removed at the end. Every machine opens the encoder and the images by their names anew,
and checks that both are what they are here.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import torch

from pass_dataset.errors import (
    EvaluationError,
    MissingExtraError,
    PassDatasetError,
    WeightsError,
)
from pass_dataset.evaluate.data.labelled import LabelledImages, content_of
from pass_dataset.evaluate.data.opening import open_data
from pass_dataset.evaluate.features.cache import FeatureFolder, Features
from pass_dataset.evaluate.features.embedding import embed_parts, features_folder
from pass_dataset.evaluate.features.transforms import TransformSettings
from pass_dataset.evaluate.models.encoders import Encoder, open_encoder
from pass_dataset.executors.executor import Executor, do_jobs, sweep
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import DoneShard, ShardFolder
from pass_dataset.executors.work import Work, WorkerShare
from pass_dataset.files.whole import write_whole
from pass_dataset.folders.lock import hold
from pass_dataset.progress import Progress, Silent

__all__ = ["Asked", "Embedding", "PartFolder", "embed_spread"]

#: Bytes of an image's hash.
_HASH_BYTES = 16


@dataclass(frozen=True)
class Asked:
    """Encoder and images by names that mean the same on every machine.

    Attributes:
      encoder: arguments of `open_encoder`, as JSON has them.
      data, split, root: those of `open_data`; the root as text.
      batch_size: images at once.
    """

    encoder: Mapping[str, Any]
    data: str
    split: str
    root: str | None = None
    batch_size: int = 64


class PartFolder(ShardFolder[DoneShard]):
    """The folder of features, while executors are at work on its parts."""

    def marker(self, content: Mapping[str, Any]) -> DoneShard:
        return DoneShard(**content)

    @property
    def hashes_path(self) -> Path:
        """What each image is, by which other machines know it."""
        return self.path / "hashes"

    def clear(self) -> None:
        """Removes all that is not features."""
        for name in ("done", "failed", "crashes", "logs", "slurm"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        self.hashes_path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Embedding(Work):
    """Embeds parts: in one process a GPU, or one that has all cores.

    Attributes:
      encoder, data, split, root, batch_size: see `Asked`.
      transform: `TransformSettings`, as JSON has them.
      made_of, rows: of the `FeatureFolder`.
    """

    title: ClassVar[str] = "embedding"
    command: ClassVar[str] = "pass-evaluate-embed"
    uses_gpus: ClassVar[bool] = True
    takes_all_cores: ClassVar[bool] = True
    fatal_errors: ClassVar[tuple[type[PassDatasetError], ...]] = (
        EvaluationError,
        MissingExtraError,
        WeightsError,
    )

    encoder: dict[str, Any] = field(default_factory=dict)
    data: str = ""
    split: str = "test"
    root: str | None = None
    batch_size: int = 64
    transform: dict[str, Any] = field(default_factory=dict)
    made_of: dict[str, Any] = field(default_factory=dict)
    rows: int = 0

    def folder(self, path: str) -> PartFolder:
        return PartFolder(path)

    def open(self, folder: str, share: WorkerShare) -> _Doer:
        return _Doer(PartFolder(folder), self, share)

    def images(self, folder: ShardFolder[Any], shards: Sequence[int]) -> int:
        features = self.features(folder.path)
        return sum(len(features.rows_of(shard)) for shard in shards)

    def features(self, path: Path) -> FeatureFolder:
        """Of a path, as it is seen by this machine."""
        return FeatureFolder(path, self.made_of, self.rows)


def embed_spread(
    asked: Asked,
    encoder: Encoder,
    images: LabelledImages,
    transform: TransformSettings,
    executor_of: Callable[[Embedding], Executor],
    *,
    cache: Path | None = None,
    device: str | None = None,
    progress: Progress | None = None,
) -> Features | None:
    """Features of all images, made by an executor where they are not in the cache; see `embed`.

    Args:
      asked: how other machines open encoder and images.
      encoder, images, transform: the same, opened here.
      executor_of: where this work is done.
      cache: folder that all machines see; None: the user's.
      device: to compute on; None: CUDA where there is one.
      progress: where it is shown.

    Returns:
      Float16 N×width; None: others are still at it.

    Raises:
      EvaluationError: an image cannot be decoded, or another machine has another encoder or images.
      RunError: parts could not be made.
      SchedulerError: the cluster does not answer.
    """
    features = features_folder(encoder, images, transform, cache)
    done = features.open()
    if done is not None:
        return done
    features.folder.mkdir(parents=True, exist_ok=True)
    work = Embedding(
        device=device,
        **{**asdict(asked), "encoder": dict(asked.encoder)},
        transform=asdict(transform),
        made_of=dict(features.made_of),
        rows=features.rows,
    )
    folder = PartFolder(features.folder)
    with hold(features.folder, wait=True):
        executor = executor_of(work)
        sweep(folder, executor)
        write_whole(folder.hashes_path, b"".join(images.hashes))
        jobs = [ShardJob(part) for part in features.missing()]
        total = work.images(folder, [job.shard for job in jobs])
        task = (progress or Silent()).task(
            images.name, features.rows, "images", features.rows - total
        )
        try:
            left = do_jobs(folder, executor, jobs, task.advance, shards=len(features.parts)).left
        finally:
            task.finish()
        if left:
            return None
        joined = features.join()
        folder.clear()
    return joined


class _Doer:
    """Embeds parts, in a process that may be on another machine."""

    def __init__(self, folder: PartFolder, work: Embedding, share: WorkerShare) -> None:
        torch.set_num_threads(share.threads)
        self._folder, self._work, self._threads = folder, work, share.threads
        self._device = share.device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._features = work.features(folder.path)
        self._encoder = open_encoder(**work.encoder)
        if self._encoder.digest != work.made_of["encoder"]:
            raise EvaluationError(
                f"{self._encoder.name}: this machine has another encoder of this name than the one "
                "that was asked for; put the same file where all see it"
            )
        self._images = open_data(
            work.data, work.split, None if work.root is None else Path(work.root)
        )
        self._hashes = folder.hashes_path.read_bytes()
        if len(self._hashes) != _HASH_BYTES * len(self._images):
            raise self._other_images()
        settings: Any = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in work.transform.items()
        }
        self._transform = TransformSettings(**settings)

    def run(
        self,
        job: ShardJob,
        told: Callable[[int], None],
        begins: Callable[[int], None] | None = None,
    ) -> DoneShard:
        rows = self._features.rows_of(job.shard)
        worked_on = 0
        if job.shard in self._features.missing():
            culprits = self._folder.crashes(job.shard).culprits
            if culprits:
                (position, how), *_ = culprits.items()
                raise EvaluationError(
                    f"{self._images.names[rows[position]]}: {how}. An evaluation without it would "
                    "be another one: take it out of the set, or repair it"
                )
            embed_parts(
                self._encoder,
                replace(self._images, read=lambda row: self._read(row, rows, begins)),
                self._transform,
                self._features,
                [job.shard],
                device=self._device,
                batch_size=self._work.batch_size,
                # With care, one after the other: the last that began is the one.
                workers=self._threads if begins is None else 1,
                told=told,
            )
            worked_on = len(rows)
        marker = DoneShard(job.shard, len(rows), worked_on, time.time())
        self._folder.mark_done(marker)
        return marker

    def _read(self, row: int, rows: range, begins: Callable[[int], None] | None) -> Any:
        if begins is not None:
            begins(row - rows[0])
        image = self._images.read(row)
        if content_of(image) != self._hashes[_HASH_BYTES * row : _HASH_BYTES * (row + 1)]:
            raise self._other_images()
        return image

    def _other_images(self) -> EvaluationError:
        return EvaluationError(
            f"{self._images.name}: this machine finds other images than those that were asked for; "
            "put the same files where all see them"
        )
