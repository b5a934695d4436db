"""RetinaFace in PyTorch, with the names of parameters of the published checkpoints.

Networks: "RetinaFace: Single-stage Dense Face Localisation in the Wild" (Deng et al., CVPR 2020)
as in the PyTorch code published with PASS: MobileNet-0.25 with 64 channels in the pyramid, and
ResNet-50 with 256. Landmarks are not computed: nothing in the filter asks for them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pass_dataset.errors import WeightsError
from pass_dataset.torch.checkpoints import read_checkpoint

__all__ = [
    "Backbone",
    "Bottleneck",
    "Context",
    "MobileNet",
    "Network",
    "ResNet",
    "fold_norms",
    "load_network",
]

_ANCHORS = 2
_LANDMARKS = 5


def _convolution(
    inputs: int,
    outputs: int,
    size: int = 3,
    stride: int = 1,
    *,
    leak: float | None = 0.0,
    groups: int = 1,
) -> list[nn.Module]:
    """Convolution, batch norm, and an activation unless `leak` is None."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if leak is not None:
        layers.append(nn.LeakyReLU(leak) if leak else nn.ReLU())
    return layers


def _separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A depthwise convolution, then one over channels."""
    return nn.Sequential(
        *_convolution(inputs, inputs, stride=stride, leak=0.1, groups=inputs),
        *_convolution(inputs, outputs, size=1, leak=0.1),
    )


class Backbone(nn.Module):
    """Gives features at strides 8, 16 and 32."""

    #: Channels of the three.
    channels: tuple[int, int, int]

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        raise NotImplementedError


class MobileNet(Backbone):
    """MobileNet v1 with a quarter of the channels."""

    channels = (64, 128, 256)

    def __init__(self) -> None:
        super().__init__()
        self.stage1 = nn.Sequential(
            nn.Sequential(*_convolution(3, 8, stride=2, leak=0.1)),
            _separable(8, 16),
            _separable(16, 32, stride=2),
            _separable(32, 32),
            _separable(32, 64, stride=2),
            _separable(64, 64),
        )
        self.stage2 = nn.Sequential(
            _separable(64, 128, stride=2), *(_separable(128, 128) for _ in range(5))
        )
        self.stage3 = nn.Sequential(_separable(128, 256, stride=2), _separable(256, 256))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.stage1(pixels)
        middle = self.stage2(fine)
        return fine, middle, self.stage3(middle)


class Bottleneck(nn.Module):
    """Three convolutions beside a shortcut; the stride is in the second (ResNet v1.5)."""

    def __init__(self, inputs: int, inner: int, stride: int) -> None:
        super().__init__()
        outputs = 4 * inner
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, features: Tensor) -> Tensor:
        shortcut = features if self.downsample is None else self.downsample(features)
        inner = functional.relu(self.bn1(self.conv1(features)))
        inner = functional.relu(self.bn2(self.conv2(inner)))
        return functional.relu(self.bn3(self.conv3(inner)) + shortcut)


class ResNet(Backbone):
    """ResNet-50 without its classifier."""

    channels = (512, 1024, 2048)

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = self._layer(64, 64, 3, stride=1)
        self.layer2 = self._layer(256, 128, 4, stride=2)
        self.layer3 = self._layer(512, 256, 6, stride=2)
        self.layer4 = self._layer(1024, 512, 3, stride=2)

    @staticmethod
    def _layer(inputs: int, inner: int, blocks: int, stride: int) -> nn.Sequential:
        first = Bottleneck(inputs, inner, stride)
        return nn.Sequential(first, *(Bottleneck(4 * inner, inner, 1) for _ in range(blocks - 1)))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = functional.max_pool2d(functional.relu(self.bn1(self.conv1(pixels))), 3, 2, 1)
        fine = self.layer2(self.layer1(features))
        middle = self.layer3(fine)
        return fine, middle, self.layer4(middle)


class Pyramid(nn.Module):
    """Features of all strides with the same number of channels, the coarse ones added to the fine.

    With 64 channels or fewer activations leak by 0.1 here and in `Context`, else they do not.
    """

    def __init__(self, inputs: tuple[int, int, int], outputs: int) -> None:
        super().__init__()
        leak = _leak(outputs)
        self.output1 = nn.Sequential(*_convolution(inputs[0], outputs, size=1, leak=leak))
        self.output2 = nn.Sequential(*_convolution(inputs[1], outputs, size=1, leak=leak))
        self.output3 = nn.Sequential(*_convolution(inputs[2], outputs, size=1, leak=leak))
        self.merge1 = nn.Sequential(*_convolution(outputs, outputs, leak=leak))
        self.merge2 = nn.Sequential(*_convolution(outputs, outputs, leak=leak))

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> tuple[Tensor, ...]:
        coarse = self.output3(coarse)
        middle = self.output2(middle)
        middle = self.merge2(middle + functional.interpolate(coarse, size=middle.shape[2:]))
        fine = self.output1(fine)
        return (
            self.merge1(fine + functional.interpolate(middle, size=fine.shape[2:])),
            middle,
            coarse,
        )


class Context(nn.Module):
    """Three fields of view side by side (SSH: 3×3, 5×5 and 7×7 by convolutions of 3×3)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half, quarter, leak = channels // 2, channels // 4, _leak(channels)
        self.conv3X3 = nn.Sequential(*_convolution(channels, half, leak=None))
        self.conv5X5_1 = nn.Sequential(*_convolution(channels, quarter, leak=leak))
        self.conv5X5_2 = nn.Sequential(*_convolution(quarter, quarter, leak=None))
        self.conv7X7_2 = nn.Sequential(*_convolution(quarter, quarter, leak=leak))
        self.conv7x7_3 = nn.Sequential(*_convolution(quarter, quarter, leak=None))

    def forward(self, features: Tensor) -> Tensor:
        shared = self.conv5X5_1(features)
        wide, wider = self.conv5X5_2(shared), self.conv7x7_3(self.conv7X7_2(shared))
        return functional.relu(torch.cat([self.conv3X3(features), wide, wider], dim=1))


