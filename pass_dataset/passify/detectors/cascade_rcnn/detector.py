"""Cascade R-CNN behind the interface of all detectors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from pass_dataset.extras import require
from pass_dataset.images.outcomes import ImageReader
from pass_dataset.passify.detectors import coco
from pass_dataset.passify.detectors.batches import like_batches
from pass_dataset.passify.detectors.cascade_rcnn.checkpoint import read_checkpoint
from pass_dataset.passify.detectors.cascade_rcnn.frames import Frame, frame_of, resize
from pass_dataset.passify.detectors.cascade_rcnn.parameters import needed_parameters
from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.precision import detect_as_float32
from pass_dataset.passify.detectors.settings import DetectorSettings, Precision, Target
from pass_dataset.passify.detectors.torch_setup import check_images, prepare_torch
from pass_dataset.passify.detectors.weights.files import CASCADE_RCNN
from pass_dataset.passify.detectors.weights.store import VerifiedWeights, resolve

if TYPE_CHECKING:
    from pass_dataset.passify.detectors.cascade_rcnn.network import Network

__all__ = ["CascadeRCNN"]

FEATURE = "The detector cascade-rcnn"

#: Images that CUDA computes together. On the CPU one image is work enough for all cores, and its
#: features stay in the caches.
CUDA_BATCH_SIZE = 16

#: Boxes of lower scores are not stored (detectron2's default). The published code stores from 0.5
#: on: those are the same boxes, as a box is never suppressed by one of a lower score, and the
#: hundred best are kept.
STORE_THRESHOLD = 0.05

#: How far `max_score` may be off with less than float32. Measured on photographs and crops of them
#: with random weights, not with the published ones: rounded to bfloat16 after each layer, 60 images
#: were off by up to 0.26, half of them by less than 0.022; to float16, 42 images by up to 0.036,
#: half of them by less than 0.004.
SCORE_BANDS: dict[Precision, float] = {"bfloat16": 0.3, "float16": 0.1}


class CascadeRCNN:
    """The published detector of people: Cascade R-CNN, ResNet-50 with FPN, 3x schedule.

    Args:
      settings: how it runs.
    """

    name = "cascade-rcnn"
    target: Target = "person"
    image_reader: ImageReader = "pillow"
    class_names = coco.CLASS_NAMES
    store_threshold = STORE_THRESHOLD

    #: What the CPU computes in. Less than float32 is slower there, and only tests ask for it.
    _cpu_precision: Precision = "float32"

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self.settings = settings or DetectorSettings()
        self._networks: dict[Precision, Network] = {}
        self._resolved: VerifiedWeights | None = None
        self._device = ""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.settings,)

    @property
    def weights_sha256(self) -> str:
        return self._weights().sha256

    def detect(self, images: Sequence[np.ndarray[Any, Any]]) -> list[Detections]:
        """Detections of each image (H×W×3 uint8, BGR), in order.

        With less than float32, images whose verdict that leaves open are run again in float32.

        Raises:
          WeightsError: the weights are missing, wrong or unsafe.
          MissingExtraError: torch, torchvision or Pillow is not installed.
          ValueError: an image has another shape or dtype.
        """
        check_images(images)
        if not images:
            return []
        self._prepare()
        return detect_as_float32(
            images,
            self._run,
            self._precision(),
            threshold=self.settings.verdict_threshold,
            bands=SCORE_BANDS,
        )

    def _run(
        self, images: Sequence[np.ndarray[Any, Any]], precision: Precision
    ) -> list[Detections]:
        frames = [frame_of(*image.shape[:2]) for image in images]
        on_cpu = self._device == "cpu"
        batch_size = self.settings.batch_size or (1 if on_cpu else CUDA_BATCH_SIZE)
        batches = like_batches([frame.padded for frame in frames], batch_size)
        order = [position for batch in batches for position in batch]
        found: dict[int, Detections] = {}
        resized = _resized([images[n] for n in order], [frames[n] for n in order], not on_cpu)
        for batch in batches:
            detections = self._network(precision).detect(
                [next(resized) for _ in batch], [frames[n] for n in batch], STORE_THRESHOLD
            )
            found.update(zip(batch, detections, strict=True))
        return [found[position] for position in range(len(images))]

    def _precision(self) -> Precision:
        return self._cpu_precision if self._device == "cpu" else self.settings.precision

    def _prepare(self) -> None:
        if not self._device:
            self._device = prepare_torch(self.settings, FEATURE)
            require("PIL.Image", feature=FEATURE, extra="passify")

    def _weights(self) -> VerifiedWeights:
        if self._resolved is None:
            self._resolved = resolve(CASCADE_RCNN, self.settings)
        return self._resolved

    def _network(self, precision: Precision) -> Network:
        if precision not in self._networks:
            # Torch comes with it.
            from pass_dataset.passify.detectors.cascade_rcnn.network import Network

            path = self._weights().path
            parameters = needed_parameters(read_checkpoint(path), path)
            self._networks[precision] = Network(parameters, self._device, precision)
        return self._networks[precision]


def _resized(
    images: Sequence[np.ndarray[Any, Any]], frames: Sequence[Frame], ahead: bool
) -> Iterator[np.ndarray[Any, Any]]:
    """Images as the network sees them; with `ahead`, made on all cores while the GPU computes."""
    if not ahead or len(images) == 1:
        yield from map(resize, images, frames)
        return
    with ThreadPoolExecutor(max_workers=min(len(images), os.cpu_count() or 1)) as threads:
        yield from threads.map(resize, images, frames)
