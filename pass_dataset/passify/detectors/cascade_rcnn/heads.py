"""The three stages of Cascade R-CNN (Cai & Vasconcelos 2018)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from pass_dataset.passify.detectors.cascade_rcnn.boxes import clipped, moved
from pass_dataset.passify.detectors.cascade_rcnn.convolution import Convolutions
from pass_dataset.passify.detectors.cascade_rcnn.parameters import STAGES
from pass_dataset.passify.detectors.cascade_rcnn.pooling import BINS, Pooling

__all__ = ["Heads"]

#: How much too large each stage's deltas are (ROI_BOX_CASCADE_HEAD.BBOX_REG_WEIGHTS).
DELTA_WEIGHTS = ((10.0, 10.0, 5.0, 5.0), (20.0, 20.0, 10.0, 10.0), (30.0, 30.0, 15.0, 15.0))


class _Stage:
    def __init__(self, convolutions: Convolutions, stage: int) -> None:
        parameters = convolutions.parameters
        head, predictor = f"roi_heads.box_head.{stage}", f"roi_heads.box_predictor.{stage}"
        weight = parameters[f"{head}.fc1.weight"]
        # By bin, then channel, as features are pooled; the checkpoint has it the other way round.
        by_bin = weight.reshape(len(weight), -1, BINS * BINS).transpose(0, 2, 1)
        self._fc1 = convolutions.linear(
            by_bin.reshape(len(weight), -1), parameters[f"{head}.fc1.bias"]
        )
        self._fc2, self._scores, self._deltas = (
            convolutions.linear(parameters[f"{name}.weight"], parameters[f"{name}.bias"])
            for name in (f"{head}.fc2", f"{predictor}.cls_score", f"{predictor}.bbox_pred")
        )

    def __call__(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Probabilities (R×81, the background last) and deltas (R×4) of regions, float32."""
        x = self._fc2(self._fc1(features, relu=True), relu=True)
        return self._scores(x).float().softmax(1), self._deltas(x).float()


class Heads:
    """Regions to scores and better boxes, three times.

    Args:
      convolutions: makes the layers.
      pooling: makes what pools from the features p2 … p5 of a batch.
    """

    def __init__(
        self, convolutions: Convolutions, pooling: Callable[[Sequence[torch.Tensor]], Pooling]
    ) -> None:
        self._stages = [_Stage(convolutions, stage) for stage in range(STAGES)]
        self._pooling = pooling

    def __call__(
        self,
        pyramid: Sequence[torch.Tensor],
        boxes: torch.Tensor,
        image_of: torch.Tensor,
        limits: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores and boxes of regions.

        Args:
          pyramid: features p2 … p5 of N images.
          boxes: R×4 float32, proposals of all images.
          image_of: R int64, the image of each.
          limits: R×4 float32, ``width, height, width, height`` of each region's image.

        Returns:
          Probabilities R×81 of the classes and, last, of the background: the mean of the stages.
          Boxes R×4 of the last stage, clipped to the images.
        """
        pool = self._pooling(pyramid)
        total = torch.zeros((), device=boxes.device)
        for stage, weights in zip(self._stages, DELTA_WEIGHTS, strict=True):
            pooled = pool(boxes, image_of)
            scores, deltas = stage(pooled.features)
            if pooled.order is not None:
                back = pooled.order.argsort()
                scores, deltas = scores[back], deltas[back]
            total = total + scores
            boxes = clipped(moved(boxes, deltas, weights), limits)
        return total / STAGES, boxes
