"""Labelled images that libraries have by name."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.data.labelled import LabelledImages
from pass_dataset.extras import require

__all__ = ["huggingface_dataset", "tfds_dataset", "torchvision_dataset"]


def huggingface_dataset(name: str, split: str, root: Path | None) -> LabelledImages:
    """A dataset of the Hub, or one that was saved to a folder.

    The column of images is the first of that kind; labels are of the first column of classes.
    A column of lists of classes gives several labels an image.

    Raises:
      EvaluationError: it has no such columns.
    """
    datasets = require("datasets", feature=f"hf:{name}", extra="hf")
    if Path(name).is_dir():
        loaded = datasets.load_from_disk(name)
        rows = loaded[split] if isinstance(loaded, datasets.DatasetDict) else loaded
    else:
        rows = datasets.load_dataset(name, split=split, cache_dir=root and str(root))
    image = label = classes = None
    for column, feature in rows.features.items():
        inner = getattr(feature, "feature", feature)
        if image is None and isinstance(feature, datasets.Image):
            image = column
        elif label is None and isinstance(inner, datasets.ClassLabel):
            label, classes = column, tuple(inner.names)
    if image is None or label is None or classes is None:
        raise EvaluationError(
            f"{name}: expected a column of images and one of classes (ClassLabel), found "
            f"{rows.features}"
        )
    encoded = rows.select_columns([image]).cast_column(image, datasets.Image(decode=False))

    def read(position: int) -> bytes:
        cell = encoded[position][image]
        return cell["bytes"] if cell["bytes"] is not None else Path(cell["path"]).read_bytes()

    return LabelledImages(
        name=f"hf:{name} ({split})",
        classes=classes,
        labels=_labels(rows[label], len(classes)),
        names=tuple(map(str, range(len(rows)))),
        read=read,
    )


def _labels(cells: Any, classes: int) -> np.ndarray[Any, Any]:
    """Labels as arrays; lists of them as rows of 1 and -1."""
    cells = list(cells)
    if not cells or not isinstance(cells[0], list):
        return np.array(cells, np.int64)
    labels = np.full((len(cells), classes), -1, np.int8)
    for row, numbers in enumerate(cells):
        labels[row, numbers] = 1
    return labels


def tfds_dataset(name: str, split: str, root: Path | None) -> LabelledImages:
    """A prepared dataset of TensorFlow Datasets, whose encoded images are held in memory.

    Raises:
      EvaluationError: it has no features ``image`` and ``label``.
    """
    tfds = require("tensorflow_datasets", feature=f"tfds:{name}", extra="tfds")
    builder = tfds.builder(name, data_dir=root and str(root))
    features = builder.info.features
    if "image" not in features or "label" not in features:
        raise EvaluationError(
            f"tfds:{name}: expected features image and label, found {', '.join(features)}"
        )
    rows = builder.as_dataset(split=split, decoders={"image": tfds.decode.SkipDecoding()})
    images, labels = [], []
    for row in tfds.as_numpy(rows):
        images.append(bytes(row["image"]))
        labels.append(int(row["label"]))
    return LabelledImages(
        name=f"tfds:{name} ({split})",
        classes=tuple(features["label"].names),
        labels=np.array(labels, np.int64),
        names=tuple(map(str, range(len(images)))),
        read=images.__getitem__,
    )


def torchvision_dataset(name: str, split: str, root: Path | None) -> LabelledImages:
    """A dataset of torchvision that lies in a folder; nothing is downloaded.

    Raises:
      EvaluationError: there is none by that name, or it is not in the folder.
    """
    torchvision = require("torchvision.datasets", feature=f"torchvision:{name}", extra="evaluate")
    made: Any = getattr(torchvision, name, None)
    if not isinstance(made, type):
        raise EvaluationError(f"torchvision:{name}: torchvision has no dataset of this name")
    if root is None:
        raise EvaluationError(f"torchvision:{name}: name the folder that it is in, with --root")
    known = inspect.signature(made).parameters
    opener: Any = made
    options: dict[str, Any] = {}
    if "train" in known:
        options["train"] = split == "train"
    elif "split" in known:
        options["split"] = split
    try:
        rows = opener(root=str(root), **options)
        labels = [int(rows[position][1]) for position in range(len(rows))]
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        raise EvaluationError(f"torchvision:{name}: cannot be opened in {root}: {error}") from error
    classes = getattr(rows, "classes", None) or range(max(labels, default=-1) + 1)
    return LabelledImages(
        name=f"torchvision:{name} ({split})",
        classes=tuple(map(str, classes)),
        labels=np.array(labels, np.int64),
        names=tuple(map(str, range(len(labels)))),
        read=lambda position: rows[position][0],
    )
