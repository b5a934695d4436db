"""DINO."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from lightly.loss import DINOLoss
from lightly.models.modules import DINOProjectionHead
from lightly.models.utils import deactivate_requires_grad, update_momentum
from method import Method, MethodSettings, Moment, by_size, cosine, make_backbone, small_side
from torch import Tensor, nn

from pass_dataset.torch.views import Recipe, dino

__all__ = ["DINO"]


class DINO(Method):
    """DINO: a student that says of all views what its slow average says of the large ones.

    Caron, Touvron, Misra, Jégou, Mairal, Bojanowski, Joulin, 2021; defaults of main_dino.py:
    https://github.com/facebookresearch/dino/blob/04c0ad9/main_dino.py.
    """

    epochs, rate = 100, 0.0005
    OUTPUTS, WARM_EPOCHS, LAST_RATE, MOMENTUM = 65_536, 10, 1e-6 / 0.0005, 0.996
    #: Weight decay at first and at last; length of a weight's gradient at most; epochs in which the
    #: last layer stays; part of the blocks that are left out.
    DECAY, CLIP, FROZEN_EPOCHS, DROP_PATH = (0.04, 0.4), 3.0, 1, 0.1

    def __init__(self, settings: MethodSettings) -> None:
        super().__init__(settings)
        self.student, width = make_backbone(settings.backbone, self.DROP_PATH)
        self.teacher, _ = make_backbone(settings.backbone)
        outputs = settings.prototypes or self.OUTPUTS
        self.student_head, self.teacher_head = (
            DINOProjectionHead(
                width,
                output_dim=outputs,
                freeze_last_layer=self.FROZEN_EPOCHS,
                norm_last_layer=True,
            )
            for _ in range(2)
        )
        self.teacher.load_state_dict(self.student.state_dict())
        self.teacher_head.load_state_dict(self.student_head.state_dict())
        deactivate_requires_grad(self.teacher)
        deactivate_requires_grad(self.teacher_head)

    @staticmethod
    def recipe(image_size: int) -> Recipe:
        return dino(size_px=image_size, small_size_px=small_side(image_size))

    def forward(self, views: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """What the student says of all views, and the teacher of the two large ones."""
        said = self.student_head(by_size(self.student, views).flatten(1))
        with torch.no_grad():
            told = self.teacher_head(by_size(self.teacher, views[:2]).flatten(1))
        return said, told

    def make_loss(self) -> nn.Module:
        made: nn.Module = DINOLoss(self.settings.prototypes or self.OUTPUTS)
        return made

    def cost(self, loss: Any, outputs: Any, moment: Moment) -> Tensor:
        said, told = (made.float() for made in outputs)
        images = len(told) // 2
        cost: Tensor = loss(list(torch.split(told, images)), list(torch.split(said, images)))
        return cost

    def optimizer(self, rate: float) -> torch.optim.Optimizer:
        trained = [weight for weight in self.parameters() if weight.requires_grad]
        return torch.optim.AdamW(
            [
                {"params": [weight for weight in trained if weight.ndim > 1], "decays": True},
                {"params": [weight for weight in trained if weight.ndim == 1], "decays": False},
            ],
            lr=rate,
            weight_decay=0.0,
        )

    def encoder_to_keep(self) -> nn.Module:
        kept: nn.Module = self.teacher
        return kept

    def rate_at(self, done: float) -> float:
        warm = min(self.WARM_EPOCHS / self.settings.epochs, 1)
        if done < warm:
            return done / warm
        return cosine(1.0, self.LAST_RATE, (done - warm) / (1 - warm) if warm < 1 else 1)

    def before(self, optimizer: torch.optim.Optimizer, moment: Moment) -> None:
        for group in optimizer.param_groups:
            if group["decays"]:
                group["weight_decay"] = cosine(*self.DECAY, moment.done)

    def mend_gradients(self, moment: Moment) -> None:
        for weight in (*self.student.parameters(), *self.student_head.parameters()):
            if weight.grad is not None:
                torch.nn.utils.clip_grad_norm_([weight], self.CLIP)
        self.student_head.cancel_last_layer_gradients(math.floor(moment.epoch))

    def after(self, moment: Moment) -> None:
        momentum = cosine(self.MOMENTUM, 1.0, moment.done)
        update_momentum(self.student, self.teacher, m=momentum)
        update_momentum(self.student_head, self.teacher_head, m=momentum)
