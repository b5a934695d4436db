"""ResNet-50 and the feature pyramid (He et al. 2016; Lin et al. 2017)."""

from __future__ import annotations

import torch
from torch.nn import functional

from pass_dataset.passify.detectors.cascade_rcnn.convolution import Convolutions
from pass_dataset.passify.detectors.cascade_rcnn.memory import empty_map
from pass_dataset.passify.detectors.cascade_rcnn.parameters import BLOCKS, LEVELS

__all__ = ["Backbone"]


class _Block:
    """Bottleneck whose stride is in its first convolution (RESNETS.STRIDE_IN_1X1)."""

    def __init__(
        self, convolutions: Convolutions, name: str, stride: int, widens: bool, at: int
    ) -> None:
        before = at // stride
        self._conv1 = convolutions.named(f"{name}.conv1", stride, at=before)
        self._conv2 = convolutions.named(f"{name}.conv2", at=at)
        self._conv3 = convolutions.named(f"{name}.conv3", at=at)
        self._shortcut = (
            convolutions.named(f"{name}.shortcut", stride, at=before) if widens else None
        )

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        y = self._conv2(self._conv1(x, relu=True), relu=True)
        # Without a shortcut the memory of the input is used: that is the output of the block
        # before, of the same stage, which nothing else needs.
        return self._conv3(y, relu=True, added=self._shortcut(x) if self._shortcut else x)


class Backbone:
    """Images to the features of five levels, of 256 channels each."""

    def __init__(self, convolutions: Convolutions) -> None:
        bottom_up = "backbone.bottom_up"
        self._stem = convolutions.named(f"{bottom_up}.stem.conv1", stride=2, at=1)
        self._stages = [
            [
                _Block(
                    convolutions,
                    f"{bottom_up}.res{level}.{block}",
                    stride=2 if level > LEVELS[0] and block == 0 else 1,
                    widens=block == 0,
                    at=2**level,
                )
                for block in range(blocks)
            ]
            for level, blocks in zip(LEVELS, BLOCKS, strict=True)
        ]
        self._laterals, self._outputs = (
            [convolutions.named(f"backbone.fpn_{name}{level}", at=2**level) for level in LEVELS]
            for name in ("lateral", "output")
        )

    def __call__(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Features p2 … p6, N×256×H/s×W/s with strides s of 4 to 64.

        Args:
          images: N×3×H×W, BGR without the mean; H and W multiples of 32.
        """
        x = functional.max_pool2d(self._stem(images, relu=True), 3, 2, 1)
        bottom_up = []
        for blocks in self._stages:
            for block in blocks:
                x = block(x)
            bottom_up.append(x)
        return self._top_down(bottom_up)

    def _top_down(self, bottom_up: list[torch.Tensor]) -> list[torch.Tensor]:
        pyramid: list[torch.Tensor] = []
        above: torch.Tensor | None = None
        while bottom_up:
            x = bottom_up.pop()  # and so let go of it
            position = len(bottom_up)
            above = self._laterals[position](x, added=None if above is None else _doubled(above))
            pyramid.insert(0, self._outputs[position](above))
        # p6 is every other pixel of p5.
        pyramid.append(functional.max_pool2d(pyramid[-1], 1, 2))
        return pyramid


def _doubled(x: torch.Tensor) -> torch.Tensor:
    """A map with each pixel four times, as `interpolate` makes it of the nearest."""
    images, channels, height, width = x.shape
    y = empty_map((images, channels, 2 * height, 2 * width), x)
    y.view(images, channels, height, 2, width, 2).copy_(x[:, :, :, None, :, None])
    return y
