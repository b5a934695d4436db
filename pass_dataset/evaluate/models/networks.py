"""The networks, as torchvision makes them, without the layer that tells classes apart."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torchvision
from torch import nn

from pass_dataset.errors import WeightsError

__all__ = ["NETWORKS", "Network", "network"]


@dataclass(frozen=True)
class Network:
    """A network that can be made.

    Attributes:
      name: what it is asked for by.
      family: whose weights are named alike.
      width: numbers of a feature.
      make: makes it, with random weights; given images of float32 N×3×224×224, normalised, it
        returns features of float32 N×width.
    """

    name: str
    family: Literal["resnet", "vit"]
    width: int
    make: Callable[[], nn.Module]

    def hollow(self) -> nn.Module:
        """It without numbers, which take neither time nor memory."""
        with torch.device("meta"):
            return self.make()

    def shapes(self) -> dict[str, torch.Size]:
        """Shapes of all its weights, by torchvision's names."""
        return _shapes(self.name)


@functools.cache
def _shapes(name: str) -> dict[str, torch.Size]:
    weights = NETWORKS[name].hollow().state_dict()
    return {each: value.shape for each, value in weights.items()}


def _resnet(name: str) -> Network:
    def make() -> nn.Module:
        made: nn.Module = torchvision.models.get_model(name, weights=None)
        made.fc = nn.Identity()
        return made

    width = 512 if name in ("resnet18", "resnet34") else 2048
    return Network(name, "resnet", width, make)


def _vit(name: str, patch: int, layers: int, heads: int, width: int) -> Network:
    def make() -> nn.Module:
        # LayerNorm's epsilon is 1e-6 here, in timm and in DINO alike.
        made: nn.Module = torchvision.models.VisionTransformer(
            224, patch, layers, heads, width, 4 * width
        )
        made.heads = nn.Identity()
        return made

    return Network(name, "vit", width, make)


#: Widths and heads of the transformers: Touvron et al., Training data-efficient image transformers,
#: 2021, Table 1; those with 12 heads: MoCo-v3's ``vits.py``.
NETWORKS = {
    network.name: network
    for network in (
        *map(
            _resnet,
            ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "wide_resnet50_2"),
        ),
        _vit("vit_tiny_patch16", 16, 12, 3, 192),
        _vit("vit_small_patch16", 16, 12, 6, 384),
        _vit("vit_small_patch16_heads12", 16, 12, 12, 384),
        _vit("vit_small_patch8", 8, 12, 6, 384),
        _vit("vit_base_patch16", 16, 12, 12, 768),
        _vit("vit_base_patch8", 8, 12, 12, 768),
        _vit("vit_large_patch16", 16, 24, 16, 1024),
    )
}


def network(name: str) -> Network:
    """A network by its name.

    Raises:
      WeightsError: there is none.
    """
    if name not in NETWORKS:
        raise WeightsError(f"no network is named {name!r}: expected one of {', '.join(NETWORKS)}")
    return NETWORKS[name]
