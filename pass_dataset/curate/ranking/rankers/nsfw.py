"""Drawings, hentai, neutral, porn, sexy: the network that the paper used (its reference 57).

Its authors' preprocessing: resized to 224×224 whatever the shape, by nearest neighbours as Keras
does it, RGB in 0 … 1. The paper looked at what is highest by `hentai` and by `porn` (appendix C.1).

What is harmless is no score: `drawings_share` and `neutral_share`, which nobody looks for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pass_dataset.curate.ranking.ranker import RankerSettings
from pass_dataset.curate.ranking.rankers.onnx import Network
from pass_dataset.curate.ranking.weights import NSFW_MOBILENET

__all__ = ["NSFW", "prepared"]

_SIDE = 224
#: In the order of the network's outputs.
_COLUMNS = ("drawings_share", "hentai_score", "neutral_share", "porn_score", "sexy_score")


class NSFW:
    """A `Ranker`."""

    columns = pa.schema([pa.field(name, pa.float32()) for name in _COLUMNS])

    def __init__(self, settings: RankerSettings) -> None:
        """Args: `settings` say where and how fast."""
        self._network = Network(NSFW_MOBILENET, settings)

    @property
    def identity(self) -> str:
        return f"1 {self._network.sha256}"

    def rank(self, images: Sequence[np.ndarray[Any, Any]]) -> Sequence[Mapping[str, Any]]:
        outputs = [self._network(prepared(pixels)[np.newaxis])[0] for pixels in images]
        return [dict(zip(_COLUMNS, map(float, output), strict=True)) for output in outputs]


def prepared(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What the network is shown of an image: 224×224×3 float32, RGB in 0 … 1.

    Args:
      pixels: H×W×3 uint8, BGR.
    """
    rows, columns = (_nearest(side) for side in pixels.shape[:2])
    # Of a large image only the pixels that are taken are touched.
    small = pixels[rows[:, np.newaxis], columns, ::-1]
    scaled: np.ndarray[Any, Any] = small.astype(np.float32) / np.float32(255)
    return scaled


def _nearest(side: int) -> np.ndarray[Any, Any]:
    """Which of the pixels along a side are taken: those that Pillow's filter ``NEAREST`` takes.

    It adds up steps, as is done here, for the same ones where a place lies between two pixels.
    """
    step = side / _SIDE
    return np.cumsum([step * 0.5, *[step] * (_SIDE - 1)]).astype(np.intp)
