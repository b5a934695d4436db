"""A set of images through an encoder."""

from __future__ import annotations

import copy
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from torch import nn

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.data.labelled import LabelledImages, decoded
from pass_dataset.evaluate.features.cache import FeatureFolder, Features
from pass_dataset.evaluate.features.transforms import TransformSettings, prepare
from pass_dataset.evaluate.models.encoders import Encoder
from pass_dataset.files.cache import user_cache
from pass_dataset.progress import Progress, Silent, Task
from pass_dataset.torch.inference import device_of_this_thread, inference
from pass_dataset.workers.cores import available_cores

__all__ = ["Device", "Work", "embed", "embed_parts", "features_folder"]

logger = logging.getLogger(__name__)

Device = str
_Rows = np.ndarray[Any, np.dtype[np.float32]]

#: Batches that are decoded ahead of the network.
_AHEAD = 3


@dataclass(frozen=True)
class Work:
    """Where and how fast features are made; but for the last bits, it does not change them.

    Attributes:
      devices: one or several: ``cpu``, ``cuda``, ``cuda:1``.
      batch_size: images at once.
      workers: threads that decode; None: one a core.
      share: which share of how many this process does, as ``(2, 8)``; others do the rest on the
        same cache, and whoever comes last puts all together.
    """

    devices: tuple[Device, ...] = ("cpu",)
    batch_size: int = 64
    workers: int | None = None
    share: tuple[int, int] = (0, 1)


def features_folder(
    encoder: Encoder, images: LabelledImages, transform: TransformSettings, cache: Path | None
) -> FeatureFolder:
    """Where features are or will be; reads all images once, to know their content."""
    made_of = {
        "encoder": encoder.digest,
        "images": images.digest(),
        "transform": asdict(transform),
    }
    return FeatureFolder.of(cache or user_cache("features"), made_of, len(images))


def embed(
    encoder: Encoder,
    images: LabelledImages,
    transform: TransformSettings,
    *,
    cache: Path | None = None,
    work: Work | None = None,
    progress: Progress | None = None,
) -> Features | None:
    """Features of all images, made where they are not in the cache. Killed, it goes on there.

    After an interruption, or what went wrong on one device, each device ends its batch and no more.

    Args:
      encoder: of `open_encoder`.
      images: of `open_data`.
      transform: how images are made ready.
      cache: folder of the cache; None: the user's.
      work: where and how fast.
      progress: where it is shown.

    Returns:
      Float16 N×width, mapped from the cache; None: this process's share is done, and others are
      not.

    Raises:
      EvaluationError: an image cannot be decoded, or there is no such device.
    """
    work = work or Work()
    folder = features_folder(encoder, images, transform, cache)
    done = folder.open()
    if done is not None:
        return done
    own, shares = work.share
    todo = [part for part in folder.missing() if part % shares == own]
    rows = sum(len(folder.rows_of(part)) for part in todo)
    devices = [device_of_this_thread(device) for device in work.devices]
    ended = Event()
    task = (progress or Silent()).task(images.name, len(images), "images", len(images) - rows)
    try:
        with ThreadPoolExecutor(len(devices)) as pool:
            try:
                runs = [
                    pool.submit(
                        _run,
                        encoder,
                        images,
                        transform,
                        folder,
                        todo[number :: len(devices)],
                        device,
                        work,
                        task,
                        ended,
                    )
                    for number, device in enumerate(devices)
                ]
                wait(runs, return_when=FIRST_EXCEPTION)
            finally:
                ended.set()  # else Ctrl-C would wait until all parts are made
        for run in runs:
            run.result()
    finally:
        task.finish()
    return None if folder.missing() else folder.join()


def _run(
    encoder: Encoder,
    images: LabelledImages,
    transform: TransformSettings,
    folder: FeatureFolder,
    parts: Sequence[int],
    device: Device,
    work: Work,
    task: Task,
    ended: Event,
) -> None:
    """Parts on one device."""
    own = encoder
    if len(work.devices) > 1:
        own = replace(encoder, module=copy.deepcopy(encoder.module))
    embed_parts(
        own, images, transform, folder, parts,
        device=device, batch_size=work.batch_size, workers=work.workers, told=task.advance,
        ended=ended,
    )  # fmt: skip


def embed_parts(
    encoder: Encoder,
    images: LabelledImages,
    transform: TransformSettings,
    folder: FeatureFolder,
    parts: Sequence[int],
    *,
    device: Device,
    batch_size: int,
    workers: int | None,
    told: Callable[[int], None],
    ended: Event | None = None,
) -> None:
    """Makes some parts of the features, one after the other, and writes each whole.

    Args:
      encoder, images, transform: see `embed`.
      folder: of the features.
      parts: which.
      device, batch_size, workers: see `Work`. The network is moved to the device.
      told: is told of images as they are done.
      ended: once it is set, no further batch is begun, and the part at hand is not written.

    Raises:
      EvaluationError: see `embed`.
    """
    try:
        module = encoder.module.to(device).eval()
    except (RuntimeError, AssertionError) as error:
        raise EvaluationError(f"device {device}: cannot be used: {error}") from error
    with ThreadPoolExecutor(workers or available_cores()) as pool:
        try:
            batches = _prepared(pool, images, transform, folder, parts, batch_size)
            for part in parts:
                features: list[_Rows] = []
                while sum(map(len, features)) < len(folder.rows_of(part)):
                    if ended is not None and ended.is_set():
                        return
                    batch = next(batches)
                    features.append(_forward(module, batch, device, encoder.name))
                    told(len(batch))
                folder.write(part, np.concatenate(features))
        finally:
            pool.shutdown(cancel_futures=True)


def _prepared(
    pool: ThreadPoolExecutor,
    images: LabelledImages,
    transform: TransformSettings,
    folder: FeatureFolder,
    parts: Sequence[int],
    batch_size: int,
) -> Iterator[torch.Tensor]:
    """Batches of N×3×S×S, of which some are decoded while the network is at work.

    None reaches into the next part: a part is the same whether others were done before or not.
    """

    def one(row: int) -> torch.Tensor:
        return prepare(decoded(images.read(row), images.names[row]), transform, row)

    waiting: deque[list[Future[torch.Tensor]]] = deque()
    for part in parts:
        rows = folder.rows_of(part)
        for start in range(0, len(rows), batch_size):
            waiting.append([pool.submit(one, row) for row in rows[start : start + batch_size]])
            if len(waiting) > _AHEAD:
                yield torch.stack([future.result() for future in waiting.popleft()])
    while waiting:
        yield torch.stack([future.result() for future in waiting.popleft()])


def _forward(module: nn.Module, batch: torch.Tensor, device: Device, name: str) -> _Rows:
    with inference():
        features = module(batch.to(device, non_blocking=True))
        if not isinstance(features, torch.Tensor) or features.shape[:1] != batch.shape[:1]:
            raise EvaluationError(f"{name}: expected a network that returns a row for each image")
        made: _Rows = features.flatten(1).float().cpu().numpy()
        return made
