"""Rankers of another package, found by entry point in whatever process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pass_dataset.curate.ranking.ranker import RankerSettings
from pass_dataset.errors import DetectorError

__all__ = ["BLUE", "CLASS", "Blue", "Classes", "Fails", "RedButOdd", "install"]

#: Names of the entry points.
BLUE, CLASS = "blue", "by-brightness"


class Blue:
    """How blue the bluest pixel is, as `picture` paints people."""

    identity = "1"
    columns = pa.schema([("blue_score", pa.float32())])

    def __init__(self, settings: RankerSettings) -> None:
        """Args: `settings` are not used."""

    def rank(self, images: Sequence[np.ndarray[Any, Any]]) -> Sequence[Mapping[str, Any]]:
        return [{"blue_score": float(pixels[..., 0].mean()) / 255} for pixels in images]


class RedButOdd(Blue):
    """How red; it cannot do images whose middle row is red."""

    columns = pa.schema([("red_score", pa.float32())])

    def rank(self, images: Sequence[np.ndarray[Any, Any]]) -> Sequence[Mapping[str, Any]]:
        for pixels in images:
            if pixels[pixels.shape[0] // 2, :, 2].min() > 200:
                raise ValueError("too red")
        return [{"red_score": float(pixels[..., 2].mean()) / 255} for pixels in images]


class Fails(Blue):
    """Raises on all images."""

    columns = pa.schema([("no_score", pa.float32())])

    def rank(self, images: Sequence[np.ndarray[Any, Any]]) -> Sequence[Mapping[str, Any]]:
        raise ValueError("always")


class WithoutDevice(Blue):
    """Has a detector whose device is not there."""

    columns = pa.schema([("far_score", pa.float32())])

    def rank(self, images: Sequence[np.ndarray[Any, Any]]) -> Sequence[Mapping[str, Any]]:
        raise DetectorError("device: cuda:99 is not there")


class Classes(Blue):
    """Classes by brightness."""

    columns = pa.schema([("class_name", pa.string())])

    def rank(self, images: Sequence[np.ndarray[Any, Any]]) -> Sequence[Mapping[str, Any]]:
        return [{"class_name": "dark" if one.mean() < 45 else "bright"} for one in images]


def install(folder: Path) -> None:
    """Makes these rankers known to processes whose `sys.path` has this folder."""
    info = folder / "other_rankers-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-rankers\nVersion: 1.0\n")
    names = {
        BLUE: "Blue",
        "red": "RedButOdd",
        "fails": "Fails",
        "without-device": "WithoutDevice",
        CLASS: "Classes",
    }
    lines = [f"{name} = tests.support.rankers:{kind}" for name, kind in names.items()]
    text = "\n".join(["[pass_dataset.rankers]", *lines, "gone = tests.support.rankers:Gone", ""])
    (info / "entry_points.txt").write_text(text)
