"""The network as a graph of some runtime's layers, written layer by layer.

Every graph folds batch norms into convolutions, works the mean into the first one, and has one head
a level in place of two. Here is the way through the network; a subclass writes the layers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from torch import nn

from pass_dataset.passify.detectors.retinaface.network import (
    Bottleneck,
    Context,
    MobileNet,
    Network,
    ResNet,
)
from pass_dataset.passify.detectors.retinaface.parameters import (
    Kernel,
    filled,
    folded,
    joined_heads,
    pixel_kernel,
)

__all__ = ["Graph", "leak_of"]


class Graph(ABC):
    """A graph in the making; methods add layers and return the names of their outputs.

    `leak` is the activation behind a layer: None for none, 0.0 for ReLU, else for a leaky ReLU.
    """

    def __init__(self, lanes: int = 1) -> None:
        """Args:
        lanes: channels that features of the backbone have at least; zeros fill them up.
        """
        self._lanes = lanes

    def _network(self, network: Network) -> list[str]:
        """All of it; returns the outputs of `Network`."""
        fine, middle, coarse = self._body(network)
        pyramid = network.fpn
        coarse = self._block(coarse, pyramid.output3)
        middle = self._block(middle, pyramid.output2)
        middle = self._block(self._add(middle, self._enlarge(coarse, middle)), pyramid.merge2)
        fine = self._block(fine, pyramid.output1)
        fine = self._block(self._add(fine, self._enlarge(middle, fine)), pyramid.merge1)
        outputs = []
        contexts = (network.ssh1, network.ssh2, network.ssh3)
        for level, features in enumerate((fine, middle, coarse)):
            context = self._context(features, contexts[level])
            outputs.append(self._convolve(context, joined_heads(network, level)))
        return outputs

    # --- parts of the network ---------------------------------------------------------------------

    def _body(self, network: Network) -> tuple[str, str, str]:
        body = network.body
        if isinstance(body, MobileNet):
            first: Any = body.stage1[0]
            features = self._first(first[0], first[1], leak_of(first))
            fine = self._separables(features, list(body.stage1)[1:])
            middle = self._separables(fine, body.stage2)
            return fine, middle, self._separables(middle, body.stage3)
        assert isinstance(body, ResNet)
        features = self._pool(self._first(body.conv1, body.bn1, 0.0))
        fine = self._bottlenecks(self._bottlenecks(features, body.layer1), body.layer2)
        middle = self._bottlenecks(fine, body.layer3)
        return fine, middle, self._bottlenecks(middle, body.layer4)

    def _first(self, conv: nn.Conv2d, norm: nn.Module, leak: float | None) -> str:
        kernel = filled(pixel_kernel(conv, norm), self._lanes, is_first=True)
        return self._convolve_pixels(kernel, leak=leak)

    def _separables(self, features: str, blocks: Iterable[nn.Module]) -> str:
        for block in blocks:
            layers = list(block.children())
            features = self._block(self._block(features, layers[:3]), layers[3:])
        return features

    def _bottlenecks(self, features: str, blocks: nn.Sequential) -> str:
        for block in blocks:
            assert isinstance(block, Bottleneck)
            shortcut = features
            if block.downsample is not None:
                shortcut = self._block(features, block.downsample)
            inner = self._block(features, (block.conv1, block.bn1), leak=0.0)
            inner = self._block(inner, (block.conv2, block.bn2), leak=0.0)
            inner = self._block(inner, (block.conv3, block.bn3))
            features = self._add(inner, shortcut, leak=0.0)
        return features

    def _context(self, features: str, context: Context) -> str:
        # What is cut off at zero after they are put side by side is cut off before.
        shared = self._block(features, context.conv5X5_1)
        parts = [
            self._block(features, context.conv3X3, leak=0.0),
            self._block(shared, context.conv5X5_2, leak=0.0),
            self._block(self._block(shared, context.conv7X7_2), context.conv7x7_3, leak=0.0),
        ]
        return self._concatenate(parts)

    def _block(self, features: str, block: Any, *, leak: float | None = None) -> str:
        """A convolution, its batch norm and its activation, which `leak` is for if it has none."""
        conv, norm = block[0], block[1]
        kernel = filled(folded(conv, norm), self._lanes, groups=conv.groups)
        return self._convolve(
            features,
            kernel,
            stride=conv.stride[0],
            padding=conv.padding[0],
            groups=len(kernel[0]) if conv.groups > 1 else 1,
            leak=leak if leak is not None else leak_of(block),
        )

    # --- layers -----------------------------------------------------------------------------------

    @abstractmethod
    def _convolve_pixels(self, kernel: Kernel, *, leak: float | None) -> str:
        """The first convolution, of stride 2 and without padding, over pixels and their margin."""

    @abstractmethod
    def _convolve(
        self,
        features: str,
        kernel: Kernel,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        leak: float | None = None,
    ) -> str:
        """A convolution and an activation."""

    @abstractmethod
    def _pool(self, features: str) -> str:
        """The highest of 3×3, with a stride of 2 and a padding of 1."""

    @abstractmethod
    def _enlarge(self, features: str, like: str) -> str:
        """Features at the size of others, by the nearest."""

    @abstractmethod
    def _add(self, one: str, other: str, *, leak: float | None = None) -> str:
        """The sum of features, and an activation."""

    @abstractmethod
    def _concatenate(self, parts: Sequence[str]) -> str:
        """The channels of all parts."""


def leak_of(block: Sequence[nn.Module] | nn.Sequential) -> float | None:
    """`leak` of a convolution, its batch norm and perhaps an activation."""
    if len(block) < 3:
        return None
    return float(getattr(block[2], "negative_slope", 0.0))