class Head(nn.Module):
    """A convolution of 1×1 that the checkpoint keeps under a name of its own."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.conv1x1 = nn.Conv2d(channels, outputs, 1)

    def forward(self, features: Tensor) -> Tensor:
        return cast(Tensor, self.conv1x1(features))


class Network(nn.Module):
    """RetinaFace over one of the backbones."""

    def __init__(self, body: Backbone, channels: int) -> None:
        super().__init__()
        self.body = body
        self.fpn = Pyramid(body.channels, channels)
        self.ssh1, self.ssh2, self.ssh3 = (Context(channels) for _ in range(3))
        self.ClassHead, self.BboxHead, self.LandmarkHead = (
            nn.ModuleList(Head(channels, _ANCHORS * values) for _ in range(3))
            for values in (2, 4, 2 * _LANDMARKS)
        )

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Scores and boxes at three strides.

        Args:
          pixels: N×3×H×W, BGR, less the mean.

        Returns:
          For each of the strides 8, 16 and 32: N×10×h×w, of which the first two are how much more
          a face is likely than none (difference of the two classes' logits) for the anchors of the
          place, the next eight their boxes, four numbers each.
        """
        fine, middle, coarse = self.fpn(*self.body(pixels))
        levels = self.ssh1(fine), self.ssh2(middle), self.ssh3(coarse)
        outputs = []
        for features, classes, boxes in zip(levels, self.ClassHead, self.BboxHead, strict=True):
            logits = classes(features)
            outputs.append(torch.cat([logits[:, 1::2] - logits[:, 0::2], boxes(features)], dim=1))
        return tuple(outputs)


def _leak(channels: int) -> float:
    return 0.1 if channels <= 64 else 0.0


def build_network(names: set[str]) -> Network:
    """The network, without weights, that has parameters of these names."""
    if any(name.startswith("body.stage1.") for name in names):
        return Network(MobileNet(), 64)
    return Network(ResNet(), 256)


def load_network(path: Path) -> Network:
    """The network of a published checkpoint, for inference.

    Raises:
      WeightsError: the file is no such checkpoint, or holds anything but tensors.
    """
    content = read_checkpoint(path)
    state = content.get("state_dict", content)
    if not isinstance(state, Mapping) or not _are_parameters(state.values()):
        raise WeightsError(f"{path}: expected the parameters of a network, found something else")
    state = {str(name).removeprefix("module."): value for name, value in state.items()}
    network = build_network(set(state))
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        first = " ".join(str(error).split())[:300]
        raise WeightsError(f"{path}: not the parameters of RetinaFace: {first}") from error
    return network.eval().requires_grad_(False)


def fold_norms(module: nn.Module) -> None:
    """Works each batch norm into the convolution before it.

    That is faster, and needed for less than float32: variances of the published networks are as
    small as 6e-6, which float16 does not hold.
    """
    children = list(module.named_children())
    for _, child in children:
        fold_norms(child)
    for (name, conv), (norm_name, norm) in pairwise(children):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(conv, norm))
            setattr(module, norm_name, nn.Identity())


def _are_parameters(values: Collection[object]) -> bool:
    return bool(values) and all(isinstance(value, Tensor) for value in values)
