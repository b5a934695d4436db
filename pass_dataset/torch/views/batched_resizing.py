"""Crops of the images of a batch, resized all at once: for each two products of matrices.

A resized row is a weighted sum of an image's columns, and so on: with the weights of all of them in
a matrix, a crop is `rows · image · columns`. GPUs do thousands of these in the time that asking for
one takes. Filters and their order are Pillow's: as wide as the reduction asks for, columns first,
whole numbers between the two.

Weights are whole numbers over 2¹⁵, so that every sum of them and of pixels is exact in float32,
whatever the order that it is added up in: a crop does not depend on what is resized with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pass_dataset.torch.inference import full_float32
from pass_dataset.torch.views.operations import BRIGHTEST
from pass_dataset.torch.views.parameters import Box
from pass_dataset.torch.views.recipes import Interpolation
from pass_dataset.torch.views.sending import sent

__all__ = ["CropBatch"]

#: Weights are multiples of 1 over this. A sum is at most 255 times 1.3 (bicubic weights are below
#: zero, too): less than 2²⁴ of these.
_WEIGHT_STEPS = 1 << 15
#: Pixels, all images as large as the largest, that are resized together: 200 MB of floats.
_MOST_PIXELS = 1 << 24
#: How far a filter reaches, in pixels of whichever is coarser, image or crop.
_REACH = {"bilinear": 1.0, "bicubic": 2.0}


class CropBatch:
    """Takes images one by one, and gives the crops of all."""

    def __init__(self, size_px: int, interpolation: Interpolation, device: torch.device) -> None:
        self._size_px, self._interpolation, self._device = size_px, interpolation, device
        self._images: list[Tensor] = []
        self._sides = (0, 0)  # of the largest
        self._boxes: list[Sequence[Box]] = []
        self._made: list[Tensor] = []

    def add(self, pixels: Tensor, boxes: Sequence[Box]) -> None:
        """An image, 3×H×W uint8 on the device, and its crops: as many of each."""
        height, width = (max(pair) for pair in zip(self._sides, pixels.shape[1:], strict=True))
        if (len(self._images) + 1) * height * width > _MOST_PIXELS:
            self._make()
            height, width = pixels.shape[1:]
        self._sides = height, width
        self._images.append(pixels)
        self._boxes.append(boxes)

    def crops(self) -> Tensor:
        """All crops, by image: crops×3×S×S, floats that hold whole numbers from 0 to 255."""
        self._make()
        if not self._made:
            return torch.empty((0, 3, self._size_px, self._size_px), device=self._device)
        return torch.cat(self._made)

    def _make(self) -> None:
        if self._images:
            self._made.append(self._resized())
            self._images, self._boxes, self._sides = [], [], (0, 0)

    def _resized(self) -> Tensor:
        size_px, count, views = self._size_px, len(self._images), len(self._boxes[0])
        height, width = self._sides
        images = torch.zeros((count, 3, height, width), device=self._device)
        for place, image in enumerate(self._images):
            images[place, :, : image.shape[1], : image.shape[2]].copy_(image)
        boxes = sent(torch.tensor(self._boxes, dtype=torch.float64), self._device)
        left, top, box_width, box_height = boxes.flatten(0, 1).unbind(1)
        # A training may have asked for less, which sums that are exact do without.
        with full_float32(), torch.autocast(self._device.type, enabled=False):
            columns = self._weights(left, box_width, width).view(count, views * size_px, width)
            halves = images.flatten(1, 2) @ columns.transpose(1, 2)
            halves = _whole(halves).view(count, 3, height, views, size_px)
            # Of each crop a matrix that has its three channels side by side.
            halves = halves.permute(0, 3, 2, 1, 4).reshape(count * views, height, 3 * size_px)
            crops = self._weights(top, box_height, height) @ halves
        return _whole(crops).view(-1, size_px, 3, size_px).transpose(1, 2).contiguous()

    def _weights(self, start: Tensor, extent: Tensor, side: int) -> Tensor:
        """Of each pixel along one axis of each crop those of the image's pixels: crops×S×side.

        Args:
          start, extent: of the crops' boxes along it, float64.
          side: of the images.
        """
        scale = extent / self._size_px
        coarser = scale.clamp(min=1)[:, None, None]
        reach = _REACH[self._interpolation] * coarser
        pixels = torch.arange(self._size_px, dtype=torch.float64, device=self._device)
        centres = (start[:, None] + (pixels + 0.5) * scale[:, None])[:, :, None]
        first = (centres - reach + 0.5).floor().maximum(start[:, None, None])
        end = (centres + reach + 0.5).floor().minimum((start + extent)[:, None, None])
        # As many as the largest image can need, which the host knows without asking the device.
        taps = min(side, 2 * int(_REACH[self._interpolation] * (side / self._size_px + 1)) + 2)
        there = first + torch.arange(taps, dtype=torch.float64, device=self._device)
        weights = _filter((there + 0.5 - centres) / coarser, self._interpolation)
        weights = torch.where(there < end, weights, 0)
        weights = weights / weights.sum(2, keepdim=True)
        steps = (weights * _WEIGHT_STEPS).round_().float() / _WEIGHT_STEPS
        found = torch.zeros((*steps.shape[:2], side), device=self._device)
        # Beyond the last pixel there are weights of zero only.
        return found.scatter_add_(2, there.clamp_(max=side - 1).long(), steps)


def _filter(distances: Tensor, interpolation: Interpolation) -> Tensor:
    """Weights of pixels by their distance from the middle (Pillow's `Resample.c`)."""
    distances = distances.abs()
    if interpolation == "bilinear":
        return (1 - distances).clamp_(min=0)
    near = (1.5 * distances - 2.5) * distances * distances + 1
    far = ((-0.5 * distances + 2.5) * distances - 4) * distances + 2
    return torch.where(distances < 1, near, torch.where(distances < 2, far, 0))


def _whole(values: Tensor) -> Tensor:
    """Halves go up, as with Pillow."""
    return values.add_(0.5).floor_().clamp_(0, BRIGHTEST)
