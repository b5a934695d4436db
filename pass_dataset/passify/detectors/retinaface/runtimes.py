"""A network that is ready to run: by ONNX Runtime on CPUs, by PyTorch anywhere.

A runtime takes images of one size and gives, for each image and stride, the network's output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from pass_dataset.extras import require
from pass_dataset.passify.detectors.detector import Precision
from pass_dataset.passify.detectors.retinaface.graph_cache import (
    INPUT_NAME,
    MEAN_BGR,
    cached_graph,
)
from pass_dataset.passify.detectors.weights.store import VerifiedWeights

__all__ = ["OnnxRuntime", "Runtime", "TorchRuntime"]

#: Images above this give the memory of their run back; ONNX Runtime would keep it.
_LARGE_PIXELS = 4_000_000

Array = np.ndarray[Any, Any]
#: For each image, for each stride: float32 10×h×w.
Output = list[list[Array]]


class Runtime(Protocol):
    """Computes the network's output for images of one size."""

    def run(self, images: Sequence[Array]) -> Output:
        """Output for images of H×W×3 uint8 BGR, all of the same H and W."""


class OnnxRuntime:
    """The network as an ONNX graph in float32.

    The graph is made once and kept in the user's cache. It takes PyTorch to make it, not to run it.
    """

    def __init__(self, weights: VerifiedWeights, threads: int) -> None:
        ort = require("onnxruntime", feature="RetinaFace on CPUs", extra="passify")
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Threads that wait for work must not take the cores of those that decode.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # A memory plan is kept for each size of image otherwise, and sizes never end.
        options.enable_mem_pattern = False
        options.log_severity_level = 3
        self._small = ort.RunOptions()
        self._large = ort.RunOptions()
        self._large.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        graph, self._margin = cached_graph(weights)
        self._session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def run(self, images: Sequence[Array]) -> Output:
        height, width = images[0].shape[:2]
        margin = self._margin
        pixels = np.empty((len(images), height + 2 * margin, width + 2 * margin, 3), np.uint8)
        # The colour that is zero once the mean is subtracted: the network's own padding.
        for edge in (slice(None, margin), slice(-margin, None)):
            pixels[:, edge] = MEAN_BGR
            pixels[:, :, edge] = MEAN_BGR
        for position, image in enumerate(images):
            pixels[position, margin:-margin, margin:-margin] = image
        large = len(images) * height * width > _LARGE_PIXELS
        levels = self._session.run(
            None, {INPUT_NAME: pixels}, self._large if large else self._small
        )
        return [list(image) for image in zip(*levels, strict=True)]


class TorchRuntime:
    """The network in PyTorch, on a device and in a precision."""

    def __init__(
        self,
        weights: VerifiedWeights,
        device: str,
        precision: Precision,
        threads: int | None = None,
    ) -> None:
        """A network on a device; `threads`, if given, holds for all that PyTorch does."""
        self._torch = require("torch", feature="RetinaFace in PyTorch", extra="passify")
        if threads is not None:
            self._torch.set_num_threads(threads)
        from pass_dataset.passify.detectors.retinaface.network import fold_norms, load_network

        self._device = self._torch.device(device)
        self._dtype = getattr(self._torch, precision)
        self._mean = self._torch.tensor(MEAN_BGR, dtype=self._torch.float32, device=self._device)
        network: Any = load_network(weights.path)
        fold_norms(network)
        self._network = network.to(
            device=self._device, dtype=self._dtype, memory_format=self._torch.channels_last
        )

    def run(self, images: Sequence[Array]) -> Output:
        torch = self._torch
        pixels = torch.from_numpy(np.stack(images))
        if self._device.type == "cuda":
            pixels = pixels.pin_memory().to(self._device, non_blocking=True)
        with torch.inference_mode():
            # Without a copy, H×W×3 is what PyTorch calls channels last.
            levels = self._network(
                (pixels.float() - self._mean).to(self._dtype).permute(0, 3, 1, 2)
            )
            arrays = [level.float().contiguous().cpu().numpy() for level in levels]
        return [list(image) for image in zip(*arrays, strict=True)]
