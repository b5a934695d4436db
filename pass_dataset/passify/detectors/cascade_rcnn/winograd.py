"""Convolutions of 3×3 by Winograd's method, computed by ncnn.

They are most of the network, and oneDNN multiplies as often as their definition does. By
F(4×4, 3×3) (Lavin & Gray 2016) it takes a quarter of the multiplications. Results differ by 2e-5 of
their spread; with AVX2, ncnn took 0.4 to 0.8 times as long as oneDNN, least with many channels.

ncnn has channels in packs of as many as the processor computes at once. A map is convolved in bands
of rows, each by one thread: a band is laid out so, with its padding, is convolved, and is laid back
while it still is in the processor's cache.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch

from pass_dataset.extras import require
from pass_dataset.passify.detectors.cascade_rcnn.memory import empty_map
from pass_dataset.passify.detectors.ncnn_nets import NcnnMemory, load_net

__all__ = ["WinogradConvolution"]

#: Rows of output that are computed together; bands end with such.
TILE_ROWS = 4

#: Bytes of a band's input. Larger ones leave the cache, smaller ones read the weights more often.
BAND_BYTES = 3_000_000

#: The other forms that ncnn has for 3×3, which took 1.3 to 1.8 times as long.
_OTHER_FORMS = ("use_winograd23_convolution", "use_winograd63_convolution")

Array = np.ndarray[Any, Any]


class WinogradConvolution:
    """A convolution of 3×3 with stride 1, padded with a pixel of zeros, on the CPU.

    Args:
      weight: O×C×3×3 float32, O and C multiples of 16.
      bias: O.
    """

    def __init__(self, weight: Array, bias: Array) -> None:
        self._outputs, self._inputs = len(weight), int(weight.shape[1])
        self._net = _net(weight, bias)
        self._lanes = _lanes()
        # Asked for here: threads that ask for it first, all at once, would get one each, which
        # would be freed with the call, before the matrices that lie in it.
        self._memory = _memory()
        #: What NumPy copies as one value. As numbers, with a loop for each pack, it took 3 times as
        #: long to lay a band out.
        self._pack = np.dtype((np.void, 4 * self._lanes))

    def __call__(
        self, x: torch.Tensor, *, relu: bool = False, added: torch.Tensor | None = None
    ) -> torch.Tensor:
        images, _, height, width = x.shape
        y = empty_map((images, self._outputs, height, width), x)
        source, target = (t.permute(0, 2, 3, 1).contiguous().numpy() for t in (x, y))
        threads = torch.get_num_threads()
        rows = self._rows(height, width, threads)

        def convolve(band: tuple[int, int]) -> None:
            image, top = band
            # What is added comes before the clipping.
            self._convolve(source[image], target[image], top, rows, relu and added is None)

        bands = [(image, top) for image in range(images) for top in range(0, height, rows)]
        alone = min(threads, len(bands)) == 1
        done: Iterable[None] = (map if alone else _pool(threads, os.getpid()).map)(convolve, bands)
        for _ in done:
            pass
        if added is None:
            return y
        y = added.add_(y)
        return y.relu_() if relu else y

    def _rows(self, height: int, width: int, threads: int) -> int:
        """Rows of a band; no result depends on it."""
        fitting = BAND_BYTES // (4 * self._inputs * (width + 2))
        share = -(-height // threads)
        tiles = -(-min(fitting, share) // TILE_ROWS)
        return int(max(1, tiles)) * TILE_ROWS

    def _convolve(self, source: Array, target: Array, top: int, rows: int, relu: bool) -> None:
        """Convolves rows from `top` on of H×W×C `source` into those of H×W×O `target`."""
        target = target[top : top + rows]
        memory = self._memory
        with self._net.create_extractor() as extractor:
            memory.lend(extractor)
            extractor.input("x", self._band(memory, source, top, len(target)))
            failed, found = extractor.extract("y", 1)
        if failed:
            raise MemoryError(f"ncnn has no room for a convolution (error {failed})")
        packs = _packs(found)
        if relu:
            np.maximum(packs, 0, out=packs)
        here = packs.reshape(-1, *target.shape[:2], self._lanes).view(self._pack)[..., 0]
        there = target.view(self._pack)
        for row in range(len(there)):
            there[row] = here[:, row].T

    def _band(self, memory: _BandMemory, source: Array, top: int, rows: int) -> Any:
        """ncnn's matrix of rows of H×W×C and of the pixels around them."""
        height, width, inputs = source.shape
        lanes = self._lanes
        packs = memory.floats(inputs // lanes, rows + 2, (width + 2) * lanes)
        here = packs.reshape(*packs.shape[:2], width + 2, lanes).view(self._pack)[..., 0]
        first, last = max(top - 1, 0), min(top + rows + 1, height)
        skipped = first - (top - 1)
        end = skipped + last - first
        zero = np.zeros((), self._pack)
        here[:, :skipped] = here[:, end:] = here[:, :, 0] = here[:, :, -1] = zero
        there = source[first:last].view(self._pack)
        for row in range(len(there)):
            here[:, skipped + row, 1:-1] = there[row].T
        return _matrix(packs, lanes)


class _BandMemory(NcnnMemory):
    """What a thread lays bands out in, and what ncnn computes them in."""

    def __init__(self, ncnn: Any) -> None:
        super().__init__(ncnn)
        self._floats = torch.empty(0)

    def floats(self, *shape: int) -> Array:
        """An array of float32; until the next one is asked for."""
        size = int(np.prod(shape))
        if self._floats.numel() < size:
            # Torch's memory begins where ncnn wants it, NumPy's need not.
            self._floats = torch.empty(size)
        return self._floats.numpy()[:size].reshape(shape)


def _matrix(packs: Array, lanes: int) -> Any:
    """C/p×H×(W·p) as ncnn's matrix of packs of p channels, in the same memory."""
    matrix = _ncnn().Mat(packs)
    if lanes > 1:
        matrix.w //= lanes
        matrix.cstep //= lanes
        matrix.elemsize, matrix.elempack = 4 * lanes, lanes
    return matrix


def _packs(matrix: Any) -> Array:
    """The other way round."""
    lanes = matrix.elempack
    if lanes > 1:
        matrix.w *= lanes
        matrix.cstep *= lanes
        matrix.elemsize, matrix.elempack = 4, 1
    return np.asarray(matrix)


def _net(weight: Array, bias: Array) -> Any:
    layers = (
        "7767517\n2 2\nInput pixels 0 1 x\n"
        # Outputs, side of the kernel, a bias, number of weights; the padding comes with the band.
        f"Convolution convolution 1 1 x y 0={len(weight)} 1=3 5=1 6={weight.size}\n"
    )
    # Four zeros: weights of float32.
    content = bytes(4) + weight.astype("<f4").tobytes() + bias.astype("<f4").tobytes()
    return load_net(_ncnn(), layers, content, without=_OTHER_FORMS)


@functools.cache
def _lanes() -> int:
    """Channels in a pack: what ncnn makes of a map of 16 channels. 8 with AVX2, 16 with AVX-512."""
    net = _net(np.zeros((16, 16, 3, 3), np.float32), np.zeros(16, np.float32))
    pixels = torch.zeros(16, 4, 4)
    with net.create_extractor() as extractor:
        extractor.input("x", _matrix(pixels.numpy(), 1))
        _, found = extractor.extract("y", 1)
        lanes = int(found.elempack)
    if lanes % 4:
        raise RuntimeError(f"ncnn packs {lanes} channels; expected a multiple of 4")
    return lanes


@functools.cache
def _memory() -> _BandMemory:
    return _BandMemory(_ncnn())


@functools.cache
def _pool(threads: int, _process: int) -> ThreadPoolExecutor:
    """Threads; of each process its own, as none outlives a fork."""
    return ThreadPoolExecutor(threads, "bands")


@functools.cache
def _ncnn() -> Any:
    return require("ncnn", feature="Winograd's method", extra="passify")
