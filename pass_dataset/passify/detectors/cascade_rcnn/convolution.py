"""Convolutions with their batch norm folded in.

In evaluation a frozen batch norm is a scale and a shift of each channel, so it is part of the
weights: folded once, in float64, it costs nothing later. Features are `channels_last` throughout.

On the CPU, oneDNN is called through the operations that torch's own compiler emits for it. They
take weights packed once, and add, and clip at zero, while the output is still in the processor's
cache. The plain form does the same in three steps, on other devices and where torch has not these
operations. Convolutions of 3×3 go by Winograd's method where that is faster: see `choice`.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch.nn import functional

from pass_dataset.passify.detectors.cascade_rcnn.memory import empty_map, is_large
from pass_dataset.passify.detectors.cascade_rcnn.winograd import WinogradConvolution

__all__ = ["Convolution", "Convolutions", "Linear", "folded"]

#: Added to the variance of batch norms (detectron2's FrozenBatchNorm2d).
EPSILON = 1e-5

#: What the network makes of 500×375 pixels, padded: height and width.
TYPICAL_PX = (800, 1088)
#: Regions of an image, that fully connected layers get.
TYPICAL_REGIONS = 1000
#: Inputs of a fully connected layer that are multiplied together; more go in parts, which are
#: added. All 12,544 at once took oneDNN 182 ms for 1000 regions with AVX2, 118 ms with AVX-512;
#: parts of 1568 took 122 and 124 ms.
PART_INPUTS = 1600
#: Stride of maps in the middle of the network.
TYPICAL_STRIDE = 8


class Convolution(Protocol):
    """A convolution with bias."""

    def __call__(
        self, x: torch.Tensor, *, relu: bool = False, added: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Convolves N×C×H×W; adds `added`, whose memory it may use; clips at zero if `relu`."""


class Linear(Protocol):
    """A fully connected layer with bias."""

    def __call__(self, x: torch.Tensor, *, relu: bool = False) -> torch.Tensor:
        """R×O of R×C; clips at zero if `relu`."""


