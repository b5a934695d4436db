"""WebDataset's tars: an image and a file ``.cls`` with the number of its class, by one name."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.data.labelled import LabelledImages

__all__ = ["webdataset_tars"]

_IMAGES = frozenset({"jpg", "jpeg", "png", "webp"})


@dataclass(frozen=True)
class _Member:
    """Bytes of an image within a tar."""

    tar: Path
    offset: int
    size_bytes: int

    def read(self) -> bytes:
        with self.tar.open("rb") as file:
            return os.pread(file.fileno(), self.size_bytes, self.offset)


def webdataset_tars(tars: Sequence[Path], name: str) -> LabelledImages:
    """Images of tars in WebDataset's form, in the order in which they lie.

    Raises:
      EvaluationError: an image has no class, or a tar cannot be read.
    """
    members: dict[str, _Member] = {}
    labels: dict[str, int] = {}
    for tar in tars:
        try:
            with tarfile.open(tar, "r:") as archive:
                for info in archive:
                    key, _, ending = info.name.rpartition("/")[2].partition(".")
                    full = f"{tar.name}/{info.name.rpartition('/')[0]}/{key}"
                    if info.isfile() and ending.lower() in _IMAGES:
                        members[full] = _Member(tar, info.offset_data, info.size)
                    elif info.isfile() and ending == "cls":
                        opened = archive.extractfile(info)
                        labels[full] = int(opened.read() if opened else b"")
        except (tarfile.TarError, OSError, ValueError) as error:
            raise EvaluationError(f"{tar}: cannot be read as WebDataset's tar: {error}") from error
    without = [key for key in members if key not in labels]
    if without:
        raise EvaluationError(
            f"{name}: expected a file .cls beside each image, found none beside {without[0]}"
        )
    places = list(members.values())
    numbers = np.array([labels[key] for key in members], np.int64)
    count = int(numbers.max(initial=-1)) + 1
    return LabelledImages(
        name=name,
        classes=tuple(map(str, range(count))),
        labels=numbers,
        names=tuple(members),
        read=lambda position: places[position].read(),
    )
