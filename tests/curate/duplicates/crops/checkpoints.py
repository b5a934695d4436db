"""A checkpoint with the names and shapes of the published weights, and random numbers."""

from __future__ import annotations

from pathlib import Path

import torch
import torchvision

__all__ = ["published_like", "saved"]


def published_like(seed: int = 0) -> dict[str, torch.Tensor]:
    """What ``sscd_disc_mixup.torchvision.pt`` has: a ResNet-50 whose last layer has 512 rows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trunk = torchvision.models.resnet50(weights=None, num_classes=512)
    return {f"backbone.{name}": value for name, value in trunk.state_dict().items()}


def saved(path: Path, seed: int = 0) -> Path:
    """The checkpoint as a file."""
    torch.save(published_like(seed), path)
    return path
