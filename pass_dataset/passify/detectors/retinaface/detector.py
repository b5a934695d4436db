"""The face detector."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from pass_dataset.extras import require
from pass_dataset.images.outcomes import ImageReader
from pass_dataset.passify.detectors.batches import like_batches
from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.devices import resolve_device, resolve_threads
from pass_dataset.passify.detectors.precision import detect_as_float32
from pass_dataset.passify.detectors.retinaface.boxes import detections
from pass_dataset.passify.detectors.retinaface.runtimes import (
    NcnnRuntime,
    OnnxRuntime,
    Runtime,
    TorchRuntime,
)
from pass_dataset.passify.detectors.settings import DetectorSettings, Precision, Target
from pass_dataset.passify.detectors.torch_setup import float32_only
from pass_dataset.passify.detectors.weights.files import (
    RETINAFACE_MOBILENET,
    RETINAFACE_RESNET50,
    WeightsFile,
)
from pass_dataset.passify.detectors.weights.store import VerifiedWeights, resolve

__all__ = ["FACE_THRESHOLD", "Network", "RetinaFace"]

logger = logging.getLogger(__name__)

Network = Literal["mobilenet", "resnet50"]
Backend = Literal["ncnn", "onnxruntime", "torch"]

#: An image has a face if one scores over this (published code, ``main_face_detector.py``).
FACE_THRESHOLD = 0.5

#: How far `max_score` may be off, several times what was measured: over 152 crops of photographs
#: it was off by 0.044 at most in bfloat16 and by 0.0048 in float16 (batch norm folded, on a CPU).
_BANDS: dict[Precision, float] = {"bfloat16": 0.15, "float16": 0.02}

_WEIGHTS: dict[Network, WeightsFile] = {
    "mobilenet": RETINAFACE_MOBILENET,
    "resnet50": RETINAFACE_RESNET50,
}
_NAMES: dict[Network, str] = {"mobilenet": "retinaface", "resnet50": "retinaface-resnet50"}
#: Images that go through the network together. A CPU computes one after the other just as fast,
#: and its caches hold one better than several.
_BATCH_SIZES = {"cpu": 1, "cuda": 64}
#: Pixels that go through the network together at most, unless it is one image.
_BATCH_PIXELS = 64 * 500 * 500


class RetinaFace:
    """RetinaFace as published with PASS: every image at its own size, never resized.

    What computes is not among the settings of a run, and a run may go on with another: the highest
    scores of 400 crops of photographs differed by 3e-6 at most between ncnn, ONNX Runtime and
    PyTorch, and no verdict did. Both networks run on all three.
    """

    target: Target = "face"
    image_reader: ImageReader = "opencv"
    class_names = ("face",)
    store_threshold = 0.02

    def __init__(
        self,
        settings: DetectorSettings | None = None,
        *,
        network: Network = "mobilenet",
        backend: Backend | None = None,
    ) -> None:
        """A detector; nothing is loaded yet.

        Args:
          settings: device, precision, threads, weights.
          network: ``mobilenet``, which made PASS, or ``resnet50``, the larger published one.
          backend: what computes on a CPU; None for the fastest that is installed: `ncnn`, else
            `onnxruntime`. On CUDA it is PyTorch.

        Raises:
          ValueError: no such network or backend, or one that the device does not have.
        """
        self._settings = settings or DetectorSettings()
        self._network = network
        self._backend = backend
        if network not in _WEIGHTS:
            raise ValueError(f"network: expected mobilenet or resnet50, found {network!r}")
        if backend not in (None, *get_args(Backend)):
            raise ValueError(f"backend: expected ncnn, onnxruntime or torch, found {backend!r}")
        self._verified: VerifiedWeights | None = None
        self._runtimes: dict[Precision, Runtime] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_verified": None, "_runtimes": {}}

    @property
    def name(self) -> str:
        return _NAMES[self._network]

    @property
    def backend(self) -> Backend:
        """What computes on the device that is asked for."""
        if self._device() != "cpu":
            return "torch"
        if self._backend is not None:
            return self._backend
        return "ncnn" if _has_ncnn() else "onnxruntime"

    @property
    def weights_sha256(self) -> str:
        return self._weights().sha256

    def detect(self, images: Sequence[np.ndarray[Any, Any]]) -> list[Detections]:
        """Faces in each image, in order; see `Detector.detect`."""
        require("numpy", feature="Detecting faces", extra="passify")
        if not images:
            return []
        return detect_as_float32(
            images,
            self._detect,
            self._precision(),
            threshold=self._settings.verdict_threshold,
            bands=_BANDS,
        )

    def _detect(
        self, images: Sequence[np.ndarray[Any, Any]], precision: Precision
    ) -> list[Detections]:
        runtime = self._runtime(precision)
        for image in images:
            _check(image)
        found: dict[int, Detections] = {}
        batches = [list(range(len(images)))]
        if not runtime.takes_any_sizes:
            batches = like_batches([image.shape for image in images], self._batch_size)
        for batch in batches:
            outputs = runtime.run([images[position] for position in batch])
            found.update(zip(batch, map(detections, outputs), strict=True))
        return [found[position] for position in range(len(images))]

    def _batch_size(self, shape: tuple[int, ...]) -> int:
        height, width, _ = shape
        kind = self._device().partition(":")[0]
        wanted = self._settings.batch_size or _BATCH_SIZES.get(kind, 1)
        return max(1, min(wanted, _BATCH_PIXELS // (height * width)))

    def _device(self) -> str:
        return resolve_device(self._settings.device)

    def _precision(self) -> Precision:
        return self._settings.precision if self._device() != "cpu" else "float32"

    def _weights(self) -> VerifiedWeights:
        if self._verified is None:
            self._verified = resolve(_WEIGHTS[self._network], self._settings)
        return self._verified

    def _runtime(self, precision: Precision) -> Runtime:
        if precision not in self._runtimes:
            device, weights, backend = self._device(), self._weights(), self.backend
            cores = resolve_threads(self._settings.threads)
            if device == "cpu":
                float32_only(self._settings, self.name)
            if backend == "ncnn":
                self._runtimes[precision] = NcnnRuntime(weights, cores)
            elif backend == "onnxruntime":
                self._runtimes[precision] = OnnxRuntime(weights, cores)
            else:
                threads = self._settings.threads if device == "cpu" else None
                self._runtimes[precision] = TorchRuntime(weights, device, precision, threads)
        return self._runtimes[precision]


def _has_ncnn() -> bool:
    try:
        importlib.import_module("ncnn")
    except ModuleNotFoundError:
        return False
    except ImportError as error:
        logger.warning("ncnn cannot be used, ONNX Runtime takes its place: %s", error)
        return False
    return True


def _check(image: np.ndarray[Any, Any]) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != "uint8" or not image.size:
        raise ValueError(
            f"images: expected H×W×3 uint8 of at least one pixel, found {image.shape} {image.dtype}"
        )
