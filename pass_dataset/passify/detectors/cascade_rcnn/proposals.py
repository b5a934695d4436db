"""The region proposal network (Ren et al. 2015, with the pyramid of Lin et al. 2017)."""

from __future__ import annotations

import math

import numpy as np
import torch
from torchvision.ops import batched_nms

from pass_dataset.passify.detectors.cascade_rcnn.boxes import clipped, moved, nonempty
from pass_dataset.passify.detectors.cascade_rcnn.convolution import Convolutions, folded

__all__ = ["Proposals"]

# MODEL.ANCHOR_GENERATOR of the published configuration: one size for each level, p2 to p6.
SIZES_PX = (32, 64, 128, 256, 512)
ASPECT_RATIOS = (0.5, 1.0, 2.0)  # height to width
STRIDES_PX = (4, 8, 16, 32, 64)

# MODEL.RPN: PRE_NMS_TOPK_TEST of each level, NMS_THRESH, POST_NMS_TOPK_TEST.
BEFORE_NMS = 1000
NMS_IOU = 0.7
AFTER_NMS = 1000


def _cell_anchors(size_px: int) -> list[list[float]]:
    """Anchors of one size around the origin."""
    anchors = []
    for ratio in ASPECT_RATIOS:
        width = math.sqrt(size_px**2 / ratio)
        height = ratio * width
        anchors.append([-width / 2, -height / 2, width / 2, height / 2])
    return anchors


class Proposals:
    """Features to the regions that may hold an object."""

    def __init__(self, convolutions: Convolutions) -> None:
        head = "proposal_generator.rpn_head"
        self._shared = convolutions.named(f"{head}.conv")
        # Both outputs are 1×1 convolutions of the same features: one of 3 + 12 channels.
        parts = [
            folded(convolutions.parameters, f"{head}.{name}")
            for name in ("objectness_logits", "anchor_deltas")
        ]
        self._outputs = convolutions.of(
            np.concatenate([weight for weight, _ in parts]),
            np.concatenate([bias for _, bias in parts]),
        )
        self._anchors = [
            torch.tensor(_cell_anchors(size), device=convolutions.device) for size in SIZES_PX
        ]

    def __call__(self, pyramid: list[torch.Tensor], limits: torch.Tensor) -> list[torch.Tensor]:
        """Proposals of each image: at most 1000×4 float32, best first.

        Args:
          pyramid: features p2 … p6 of N images.
          limits: N×4 float32, ``width, height, width, height`` of each image without its padding.
        """
        levels = [self._best(features, level) for level, features in enumerate(pyramid)]
        scores, boxes = (torch.cat(parts, 1) for parts in zip(*levels, strict=True))
        level_of = torch.cat(
            [
                torch.full((part.shape[1],), level, device=scores.device)
                for level, (part, _) in enumerate(levels)
            ]
        )
        return [
            self._distinct(clipped(boxes[n], limits[n]), scores[n], level_of)
            for n in range(len(limits))
        ]

    def _best(self, features: torch.Tensor, level: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (N×K) and boxes (N×K×4) of the K best anchors of each image."""
        outputs = self._outputs(self._shared(features, relu=True)).float()
        images, _, _, width = outputs.shape
        kinds = len(ASPECT_RATIOS)
        # Anchors by row, then column, then kind.
        logits = outputs[:, :kinds].permute(0, 2, 3, 1).reshape(images, -1)
        scores, chosen = logits.topk(min(BEFORE_NMS, logits.shape[1]), dim=1)
        # Channels by kind, then delta.
        deltas = outputs[:, kinds:].permute(0, 2, 3, 1).reshape(images, -1, 4)
        deltas = deltas.take_along_dim(chosen[:, :, None], 1)
        cell = chosen // kinds
        x, y = cell % width, cell // width
        centres = torch.stack((x, y, x, y), 2) * STRIDES_PX[level]
        anchors = centres + self._anchors[level][chosen % kinds]
        boxes = moved(anchors.flatten(0, 1), deltas.flatten(0, 1), (1.0, 1.0, 1.0, 1.0))
        return scores, boxes.view(images, -1, 4)

    def _distinct(
        self, boxes: torch.Tensor, scores: torch.Tensor, level_of: torch.Tensor
    ) -> torch.Tensor:
        sound = nonempty(boxes) & boxes.isfinite().all(1) & scores.isfinite()
        # Numbers, once: by a mask each would ask a GPU anew how many there are.
        (rows,) = sound.nonzero(as_tuple=True)
        boxes, scores, level_of = boxes[rows], scores[rows], level_of[rows]
        return boxes[batched_nms(boxes, scores, level_of, NMS_IOU)[:AFTER_NMS]]
