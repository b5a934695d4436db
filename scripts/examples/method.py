"""A method of pretraining, as `pretrain_moco.py` asks it.

Each is a network that makes something of the views of a batch (`forward`, which several processes
share), a cost of that, and what is done around a step. Heads and losses are lightly's.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torchvision
from torch import Tensor, nn

from pass_dataset.torch.views import Recipe

__all__ = ["Method", "MethodSettings", "Moment", "by_size", "cosine", "make_backbone", "small_side"]

#: Small views have 96 pixels where large ones have 224; a multiple of what transformers cut up.
_SMALL, _LARGE, _PATCH = 96, 224, 16


@dataclass(frozen=True)
class MethodSettings:
    """What is trained, and how much at once.

    Attributes:
      backbone: a ResNet of torchvision, or a ``vit_…`` of timm.
      epochs, batch_size: of the whole training; the batch is that of all processes.
      processes: that train together.
      queue: MoCo's keys to tell apart; None: as published.
      prototypes: SwAV's, and DINO's outputs; None: as published.
    """

    backbone: str
    epochs: int
    batch_size: int
    processes: int = 1
    queue: int | None = None
    prototypes: int | None = None


@dataclass(frozen=True)
class Moment:
    """How far a training is: steps that are done, epochs (with a fraction), part of the whole."""

    step: int
    epoch: float
    done: float


class Method(nn.Module, ABC):
    """A method, as `Training` asks it.

    Attributes:
      epochs: for which it was published.
      rate: that of learning for batches of 256.
    """

    epochs: ClassVar[int]
    rate: ClassVar[float]

    def __init__(self, settings: MethodSettings) -> None:
        super().__init__()
        self.settings = settings

    @staticmethod
    @abstractmethod
    def recipe(image_size: int) -> Recipe:
        """What the views of an image are made of."""

    @abstractmethod
    def forward(self, views: Sequence[Tensor]) -> Any:
        """What the cost is of, from views of N×3×S×S each."""

    @abstractmethod
    def make_loss(self) -> nn.Module:
        """What the cost remembers from step to step."""

    @abstractmethod
    def cost(self, loss: Any, outputs: Any, moment: Moment) -> Tensor:
        """A number to lower."""

    @abstractmethod
    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        """Made once, with the rate of learning at its highest."""

    @abstractmethod
    def encoder_to_keep(self) -> nn.Module:
        """The network that one wants in the end."""

    def rate_at(self, done: float) -> float:
        """The rate of learning, as a part of the highest, when so much is done."""
        return cosine(1.0, 0.0, done)

    def before(self, optimizer: torch.optim.Optimizer, moment: Moment) -> None:
        """Done before a step."""

    def mend_gradients(self, moment: Moment) -> None:
        """Done with gradients before they are used."""

    def after(self, moment: Moment) -> None:
        """Done after a step."""


def cosine(first: float, last: float, done: float) -> float:
    """From the first to the last along half a wave."""
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * min(done, 1)))


def make_backbone(name: str, drop_path: float = 0.0) -> tuple[Any, int]:
    """A network that returns features, and their number."""
    if name.startswith("vit_"):
        import timm  # for these alone

        vit: Any = timm.create_model(
            name, num_classes=0, dynamic_img_size=True, drop_path_rate=drop_path
        )
        return vit, int(vit.num_features)
    resnet: Any = torchvision.models.get_model(name, weights=None)
    width = resnet.fc.in_features
    resnet.fc = nn.Identity()
    return resnet, int(width)


def small_side(image_size: int) -> int:
    """Pixels of small views."""
    return max(1, round(image_size * _SMALL / _LARGE / _PATCH)) * _PATCH


def by_size(network: nn.Module, views: Sequence[Tensor]) -> Tensor:
    """What a network makes of two large views and any number of small ones, row after row."""
    large, small = views[:2], views[2:]
    made = [network(torch.cat(list(group))) for group in (large, small) if group]
    return torch.cat(made)
