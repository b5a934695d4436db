"""Cascade R-CNN behind the interface of all detectors."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from pass_dataset.extras import require
from pass_dataset.images.outcomes import ImageReader
from pass_dataset.passify.detectors import coco
from pass_dataset.passify.detectors.batches import like_batches
from pass_dataset.passify.detectors.cascade_rcnn.checkpoint import read_checkpoint
from pass_dataset.passify.detectors.cascade_rcnn.frames import frame_of, resize
from pass_dataset.passify.detectors.cascade_rcnn.parameters import needed_parameters
from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.precision import detect_as_float32
from pass_dataset.passify.detectors.settings import DetectorSettings, Precision, Target
from pass_dataset.passify.detectors.torch_setup import check_images, float32_only, prepare_torch
from pass_dataset.passify.detectors.weights.files import CASCADE_RCNN
from pass_dataset.passify.detectors.weights.store import VerifiedWeights, resolve
from pass_dataset.workers.cores import available_cores

if TYPE_CHECKING:
    from pass_dataset.passify.detectors.cascade_rcnn.lanes import Lanes
    from pass_dataset.passify.detectors.cascade_rcnn.network import Network

__all__ = ["CascadeRCNN"]

FEATURE = "The detector cascade-rcnn"

#: Images that CUDA computes together, and such batches at a time: where one waits for the answer
#: how many regions are left, which it does some times an image, the other keeps the GPU at work. On
#: the CPU one image is work enough for all cores, and its features stay in the caches.
CUDA_BATCH_SIZE = 8
CUDA_LANES = 2
#: More are not computed together: torchvision's RoIAlign counts values of its input with 31 bits,
#: which p2 of 124 images of 800×1344 pixels passes (256 channels, a quarter of the sides).
MOST_AT_ONCE = 100

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

    #: What the CPU computes in, and batches at a time. Less than float32 is slower there, as more
    #: batches are, and only tests ask for them.
    _cpu_precision: Precision = "float32"
    _cpu_lanes = 1

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self.settings = settings or DetectorSettings()
        self._networks: dict[Precision, Network] = {}
        self._lanes: Lanes | None = None
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
        own = 1 if self._device == "cpu" else CUDA_BATCH_SIZE
        batch_size = min(self.settings.batch_size or own, MOST_AT_ONCE)
        # cuDNN plans each convolution anew for each size and number of images.
        batches = like_batches([frame.padded for frame in frames], batch_size, few_counts=True)
        network = self._network(precision)

        def detections(batch: list[int]) -> list[Detections]:
            theirs = [frames[n] for n in batch]
            resized = list(resizing.map(resize, [images[n] for n in batch], theirs))
            return network.detect(resized, theirs, STORE_THRESHOLD)

        found: dict[int, Detections] = {}
        with ThreadPoolExecutor(min(len(images), available_cores()), "resize") as resizing:
            made = self._lanes_of_device().each(detections, batches)
            for batch, some in zip(batches, made, strict=True):
                found.update(zip(batch, some, strict=True))
        return [found[position] for position in range(len(images))]

    def _precision(self) -> Precision:
        return self._cpu_precision if self._device == "cpu" else self.settings.precision

    def _prepare(self) -> None:
        if not self._device:
            self._device = prepare_torch(self.settings, FEATURE)
            require("PIL.Image", feature=FEATURE, extra="passify")
            if self._device == "cpu":
                float32_only(self.settings, self.name)

    def _weights(self) -> VerifiedWeights:
        if self._resolved is None:
            self._resolved = resolve(CASCADE_RCNN, self.settings)
        return self._resolved

    def _lanes_of_device(self) -> Lanes:
        if self._lanes is None:
            # Torch comes with it.
            from pass_dataset.passify.detectors.cascade_rcnn.lanes import Lanes

            on_cpu = self._device == "cpu"
            self._lanes = Lanes(self._device, self._cpu_lanes if on_cpu else CUDA_LANES)
        return self._lanes

    def _network(self, precision: Precision) -> Network:
        if precision not in self._networks:
            # Torch comes with it.
            from pass_dataset.passify.detectors.cascade_rcnn.network import Network

            path = self._weights().path
            parameters = needed_parameters(read_checkpoint(path), path)
            self._networks[precision] = Network(parameters, self._device, precision)
        return self._networks[precision]
