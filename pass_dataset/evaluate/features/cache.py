"""Features on disk, found by the content of what made them.

    <cache>/<key>/parts/000003.f16     rows 768 to 1023, written whole
    <cache>/<key>/features.f16         all rows, once every part is there
    <cache>/<key>/features.json        what made them; written last

The key is of the encoder's weights, of the images in their order and of the transform: what has
other content has another key, and what is there is never out of date. The numbers are float16, row
by row, and are mapped into memory as they are needed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pass_dataset.errors import EvaluationError
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.files.whole import write_whole, writing_whole
from pass_dataset.folders.lock import hold

__all__ = ["PART_ROWS", "FeatureFolder", "Features"]

#: Rows of a part: what is lost at most if the process is killed.
PART_ROWS = 256

_FORMAT = 1

Features = np.ndarray[Any, np.dtype[np.float16]]


@dataclass(frozen=True)
class FeatureFolder:
    """The features of one encoder for one set of images and one transform.

    Attributes:
      folder: where they are.
      made_of: what the key is of, as JSON knows it.
      rows: number of images.
    """

    folder: Path
    made_of: Mapping[str, Any]
    rows: int

    @classmethod
    def of(cls, cache: Path, made_of: Mapping[str, Any], rows: int) -> FeatureFolder:
        """The folder of a cache for what has this content; nothing may be there yet."""
        text = json.dumps({"format": _FORMAT, **made_of}, sort_keys=True)
        key = hashlib.sha256(text.encode()).hexdigest()[:32]
        return cls(cache / key, made_of, rows)

    @property
    def parts(self) -> range:
        """Numbers of the parts."""
        return range(-(-self.rows // PART_ROWS))

    def rows_of(self, part: int) -> range:
        """Rows of a part."""
        return range(part * PART_ROWS, min(self.rows, (part + 1) * PART_ROWS))

    def open(self) -> Features | None:
        """The features, float16 N×width, mapped read-only; None: they are not all there.

        Raises:
          EvaluationError: what is there is damaged.
        """
        try:
            facts = load_json(self.folder / "features.json")
            rows, width = int(facts["rows"]), int(facts["width"])
            path = self.folder / "features.f16"
            size, expected = path.stat().st_size, rows * width * 2
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._damaged(error) from error
        if size != expected or rows != self.rows:
            raise self._damaged(f"expected {expected:,} bytes in features.f16, found {size:,}")
        return np.memmap(path, np.float16, "r", shape=(rows, width))

    def missing(self) -> list[int]:
        """Parts that are not written yet."""
        return [part for part in self.parts if not self._part(part).is_file()]

    def write(self, part: int, features: np.ndarray[Any, Any]) -> None:
        """Writes a part whole.

        Raises:
          EvaluationError: some are not finite in float16.
        """
        with np.errstate(over="ignore"):
            halves = np.ascontiguousarray(features, np.float16)
        if not np.isfinite(halves).all():
            raise EvaluationError(
                f"{self.folder}: expected features of finite numbers below 65,504, found others "
                f"in rows {self.rows_of(part)[0]} to {self.rows_of(part)[-1]}; are the weights "
                "and the normalisation right?"
            )
        path = self._part(part)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, halves.tobytes())

    def join(self) -> Features:
        """Puts the parts together, once all are there, and opens the features."""
        with hold(self.folder, wait=True):
            joined = self.open()
            if joined is not None:
                return joined
            width, rest = divmod(self._part(0).stat().st_size, 2 * len(self.rows_of(0)))
            sizes = [self._part(part).stat().st_size for part in self.parts]
            if rest or sizes != [2 * width * len(self.rows_of(part)) for part in self.parts]:
                raise self._damaged("its parts do not fit each other")
            with writing_whole(self.folder / "features.f16") as file:
                for part in self.parts:
                    with self._part(part).open("rb") as source:
                        shutil.copyfileobj(source, file, 1 << 22)
            facts = {"rows": self.rows, "width": width, "made_of": dict(self.made_of)}
            save_json(self.folder / "features.json", facts, indent=1)
            shutil.rmtree(self.folder / "parts", ignore_errors=True)
        joined = self.open()
        if joined is None:
            raise self._damaged("they were deleted meanwhile")
        return joined

    def _part(self, part: int) -> Path:
        return self.folder / "parts" / f"{part:06}.f16"

    def _damaged(self, why: object) -> EvaluationError:
        return EvaluationError(
            f"{self.folder}: these features are damaged ({why}). Delete the folder, and they are "
            "made anew"
        )
