"""The interface of all detectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from pass_dataset.images.outcomes import ImageReader
from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.settings import Target

__all__ = ["Detector"]


class Detector(Protocol):
    """Finds faces, or people and other things, in images.

    A detector is made quickly and pickles small: its network is loaded when the first image comes,
    in each process anew.
    """

    @property
    def name(self) -> str:
        """What `open_detector` knows it by: ``retinaface``, ``cascade-rcnn`` …"""

    @property
    def target(self) -> Target:
        """What `Detections.max_score` and the verdict are about."""

    @property
    def image_reader(self) -> ImageReader:
        """Whose pixels it was made with: what `DecodedImage.pixels_by` is to be asked for."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names that `Detections.classes` are positions in."""

    @property
    def store_threshold(self) -> float:
        """Boxes with a lower score are not in `Detections`."""

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the weights file; fetches that if need be."""

    def detect(self, images: Sequence[np.ndarray[Any, Any]]) -> list[Detections]:
        """Detections of each image, in order.

        The result does not depend on which images come together.

        Args:
          images: H×W×3 uint8, colours in BGR order, of any sizes.

        Raises:
          WeightsError: the weights are missing, wrong or unsafe.
          MissingExtraError: a package that the detector needs is not installed.
        """
