"""WebDataset's tars: an image and what it shows beside it, by one name.

What it shows is in a file ``.cls`` (the number of its class), ``.json`` (a number or a name, or a
list of these; or an object that has it as ``label``, ``labels``, ``cls`` or ``classes``), or
``.npy`` (an array with a number for each class, 0 where it is not there).
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.data.labelled import LabelledImages

__all__ = ["webdataset_tars"]

_IMAGES = frozenset({"jpg", "jpeg", "png", "webp"})
#: In the order in which they are asked where an image has several.
_LABELS = ("cls", "json", "npy")
_NAMES = ("label", "labels", "cls", "classes")
#: Names of classes, one a line, as CLIP_benchmark writes them beside its splits.
_CLASSES = "classnames.txt"


@dataclass(frozen=True)
class _Member:
    """Bytes of an image within a tar."""

    tar: Path
    offset: int
    size_bytes: int

    def read(self) -> bytes:
        with self.tar.open("rb") as file:
            return os.pread(file.fileno(), self.size_bytes, self.offset)


def webdataset_tars(tars: Sequence[Path], name: str, folder: Path | None = None) -> LabelledImages:
    """Images of tars in WebDataset's form, in the order in which they lie.

    Args:
      tars: which.
      name: for reports.
      folder: that may have ``classnames.txt``, a line for each class; without, classes are those
        that are there.

    Raises:
      EvaluationError: an image has no class, or a tar cannot be read.
    """
    members: dict[str, _Member] = {}
    labels: dict[str, dict[str, Any]] = {}
    for tar in tars:
        try:
            with tarfile.open(tar, "r:") as archive:
                for info in archive:
                    key, _, ending = info.name.rpartition("/")[2].partition(".")
                    full = f"{tar.name}/{info.name.rpartition('/')[0]}/{key}"
                    if not info.isfile():
                        continue
                    if ending.lower() in _IMAGES:
                        members[full] = _Member(tar, info.offset_data, info.size)
                    elif ending in _LABELS:
                        opened = archive.extractfile(info)
                        told = _told(ending, opened.read() if opened else b"")
                        labels.setdefault(full, {})[ending] = told
        except (tarfile.TarError, OSError, ValueError) as error:
            raise EvaluationError(f"{tar}: cannot be read as WebDataset's tar: {error}") from error
    cells = []
    for key in members:
        told = _first(labels.get(key, {}))
        if told is None:
            raise EvaluationError(
                f"{name}: expected a file .cls, .json or .npy with labels beside each image, found "
                f"none beside {key}"
            )
        cells.append(told)
    classes = _classes(cells, folder)
    places = list(members.values())
    return LabelledImages(
        name=name,
        classes=classes,
        labels=_rows(cells, classes, name),
        names=tuple(members),
        read=lambda position: places[position].read(),
    )


def _told(ending: str, content: bytes) -> Any:
    """A label or a list of them; None: the file says nothing of labels. ValueError: it is none."""
    if ending == "cls":
        return int(content)
    if ending == "npy":
        array = np.load(io.BytesIO(content), allow_pickle=False)
        if array.ndim != 1:
            raise ValueError(f"expected an array of one axis, found {array.ndim}")
        return _Several(np.flatnonzero(array > 0).tolist(), len(array))
    found = json.loads(content)
    if isinstance(found, dict):
        found = next((found[name] for name in _NAMES if name in found), None)
    if found is None or isinstance(found, int | str):
        return found
    if isinstance(found, list) and all(isinstance(each, int | str) for each in found):
        return _Several(found)
    raise ValueError(f"expected a label or a list of labels, found {str(found)[:60]!r}")


@dataclass(frozen=True)
class _Several:
    """Labels of an image that may have none, or many; the number of classes where it is known."""

    labels: list[int | str]
    known: int = 0


def _first(told: Mapping[str, Any]) -> Any:
    return next((told[ending] for ending in _LABELS if told.get(ending) is not None), None)


def _classes(cells: Sequence[Any], folder: Path | None) -> tuple[str, ...]:
    """Names of the classes: those of the file, or those that images have."""
    if folder is not None and (folder / _CLASSES).is_file():
        lines = (folder / _CLASSES).read_text().splitlines()
        return tuple(line.strip() for line in lines if line.strip())
    found = [
        label for cell in cells for label in (cell.labels if isinstance(cell, _Several) else [cell])
    ]
    names = {label for label in found if isinstance(label, str)}
    if names:
        return tuple(sorted(names))
    known = max((cell.known for cell in cells if isinstance(cell, _Several)), default=0)
    return tuple(map(str, range(max([known, *(int(number) + 1 for number in found)], default=0))))


def _rows(cells: Sequence[Any], classes: tuple[str, ...], name: str) -> np.ndarray[Any, Any]:
    """Labels as `LabelledImages` has them."""
    places = {label: place for place, label in enumerate(classes)}

    def place(label: int | str) -> int:
        found = places.get(label, -1) if isinstance(label, str) else label
        if not 0 <= found < len(classes):
            raise EvaluationError(
                f"{name}: expected labels of {len(classes)} classes, found {label!r}"
            )
        return found

    kinds = {isinstance(cell, _Several) for cell in cells}
    if len(kinds) > 1:
        raise EvaluationError(f"{name}: expected one label an image or several, found both")
    if kinds != {True}:
        return np.array([place(cell) for cell in cells], np.int64)
    rows = np.full((len(cells), len(classes)), -1, np.int8)
    for row, cell in enumerate(cells):
        rows[row, [place(label) for label in cell.labels]] = 1
    return rows
