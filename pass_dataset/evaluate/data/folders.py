"""Folders of classes, and Pascal VOC's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.data.labelled import LabelledImages

__all__ = ["SPLITS", "class_folder", "is_voc", "split_folder", "voc_folder"]

#: Names that a split may have.
SPLITS = {
    "train": ("train", "trainval", "training"),
    "test": ("test", "val", "validation", "valid"),
}
#: As torchvision's ImageFolder takes them.
_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"})


def split_folder(folder: Path, split: str) -> Path:
    """The folder of a split. Raises EvaluationError if there is none."""
    for name in SPLITS.get(split, (split,)):
        if (folder / name).is_dir():
            return folder / name
    raise EvaluationError(
        f"{folder}: expected a folder {' or '.join(SPLITS.get(split, (split,)))} with a folder "
        "for each class, found none"
    )


def class_folder(folder: Path, split: str) -> LabelledImages:
    """A folder for each split, in it a folder for each class, with images below.

    Raises:
      EvaluationError: there are none.
    """
    where = split_folder(folder, split)
    # By the classes of both splits: one that a split lacks must not change the others' numbers.
    names = sorted(
        {
            entry.name
            for each in SPLITS
            for candidate in SPLITS[each]
            if (folder / candidate).is_dir()
            for entry in (folder / candidate).iterdir()
            if entry.is_dir()
        }
    )
    found = [
        (path, number)
        for number, name in enumerate(names)
        for path in sorted((where / name).rglob("*"))
        if path.suffix.lower() in _ENDINGS and path.is_file()
    ]
    paths = tuple(path for path, _ in found)
    return LabelledImages(
        name=f"{folder} ({split})",
        classes=tuple(names),
        labels=np.array([number for _, number in found], np.int64),
        names=tuple(str(path.relative_to(where)) for path in paths),
        read=lambda position: paths[position].read_bytes(),
    )


def is_voc(folder: Path) -> bool:
    """Whether a folder is a year of Pascal VOC, such as ``VOCdevkit/VOC2007``."""
    return (folder / "ImageSets" / "Main").is_dir() and (folder / "JPEGImages").is_dir()


def voc_folder(folder: Path, split: str) -> LabelledImages:
    """A year of Pascal VOC: several labels an image, some of them difficult (0).

    Args:
      folder: with ``JPEGImages`` and ``ImageSets/Main``.
      split: ``train`` is VOC's trainval.

    Raises:
      EvaluationError: lists are missing, or do not fit each other.
    """
    lists = folder / "ImageSets" / "Main"
    voc_split = {"train": "trainval"}.get(split, split)
    files = sorted(lists.glob(f"*_{voc_split}.txt"))
    if not files:
        raise EvaluationError(f"{lists}: expected files *_{voc_split}.txt, found none")
    names: list[str] | None = None
    columns = []
    for file in files:
        rows = [line.split() for line in file.read_text().splitlines() if line.strip()]
        if any(len(row) != 2 or row[1] not in ("-1", "0", "1") for row in rows):
            raise EvaluationError(f"{file}: expected lines of a name and -1, 0 or 1")
        if names is not None and names != [row[0] for row in rows]:
            raise EvaluationError(f"{file}: names other images than {files[0].name}")
        names = [row[0] for row in rows]
        columns.append([int(row[1]) for row in rows])
    paths = [folder / "JPEGImages" / f"{name}.jpg" for name in names or []]
    return LabelledImages(
        name=f"{folder} ({split})",
        classes=tuple(file.name.removesuffix(f"_{voc_split}.txt") for file in files),
        labels=np.array(columns, np.int8).T,
        names=tuple(names or ()),
        read=lambda position: paths[position].read_bytes(),
    )
