"""Which classes a classifier sees in a collection, and how often: the paper's Figure 4."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import nn

from pass_dataset.errors import PassDatasetError
from pass_dataset.evaluate.data.labelled import decoded
from pass_dataset.evaluate.features.transforms import TransformSettings, prepare
from pass_dataset.files.whole import write_whole
from pass_dataset.passify.sources.opening import SourceSettings, open_source
from pass_dataset.passify.sources.source import ListingReport, Reader, SourceItem
from pass_dataset.progress import Progress, Silent
from pass_dataset.torch.inference import inference
from pass_dataset.workers.cores import available_cores

__all__ = ["Predictions", "predict_classes"]


@dataclass(frozen=True)
class Predictions:
    """The class that each image of a collection was given.

    Attributes:
      paths: of the images, within the collection.
      classes: int32 of shape (N,): the class with the highest score; −1 where an image could not be
        read.
      known: number of classes that there are.
    """

    paths: tuple[str, ...]
    classes: np.ndarray[Any, Any]
    known: int

    @property
    def frequencies(self) -> np.ndarray[Any, Any]:
        """Images of each class, the most frequent first; int64 of shape (known,)."""
        seen = self.classes[self.classes >= 0]
        return np.sort(np.bincount(seen, minlength=self.known))[::-1]

    @property
    def effective_number(self) -> float:
        """How many classes of equal frequency would be as diverse (exponential of the entropy)."""
        shares = self.frequencies / max(1, self.frequencies.sum())
        shares = shares[shares > 0]
        return float(np.exp(-(shares * np.log(shares)).sum()))

    def save(self, path: Path) -> None:
        """Writes them as Parquet with the columns `path` and `class`."""
        table = pa.table({"path": list(self.paths), "class": pa.array(self.classes, pa.int32())})
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        write_whole(path, buffer.getvalue())


def predict_classes(
    classifier: nn.Module,
    collection: Path,
    transform: TransformSettings,
    *,
    device: str = "cpu",
    batch_size: int = 64,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Predictions:
    """The class that a classifier gives each image of a collection.

    Args:
      classifier: returns scores of N×classes.
      collection: anything that `passify run` takes: a folder, tars, Parquet, PASS.
      transform: how images are made ready.
      device, batch_size, workers: where and how fast.
      progress: where it is shown.

    Raises:
      SourceError: the collection cannot be listed.
    """
    source = open_source(SourceSettings.of(collection))
    report = ListingReport()
    items = list(source.items(report))
    reader = source.reader(report.files)
    task = (progress or Silent()).task(str(collection), len(items), "images")
    classes: list[int] = []
    known = 0
    module = classifier.to(device).eval()
    try:
        with ThreadPoolExecutor(workers or available_cores()) as pool, inference():
            for batch in _batches(items, batch_size):
                images = list(pool.map(lambda item: _image(reader, item, transform), batch))
                there = [number for number, image in enumerate(images) if image is not None]
                told = np.full(len(batch), -1, np.int32)
                if there:
                    stacked = torch.stack([image for image in images if image is not None])
                    scores = module(stacked.to(device))
                    known = scores.shape[1]
                    told[there] = scores.argmax(1).cpu().numpy()
                classes += told.tolist()
                task.advance(len(batch))
    finally:
        task.finish()
        reader.close()
    return Predictions(tuple(item.path for item in items), np.array(classes, np.int32), known)


def _batches(items: list[SourceItem], size: int) -> Iterator[list[SourceItem]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _image(reader: Reader, item: SourceItem, transform: TransformSettings) -> torch.Tensor | None:
    """An image made ready; None: it cannot be read or decoded."""
    try:
        return prepare(decoded(reader.read(item), item.path), transform, 0)
    except (OSError, PassDatasetError):
        return None
