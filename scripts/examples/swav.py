"""SwAV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from lightly.loss import SwaVLoss
from lightly.models.modules import SwaVProjectionHead
from lightly.utils.lars import LARS
from method import Method, MethodSettings, Moment, by_size, cosine, make_backbone, small_side
from torch import Tensor, nn

from pass_dataset.torch.views import Recipe, swav

__all__ = ["SwAV"]


class SwAV(Method):
    """SwAV: views of an image are to be of the same prototypes.

    Caron, Misra, Mairal, Goyal, Bojanowski, Joulin, 2020; settings of swav_200ep_bs256_pretrain.sh,
    which the paper of PASS used: https://github.com/facebookresearch/swav/tree/04b8f43/scripts.
    """

    epochs, rate = 200, 0.6
    WIDTH, PROTOTYPES, DECAY, LAST_RATE = 128, 3000, 1e-6, 0.001
    #: Large ones, and small ones.
    VIEWS = (2, 6)
    #: Batches in which the prototypes stay; embeddings of earlier batches, and from which epoch.
    FROZEN, QUEUE, QUEUE_FROM = 5005, 3840, 15

    def __init__(self, settings: MethodSettings) -> None:
        super().__init__(settings)
        self.encoder, width = make_backbone(settings.backbone)
        self.head = SwaVProjectionHead(width, 2048, self.WIDTH)
        self.prototypes = nn.Linear(self.WIDTH, settings.prototypes or self.PROTOTYPES, bias=False)

    @staticmethod
    def recipe(image_size: int) -> Recipe:
        return swav(
            size_px=image_size, small_size_px=small_side(image_size), small_views=SwAV.VIEWS[1]
        )

    def forward(self, views: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Embeddings of length 1 of all views, and their products with the prototypes."""
        made = by_size(self.encoder, views).flatten(1)
        embeddings = nn.functional.normalize(self.head(made), dim=1)
        return embeddings, self.prototypes(embeddings)

    def make_loss(self) -> nn.Module:
        own = self.settings.batch_size // self.settings.processes
        rows = self.QUEUE // self.settings.processes // own * own
        return _SwAVCost(rows, self.WIDTH, self.settings.processes > 1)

    def cost(self, loss: Any, outputs: Any, moment: Moment) -> Tensor:
        cost: Tensor = loss(
            *(made.float() for made in outputs),
            self.prototypes.weight,
            with_queue=moment.epoch >= self.QUEUE_FROM,
        )
        return cost

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        made: torch.optim.Optimizer = LARS(
            self.parameters(), lr=rate, momentum=0.9, weight_decay=self.DECAY
        )
        return made

    def encoder_to_keep(self) -> nn.Module:
        kept: nn.Module = self.encoder
        return kept

    def rate_at(self, done: float) -> float:
        return cosine(1.0, self.LAST_RATE, done)

    def before(self, optimizer: torch.optim.Optimizer, moment: Moment) -> None:
        with torch.no_grad():
            weight = self.prototypes.weight
            weight.copy_(nn.functional.normalize(weight, dim=1))

    def mend_gradients(self, moment: Moment) -> None:
        if moment.step < self.FROZEN:
            self.prototypes.weight.grad = None


class _SwAVCost(nn.Module):
    """SwAV's loss, and the embeddings of earlier batches that a small one is spread with."""

    def __init__(self, rows: int, width: int, several: bool) -> None:
        super().__init__()
        self.loss = SwaVLoss(sinkhorn_gather_distributed=several)
        self.queue: Tensor
        # Those of this process; a checkpoint has those of the first.
        self.register_buffer("queue", torch.zeros(2, rows, width))

    def forward(
        self, embeddings: Tensor, scores: Tensor, prototypes: Tensor, *, with_queue: bool
    ) -> Tensor:
        """Args: rows of all views, the two large ones first; weights of the prototypes."""
        images = len(scores) // sum(SwAV.VIEWS)
        views = torch.split(scores, images)
        earlier = None
        if with_queue and self.queue.shape[1]:
            with torch.no_grad():
                if self.queue[:, -1].any():
                    earlier = [rows @ prototypes.T for rows in self.queue]
                large = embeddings.detach()[: 2 * images].view(2, images, -1)
                self.queue = torch.cat([large, self.queue[:, :-images]], 1)
        cost: Tensor = self.loss(list(views[:2]), list(views[2:]), earlier)
        return cost.squeeze()
