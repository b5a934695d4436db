"""Text in images, by the detector and the reader of the package `rapidocr` (PP-OCRv6).

What is read is not kept: a ledger that holds number plates and addresses would be what ranking is
to prevent. Kept are scores, and boxes with the kind of text that is in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pass_dataset.curate.ranking.ranker import RankerSettings
from pass_dataset.curate.ranking.rankers.patterns import KINDS, kinds_of
from pass_dataset.curate.ranking.rankers.vehicles import Vehicle, Vehicles, plate_score
from pass_dataset.curate.ranking.weights import TEXT_DETECTOR, TEXT_READER, verified
from pass_dataset.extras import require

__all__ = ["Text", "text_and_vehicles"]

#: Shorter side that images are shown to the detector with, if theirs is less: text of 10 pixels is
#: still found in an image of 500×375. The package's own 736 takes three times as long.
_SHORTER_SIDE = 480
#: What the reader is less sure of is no text.
_LEAST_SCORE = 0.4
_BOX = pa.struct(
    [
        ("kind", pa.string()),
        ("score", pa.float32()),
        *((side, pa.int32()) for side in ("x1", "y1", "x2", "y2")),
    ]
)


class Text:
    """A `Ranker`.

    `text_score` is how sure the reader is of the text that it is surest of, the others that times
    how much the text is like the kind; 0 where there is none. `text_boxes` has a box of whole
    pixels around each text, with the kind that it is most like, or ``text``.
    """

    columns = pa.schema(
        [
            pa.field("text_score", pa.float32()),
            *(pa.field(f"{kind}_score", pa.float32()) for kind in KINDS),
            pa.field("text_boxes", pa.list_(_BOX)),
        ]
    )

    def __init__(self, settings: RankerSettings, vehicles: Vehicles | None = None) -> None:
        """Args:
        settings: how fast; text is looked for on the CPU.
        vehicles: finds vehicles where there is a text like a plate; see `vehicles.plate_score`.
        """
        self._settings = settings
        self._vehicles = vehicles
        self._reader: Any = None

    @property
    def identity(self) -> str:
        alone = f"1 {verified(TEXT_DETECTOR).sha256} {verified(TEXT_READER).sha256}"
        return alone if self._vehicles is None else f"{alone} {self._vehicles.identity}"

    def rank(self, images: Sequence[np.ndarray[Any, Any]]) -> Sequence[Mapping[str, Any]]:
        if self._reader is None:
            self._reader = self._open()
        return [self._said(pixels) for pixels in images]

    def _open(self) -> Any:
        rapidocr = require("rapidocr", feature="The ranker text", extra="rank")
        return rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                # Text upside down is rare in photographs, and turned again costs a network.
                "Global.use_cls": False,
                "Global.text_score": _LEAST_SCORE,
                "EngineConfig.onnxruntime.intra_op_num_threads": self._settings.threads,
                "Det.limit_side_len": _SHORTER_SIDE,
                # Named, so that nothing is ever fetched.
                "Det.model_path": str(verified(TEXT_DETECTOR).path),
                "Rec.model_path": str(verified(TEXT_READER).path),
            }
        )

    def _said(self, pixels: np.ndarray[Any, Any]) -> Mapping[str, Any]:
        # A copy, as what is decoded is not to be written to.
        found = self._reader(np.array(pixels))
        scores = dict.fromkeys(("text", *KINDS), 0.0)
        boxes: list[dict[str, Any]] = []
        vehicles: list[Vehicle] | None = None
        for corners, text, sure in _texts(found):
            kinds = {kind: likeness * float(sure) for kind, likeness in kinds_of(text).items()}
            box = _box(corners, pixels.shape)
            if "plate" in kinds and self._vehicles is not None:
                # Few images have such a text: the others are not looked at again.
                vehicles = self._vehicles.find(pixels) if vehicles is None else vehicles
                kinds["plate"] = plate_score(kinds["plate"], tuple(box.values()), vehicles)
            for kind, score in {**kinds, "text": float(sure)}.items():
                scores[kind] = max(scores[kind], score)
            kind = max(kinds, key=lambda one: kinds[one], default="text")
            boxes.append({"kind": kind, "score": kinds.get(kind, float(sure)), **box})
        boxes.sort(key=lambda box: (-box["score"], box["y1"], box["x1"]))
        return {**{f"{kind}_score": score for kind, score in scores.items()}, "text_boxes": boxes}


def _texts(found: Any) -> Iterator[tuple[Any, str, float]]:
    """Corners, letters and how sure the reader is, of each text; there may be none."""
    parts = (getattr(found, name, None) for name in ("boxes", "txts", "scores"))
    corners, texts, scores = (() if part is None else part for part in parts)
    yield from zip(corners, texts, scores, strict=True)


def _box(corners: Any, shape: tuple[int, ...]) -> dict[str, int]:
    points = np.asarray(corners, np.float64)
    low = np.floor(points.min(axis=0)).clip(0)
    high = np.ceil(points.max(axis=0)).clip(max=(shape[1], shape[0]))
    return {"x1": int(low[0]), "y1": int(low[1]), "x2": int(high[0]), "y2": int(high[1])}


def text_and_vehicles(detector: str, settings: RankerSettings) -> Text:
    """The same, with vehicles by a detector of passify: plates on these come first.

    Raises:
      DetectorError: there is none of that name.
    """
    return Text(settings, Vehicles(detector, settings))
