"""MoCo-v2."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from lightly.loss import NTXentLoss
from lightly.models.modules import MoCoProjectionHead
from lightly.models.utils import (
    batch_shuffle,
    batch_unshuffle,
    deactivate_requires_grad,
    update_momentum,
)
from method import Method, MethodSettings, Moment, make_backbone
from torch import Tensor, nn

from pass_dataset.torch.views import Recipe, moco_v2

__all__ = ["MoCo"]


class MoCo(Method):
    """MoCo-v2: an encoder, and the slowly following copy of it that makes the keys.

    Chen, Fan, Girshick, He: Improved baselines with momentum contrastive learning, 2020.
    """

    epochs, rate = 200, 0.03
    #: Width, keys, momentum of the copy, temperature, weight decay.
    WIDTH, QUEUE, MOMENTUM, TEMPERATURE, DECAY = 128, 65_536, 0.999, 0.2, 1e-4

    def __init__(self, settings: MethodSettings) -> None:
        super().__init__(settings)
        self.encoder, width = make_backbone(settings.backbone)
        self.head = MoCoProjectionHead(width, width, self.WIDTH)
        self.key_encoder = copy.deepcopy(self.encoder)
        self.key_head = copy.deepcopy(self.head)
        deactivate_requires_grad(self.key_encoder)
        deactivate_requires_grad(self.key_head)

    @staticmethod
    def recipe(image_size: int) -> Recipe:
        return moco_v2(size_px=image_size)

    def forward(self, views: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Embeddings of two views, N×128 each; the second without gradient."""
        queries, keys = views
        query = self.head(self.encoder(queries).flatten(1))
        several = self.settings.processes > 1
        with torch.no_grad():
            # Shuffled over all processes, so that batch norm does not tell which belong together.
            keys, order = batch_shuffle(keys, distributed=several)
            key = self.key_head(self.key_encoder(keys).flatten(1))
            key = batch_unshuffle(key, order, distributed=several)
        return query, key

    def make_loss(self) -> nn.Module:
        made: nn.Module = NTXentLoss(
            temperature=self.TEMPERATURE,
            memory_bank_size=(self.settings.queue or self.QUEUE, self.WIDTH),
            gather_distributed=self.settings.processes > 1,
        )
        return made

    def cost(self, loss: Any, outputs: Any, moment: Moment) -> Tensor:
        query, key = outputs
        cost: Tensor = loss(query.float(), key.float())
        return cost

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        weights = [weight for weight in self.parameters() if weight.requires_grad]
        return torch.optim.SGD(weights, lr=rate, momentum=0.9, weight_decay=self.DECAY)

    def encoder_to_keep(self) -> nn.Module:
        kept: nn.Module = self.encoder
        return kept

    def before(self, optimizer: torch.optim.Optimizer, moment: Moment) -> None:
        update_momentum(self.encoder, self.key_encoder, m=self.MOMENTUM)
        update_momentum(self.head, self.key_head, m=self.MOMENTUM)
