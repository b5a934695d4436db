"""Deltas to boxes. A box is ``x1, y1, x2, y2`` in pixels; a delta ``dx, dy, dw, dh``."""

from __future__ import annotations

import math

import torch

__all__ = ["clipped", "moved", "nonempty"]

#: The most that a box grows in one step: to 1000/16 of its side (Faster R-CNN's constant).
MAX_LOG_SCALE = math.log(1000.0 / 16)


def moved(
    boxes: torch.Tensor, deltas: torch.Tensor, weights: tuple[float, float, float, float]
) -> torch.Tensor:
    """Boxes (N×4 float32) moved and scaled by deltas (N×4), which are `weights` times too large."""
    dx, dy, dw, dh = (deltas / deltas.new_tensor(weights)).unbind(1)
    x1, y1, x2, y2 = boxes.unbind(1)
    width, height = x2 - x1, y2 - y1
    centre_x = dx * width + (x1 + 0.5 * width)
    centre_y = dy * height + (y1 + 0.5 * height)
    half_width = 0.5 * (dw.clamp(max=MAX_LOG_SCALE).exp() * width)
    half_height = 0.5 * (dh.clamp(max=MAX_LOG_SCALE).exp() * height)
    return torch.stack(
        (
            centre_x - half_width,
            centre_y - half_height,
            centre_x + half_width,
            centre_y + half_height,
        ),
        1,
    )


def clipped(boxes: torch.Tensor, limits: torch.Tensor) -> torch.Tensor:
    """Boxes (N×4) within images of ``width, height, width, height`` (4, or N×4)."""
    return boxes.clamp(min=0).minimum(limits)


def nonempty(boxes: torch.Tensor) -> torch.Tensor:
    """Which boxes (N×4) have an area."""
    return (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
