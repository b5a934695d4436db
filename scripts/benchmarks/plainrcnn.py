"""Cascade R-CNN in its plainest form: what `bench_people.py` and a test compare with.

One image at a time, float32, layer after layer as detectron2 runs them: batch norms apart from
their convolutions, features N×C×H×W, RoIAlign by torchvision. It shares with the package only the
reading of weights and the resizing of images.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional
from torchvision.ops import batched_nms, roi_align

from pass_dataset.passify.detectors.cascade_rcnn.checkpoint import read_checkpoint
from pass_dataset.passify.detectors.cascade_rcnn.frames import frame_of, resize
from pass_dataset.passify.detectors.cascade_rcnn.parameters import needed_parameters

Tensor = torch.Tensor
Weights = tuple[float, float, float, float]


class Found(NamedTuple):
    """Boxes of one image over the threshold, best first, and the highest score of a person."""

    boxes: np.ndarray[Any, Any]
    scores: np.ndarray[Any, Any]
    classes: np.ndarray[Any, Any]
    max_score: float


class PlainRCNN:
    """The network with the weights of a file, on a device."""

    def __init__(self, weights: Path, device: str = "cpu") -> None:
        arrays = needed_parameters(read_checkpoint(weights), weights)
        self._p = {name: torch.tensor(array, device=device) for name, array in arrays.items()}
        self._device = device

    def detect(self, image: np.ndarray[Any, Any], threshold: float = 0.5) -> Found:
        """Detections of one image, H×W×3 uint8, BGR."""
        with torch.inference_mode():
            return self._detect(image, threshold)

    def _detect(self, image: np.ndarray[Any, Any], threshold: float) -> Found:
        frame = frame_of(*image.shape[:2])
        height, width = frame.resized
        x = torch.from_numpy(resize(image, frame)).to(self._device).permute(2, 0, 1).float()
        x = x - x.new_tensor([103.53, 116.28, 123.675])[:, None, None]
        x = functional.pad(x, (0, frame.padded[1] - width, 0, frame.padded[0] - height))
        pyramid = self._pyramid(self._resnet(x[None]))
        limits = x.new_tensor([width, height] * 2)
        scores, boxes = self._cascade(pyramid, self._propose(pyramid, limits), limits)
        scores = scores[:, :-1]
        row, label = (scores > threshold).nonzero().unbind(1)
        kept = batched_nms(boxes[row], scores[row, label], label, 0.5)[:100]
        given = boxes.new_tensor(frame.given[::-1] * 2)
        boxes = (boxes[row][kept] * (given / limits)).clamp(min=0).minimum(given)
        return Found(
            boxes.cpu().numpy(),
            scores[row, label][kept].cpu().numpy(),
            label[kept].cpu().numpy(),
            float(scores[:, 0].max()),
        )

    def _biased(self, x: Tensor, name: str) -> Tensor:
        weight = self._p[f"{name}.weight"]
        bias = self._p[f"{name}.bias"]
        return functional.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)

    def _normed(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = self._p[f"{name}.weight"]
        x = functional.conv2d(x, weight, None, stride, weight.shape[-1] // 2)
        gain, shift, mean, variance = (
            self._p[f"{name}.norm.{part}"]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        # As detectron2's FrozenBatchNorm2d has it in evaluation.
        return functional.batch_norm(x, mean, variance, gain, shift, training=False, eps=1e-5)

    def _resnet(self, x: Tensor) -> list[Tensor]:
        prefix = "backbone.bottom_up"
        x = functional.relu_(self._normed(x, f"{prefix}.stem.conv1", 2))
        x = functional.max_pool2d(x, 3, 2, 1)
        stages = []
        for level, blocks in zip((2, 3, 4, 5), (3, 4, 6, 3), strict=True):
            for block in range(blocks):
                name = f"{prefix}.res{level}.{block}"
                stride = 2 if level > 2 and block == 0 else 1
                y = functional.relu_(self._normed(x, f"{name}.conv1", stride))
                y = functional.relu_(self._normed(y, f"{name}.conv2"))
                y = self._normed(y, f"{name}.conv3")
                y += x if block else self._normed(x, f"{name}.shortcut", stride)
                x = functional.relu_(y)
            stages.append(x)
        return stages

    def _pyramid(self, stages: list[Tensor]) -> list[Tensor]:
        pyramid: list[Tensor] = []
        above = None
        for level in (5, 4, 3, 2):
            x = self._biased(stages[level - 2], f"backbone.fpn_lateral{level}")
            if above is not None:
                x = x + functional.interpolate(above, scale_factor=2.0, mode="nearest")
            above = x
            pyramid.insert(0, self._biased(x, f"backbone.fpn_output{level}"))
        return [*pyramid, functional.max_pool2d(pyramid[-1], 1, 2)]

    def _propose(self, pyramid: list[Tensor], limits: Tensor) -> Tensor:
        head = "proposal_generator.rpn_head"
        boxes, scores, levels = [], [], []
        for level, features in enumerate(pyramid):
            x = functional.relu(self._biased(features, f"{head}.conv"))
            logits = self._biased(x, f"{head}.objectness_logits")[0].permute(1, 2, 0).flatten()
            deltas = self._biased(x, f"{head}.anchor_deltas")[0]
            deltas = deltas.view(3, 4, *deltas.shape[1:]).permute(2, 3, 0, 1).reshape(-1, 4)
            best, chosen = logits.topk(min(1000, len(logits)))
            anchors = _anchors(level, *features.shape[2:]).to(x.device)
            boxes.append(_moved(anchors[chosen], deltas[chosen], (1.0, 1.0, 1.0, 1.0)))
            scores.append(best)
            levels.append(torch.full_like(chosen, level))
        box = torch.cat(boxes).clamp(min=0).minimum(limits)
        sound = (box[:, 2] > box[:, 0]) & (box[:, 3] > box[:, 1])
        box, score, level_of = box[sound], torch.cat(scores)[sound], torch.cat(levels)[sound]
        return box[batched_nms(box, score, level_of, 0.7)[:1000]]

    def _pooled(self, pyramid: list[Tensor], boxes: Tensor) -> Tensor:
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        level_of = torch.floor(4 + torch.log2(area.sqrt() / 224 + 1e-8)).clamp(2, 5)
        pooled = boxes.new_zeros(len(boxes), 256, 7, 7)
        for level in (2, 3, 4, 5):
            rows = (level_of == level).nonzero()[:, 0]
            regions = torch.cat((boxes.new_zeros(len(rows), 1), boxes[rows]), 1)
            pooled[rows] = roi_align(pyramid[level - 2], regions, 7, 0.5**level, 0, aligned=True)
        return pooled.flatten(1)

    def _cascade(
        self, pyramid: list[Tensor], boxes: Tensor, limits: Tensor
    ) -> tuple[Tensor, Tensor]:
        total = boxes.new_zeros(())
        for stage, scale in enumerate((10.0, 20.0, 30.0)):
            x = self._pooled(pyramid, boxes)
            for name in ("fc1", "fc2"):
                x = functional.relu(self._linear(x, f"roi_heads.box_head.{stage}.{name}"))
            predictor = f"roi_heads.box_predictor.{stage}"
            total = total + self._linear(x, f"{predictor}.cls_score").softmax(1)
            deltas = self._linear(x, f"{predictor}.bbox_pred")
            boxes = _moved(boxes, deltas, (scale, scale, scale / 2, scale / 2))
            boxes = boxes.clamp(min=0).minimum(limits)
        return total / 3, boxes

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return functional.linear(x, self._p[f"{name}.weight"], self._p[f"{name}.bias"])


def _anchors(level: int, height: int, width: int) -> Tensor:
    stride, size = 4 << level, 32 << level
    cell = []
    for ratio in (0.5, 1.0, 2.0):
        side = math.sqrt(size * size / ratio)
        cell.append([-side / 2, -side * ratio / 2, side / 2, side * ratio / 2])
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    shifts = torch.stack((x, y, x, y), 2).reshape(-1, 1, 4) * stride
    return (shifts + torch.tensor(cell)).reshape(-1, 4)


def _moved(boxes: Tensor, deltas: Tensor, weights: Weights) -> Tensor:
    dx, dy, dw, dh = (deltas / deltas.new_tensor(weights)).unbind(1)
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    most = math.log(1000 / 16)
    x = dx * width + boxes[:, 0] + width / 2
    y = dy * height + boxes[:, 1] + height / 2
    width, height = dw.clamp(max=most).exp() * width / 2, dh.clamp(max=most).exp() * height / 2
    return torch.stack((x - width, y - height, x + width, y + height), 1)
