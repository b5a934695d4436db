"""A network that is ready to run: by ncnn or ONNX Runtime on CPUs, by PyTorch anywhere.

A runtime takes images and gives, for each image and stride, the network's output.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

from pass_dataset.extras import require
from pass_dataset.passify.detectors.devices import require_device
from pass_dataset.passify.detectors.ncnn_nets import NcnnMemory, load_net
from pass_dataset.passify.detectors.retinaface.graph_cache import (
    cached_ncnn_graph,
    cached_onnx_graph,
)
from pass_dataset.passify.detectors.retinaface.interface import INPUT_NAME, MEAN_BGR, OUTPUT_NAMES
from pass_dataset.passify.detectors.settings import Precision
from pass_dataset.passify.detectors.weights.store import VerifiedWeights

__all__ = ["NcnnRuntime", "OnnxRuntime", "Runtime", "TorchRuntime"]

#: Images above this give the memory of their run back; ONNX Runtime would keep it.
_LARGE_PIXELS = 4_000_000

Array = np.ndarray[Any, Any]
#: Images above this are computed by ncnn in memory that is given back after each of the first
#: layers: 44 bytes a pixel at most, where it would else take 77 and keep them for the next image.
#: PASS has images of 500 pixels a side at most, which gain from memory that is kept.
_NCNN_LARGE_PIXELS = 400_000

#: For each image, for each stride: float32 10×h×w.
Output = Iterable[list[Array]]


class Runtime(Protocol):
    """Computes the network's output."""

    @property
    def takes_any_sizes(self) -> bool:
        """Whether images given to `run` may differ in size. If so, any number is as good."""

    def run(self, images: Sequence[Array]) -> Output:
        """Output for images of H×W×3 uint8 BGR."""


class NcnnRuntime:
    """The network as ncnn's graph in float32; each image is computed by one thread.

    ncnn computes convolutions of 3×3 by Winograd's method, which ONNX Runtime does not: on one core
    with AVX-512 an image of 500×375 takes 7 ms here and 10 ms there, ResNet-50 0.30 s and 0.40 s.
    The graph is made once and kept in the user's cache. It takes PyTorch to make it, not to run it.
    Threads may share a runtime.
    """

    takes_any_sizes = True

    def __init__(self, weights: VerifiedWeights, threads: int) -> None:
        """A network; of several images, as many as `threads` are computed side by side."""
        self._ncnn = require("ncnn", feature="RetinaFace by ncnn", extra="passify")
        graph = cached_ncnn_graph(weights)
        self._margin = graph.margin
        self._steps = graph.steps
        self._memory = NcnnMemory(self._ncnn)
        self._net = load_net(self._ncnn, graph.text, graph.weights)
        self._pool = ThreadPoolExecutor(threads, "ncnn") if threads > 1 else None

    def run(self, images: Sequence[Array]) -> Output:
        if self._pool is None or len(images) == 1:
            return map(self._run, images)
        return self._pool.map(self._run, images)

    def _run(self, image: Array) -> list[Array]:
        height, width = image.shape[0] + 2 * self._margin, image.shape[1] + 2 * self._margin
        pixels = _framed(image, self._margin, np.empty((height, width, 3), np.uint8))
        is_large = height * width > _NCNN_LARGE_PIXELS
        kind, memory = self._ncnn.Mat.PixelType.PIXEL_BGR, self._memory
        matrix = self._ncnn.Mat.from_pixels(pixels, kind, width, height, memory.blobs)
        del pixels
        try:
            with self._net.create_extractor() as extractor:
                memory.lend(extractor)
                extractor.input(INPUT_NAME, matrix)
                del matrix
                for name in self._steps if is_large else []:
                    self._extract(extractor, name, packed=True)
                    memory.give_back()
                return [np.array(self._extract(extractor, name)) for name in OUTPUT_NAMES]
        finally:
            if is_large:
                memory.give_back()

    @staticmethod
    def _extract(extractor: Any, name: str, *, packed: bool = False) -> Any:
        """Features as ncnn's matrix; packed, as they were computed."""
        failed, features = extractor.extract(name, int(packed))
        if failed:
            raise MemoryError(f"ncnn has no room for {name} (error {failed})")
        return features


class OnnxRuntime:
    """The network as an ONNX graph in float32.

    The graph is made once and kept in the user's cache. It takes PyTorch to make it, not to run it.
    """

    takes_any_sizes = False

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
        graph, self._margin = cached_onnx_graph(weights)
        self._session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def run(self, images: Sequence[Array]) -> Output:
        height, width = images[0].shape[:2]
        margin = self._margin
        pixels = np.empty((len(images), height + 2 * margin, width + 2 * margin, 3), np.uint8)
        for position, image in enumerate(images):
            _framed(image, margin, pixels[position])
        large = len(images) * height * width > _LARGE_PIXELS
        levels = self._session.run(
            None, {INPUT_NAME: pixels}, self._large if large else self._small
        )
        return [list(image) for image in zip(*levels, strict=True)]


class TorchRuntime:
    """The network in PyTorch, on a device and in a precision."""

    takes_any_sizes = False

    def __init__(
        self,
        weights: VerifiedWeights,
        device: str,
        precision: Precision,
        threads: int | None = None,
    ) -> None:
        """A network on a device; `threads`, if given, holds for all that PyTorch does.

        Raises:
          DetectorError: there is no such device.
        """
        self._torch = require("torch", feature="RetinaFace in PyTorch", extra="passify")
        require_device(device)
        if threads is not None:
            self._torch.set_num_threads(threads)
        # Torch comes with them.
        from pass_dataset.passify.detectors.retinaface.network import fold_norms, load_network
        from pass_dataset.torch.inference import inference, sizes_of_all_kinds

        self._inference, self._sizes_of_all_kinds = inference, sizes_of_all_kinds

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
        with self._inference(), self._sizes_of_all_kinds():
            # Without a copy, H×W×3 is what PyTorch calls channels last.
            levels = self._network(
                (pixels.float() - self._mean).to(self._dtype).permute(0, 3, 1, 2)
            )
            arrays = [level.float().contiguous().cpu().numpy() for level in levels]
        return [list(image) for image in zip(*arrays, strict=True)]


def _framed(image: Array, margin: int, framed: Array) -> Array:
    """`framed`, filled with the image and a margin around it.

    The margin has the colour that is zero once the mean is subtracted: the network's own padding.
    """
    for edge in (slice(None, margin), slice(-margin, None)):
        framed[edge] = MEAN_BGR
        framed[:, edge] = MEAN_BGR
    framed[margin:-margin, margin:-margin] = image
    return framed
