"""Which labelled images a name means."""

from __future__ import annotations

from pathlib import Path

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.data.folders import SPLITS, class_folder, is_voc, voc_folder
from pass_dataset.evaluate.data.labelled import LabelledImages
from pass_dataset.evaluate.data.libraries import (
    huggingface_dataset,
    tfds_dataset,
    torchvision_dataset,
)
from pass_dataset.evaluate.data.tars import webdataset_tars

__all__ = ["open_data"]

_LIBRARIES = {
    "hf": huggingface_dataset,
    "tfds": tfds_dataset,
    "torchvision": torchvision_dataset,
}


def open_data(name: str, split: str, root: Path | None = None) -> LabelledImages:
    """Labelled images by what a user calls them.

    Args:
      name: a folder with a folder for each split (``train``, ``test`` or ``val``), in which each
        class has a folder, or WebDataset's tars lie; a year of Pascal VOC; or ``hf:NAME``,
        ``tfds:NAME``, ``torchvision:NAME``.
      split: ``train`` or ``test``, or another one's own name.
      root: where the library keeps its data.

    Raises:
      EvaluationError: there is nothing of that name, or it has no labels.
      MissingExtraError: the library is not installed.
    """
    library, _, rest = name.partition(":")
    if library in _LIBRARIES:
        return _LIBRARIES[library](rest, split, root)
    folder = Path(name)
    if not folder.is_dir():
        raise EvaluationError(
            f"{name}: expected a folder of labelled images, or hf:NAME, tfds:NAME or "
            "torchvision:NAME, found neither"
        )
    if is_voc(folder):
        return voc_folder(folder, split)
    tars = [
        tar
        for each in SPLITS.get(split, (split,))
        if (folder / each).is_dir()
        for tar in sorted((folder / each).glob("*.tar"))
    ]
    if tars:
        return webdataset_tars(tars, f"{folder} ({split})", folder)
    return class_folder(folder, split)