def folded(
    parameters: Mapping[str, np.ndarray[Any, Any]], name: str
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Weight and bias of a convolution, float32, with its batch norm if it has one."""
    weight = parameters[f"{name}.weight"]
    if f"{name}.bias" in parameters:
        return weight.astype(np.float32), parameters[f"{name}.bias"].astype(np.float32)
    gain, shift, mean, variance = (
        parameters[f"{name}.norm.{part}"].astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gain / np.sqrt(variance + EPSILON)
    scaled = weight.astype(np.float64) * scale[:, None, None, None]
    return scaled.astype(np.float32), (shift - mean * scale).astype(np.float32)


class Convolutions:
    """Makes the convolutions of a network for one device and arithmetic.

    Args:
      parameters: all parameters by name.
      device: where the network runs.
      dtype: what it computes in.
      winograd_channels: convolutions of 3×3 with so many channels, in as out, go by Winograd's
        method, in float32 on the CPU; it takes ncnn.
    """

    def __init__(
        self,
        parameters: Mapping[str, np.ndarray[Any, Any]],
        device: torch.device,
        dtype: torch.dtype,
        winograd_channels: Collection[int] = (),
    ) -> None:
        self.parameters = parameters
        self.device = device
        self.dtype = dtype
        self._winograd_channels = winograd_channels
        self._packs = device.type == "cpu" and dtype == torch.float32 and _packing_works()

    def named(self, name: str, stride: int = 1, *, at: int = TYPICAL_STRIDE) -> Convolution:
        """The convolution of that name, padded so that its stride alone makes the map smaller.

        Args:
          name: of its parameters.
          stride: its own.
          at: stride of the map that it mostly gets; it takes others too.
        """
        return self.of(*folded(self.parameters, name), stride, at=at)

    def of(
        self,
        weight: np.ndarray[Any, Any],
        bias: np.ndarray[Any, Any],
        stride: int = 1,
        *,
        at: int = TYPICAL_STRIDE,
    ) -> Convolution:
        """A convolution of float32 weights, O×C×K×K with odd K, and bias, O; see `named`."""
        outputs, inputs, side, _ = weight.shape
        if side == 3 and stride == 1 and outputs == inputs in self._winograd_channels:
            return WinogradConvolution(weight, bias)
        parameters = self._kernels(weight), self._tensor(bias)
        if self._packs:
            height, width = TYPICAL_PX
            return _PackedConvolution(*parameters, stride, (-(-height // at), -(-width // at)))
        return _PlainConvolution(*parameters, stride)

    def linear(self, weight: np.ndarray[Any, Any], bias: np.ndarray[Any, Any]) -> Linear:
        """A fully connected layer of float32 weights, O×C, and bias, O."""
        if self._packs:
            count = -(-weight.shape[1] // PART_INPUTS)
            kernels = np.array_split(weight[:, :, None, None], count, 1)
            biases = [bias, *[np.zeros_like(bias)] * (count - 1)]  # it is added once
            return _PackedLinear(
                [
                    _PackedConvolution(
                        self._kernels(part), self._tensor(shift), 1, (TYPICAL_REGIONS, 1)
                    )
                    for part, shift in zip(kernels, biases, strict=True)
                ]
            )
        return _PlainLinear(self._tensor(weight), self._tensor(bias))

    def _kernels(self, weight: np.ndarray[Any, Any]) -> torch.Tensor:
        return self._tensor(weight).contiguous(memory_format=torch.channels_last)

    def _tensor(self, array: np.ndarray[Any, Any]) -> torch.Tensor:
        # A copy: the checkpoint's memory is read-only, and is to be let go of.
        return torch.tensor(array, dtype=self.dtype, device=self.device)


class _PlainConvolution:
    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, stride: int) -> None:
        self._weight, self._bias, self._stride = weight, bias, stride
        self._padding = weight.shape[-1] // 2

    def __call__(
        self, x: torch.Tensor, *, relu: bool = False, added: torch.Tensor | None = None
    ) -> torch.Tensor:
        y = functional.conv2d(x, self._weight, self._bias, self._stride, self._padding)
        if added is not None:
            y = y.add_(added)
        return y.relu_() if relu else y


class _PlainLinear:
    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        self._weight, self._bias = weight, bias

    def __call__(self, x: torch.Tensor, *, relu: bool = False) -> torch.Tensor:
        y = functional.linear(x.to(self._weight.dtype), self._weight, self._bias)
        return y.relu_() if relu else y


class _PackedLinear:
    # As a convolution of 1×1 over a map that is one pixel wide: oneDNN's is 15 to 20 % faster than
    # the product of matrices that torch asks MKL for, on an AMD EPYC with AVX-512.
    def __init__(self, parts: Sequence[_PackedConvolution]) -> None:
        self._parts = parts  # of the inputs, in order

    def __call__(self, x: torch.Tensor, *, relu: bool = False) -> torch.Tensor:
        regions = len(x)
        if not regions:  # oneDNN knows no empty maps
            return x.new_empty(0, self._parts[0].channels)
        y: torch.Tensor | None = None
        inputs = torch.split(x, [part.inputs for part in self._parts], 1)
        for part, some in zip(self._parts, inputs, strict=True):
            column = some.contiguous().view(1, regions, 1, part.inputs).permute(0, 3, 1, 2)
            y = part(column, relu=relu and part is self._parts[-1], added=y)
        assert y is not None
        return y.permute(0, 2, 3, 1).reshape(regions, -1)


class _PackedConvolution:
    # oneDNN picks its layout of the weights for a size of input. Others work as well, for a price:
    # where another layout is the right one, it is made anew each time. 512 to 2048 channels at
    # stride 32 took 92 ms with the layout for stride 8, and 21 ms with that for their own.
    def __init__(
        self, weight: torch.Tensor, bias: torch.Tensor, stride: int, shape: tuple[int, int]
    ) -> None:
        padding = weight.shape[-1] // 2
        #: Padding, stride, dilation and groups, as the operations take them.
        self._geometry = ([padding] * 2, [stride] * 2, [1, 1], 1)
        self._weight = torch.ops.aten.mkldnn_reorder_conv2d_weight(
            weight.to_mkldnn(), *self._geometry, [1, weight.shape[1], *shape]
        )
        self._bias = bias
        #: Of the output.
        self.channels = len(bias)
        #: Channels of the input.
        self.inputs = int(weight.shape[1])

    def __call__(
        self, x: torch.Tensor, *, relu: bool = False, added: torch.Tensor | None = None
    ) -> torch.Tensor:
        arguments = (x, self._weight, self._bias, *self._geometry)
        unary = "relu" if relu else None
        shape = self._shape_of(x)
        if added is None and is_large(shape):
            # The operation knows no memory for its output but that of what is added.
            added = empty_map(shape, x).zero_()
        y: torch.Tensor
        if added is None:
            y = torch.ops.mkldnn._convolution_pointwise(*arguments, unary or "none", [], "")
            return y
        y = torch.ops.mkldnn._convolution_pointwise_.binary(
            added, *arguments, "add", 1.0, unary, [], ""
        )
        return y

    def _shape_of(self, x: torch.Tensor) -> tuple[int, int, int, int]:
        """Of the output."""
        images, _, height, width = x.shape
        stride = self._geometry[1][0]
        # Padded so that the stride alone makes it smaller.
        return images, self.channels, -(-height // stride), -(-width // stride)


@functools.cache
def _packing_works() -> bool:
    """Whether this torch has oneDNN's fused operations; they are no part of its public API."""
    generator = torch.Generator().manual_seed(0)
    x, added = torch.randn(2, 1, 8, 4, 4, generator=generator).unbind()
    x, added = (t.contiguous(memory_format=torch.channels_last) for t in (x, added))
    weight, bias = torch.randn(8, 8, 3, 3, generator=generator), torch.zeros(8)
    expected = _PlainConvolution(weight, bias, 1)
    try:
        packed = _PackedConvolution(weight, bias, 1, (4, 4))
        return all(
            torch.allclose(
                packed(x, relu=relu, added=None if other is None else other.clone()),
                expected(x, relu=relu, added=other),
                atol=1e-4,
            )
            for relu in (False, True)
            for other in (None, added)
        )
    except (AttributeError, RuntimeError, TypeError):
        return False
