"""RoIAlign (He et al. 2017): features of each region, 7×7 bins of 256 channels.

A bin is the mean of samples on a grid in it, each interpolated between four pixels. Grid and
interpolation are separable, so a bin is a weighted sum of the pixels it touches, with weights that
are products of one along y and one along x. `WeightedRows` sums just these: a few hundred
thousand rows of 256 floats, which an embedding bag adds up on all cores. torchvision's
operation, `AlignedRois`, is used elsewhere: on the CPU it runs on one core, and took a third of all
the time.

Either is made for the features of a batch, and asked for regions of them once in each stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch.nn import functional
from torchvision.ops import roi_align

from pass_dataset.passify.detectors.cascade_rcnn.memory import empty_floats

__all__ = ["BINS", "AlignedRois", "Pooled", "Pooling", "WeightedRows", "levels_of"]

#: Side of the grid of bins (ROI_BOX_HEAD.POOLER_RESOLUTION).
BINS = 7

#: Strides of the levels that regions are pooled from, p2 to p5.
STRIDES_PX = (4, 8, 16, 32)

#: A region of this side belongs to p4 (FPN, equation 1: ImageNet's side and the fourth level).
CANONICAL_SIDE_PX = 224
CANONICAL_LEVEL = 2  # from p2


class Pooled(NamedTuple):
    """Features of regions.

    Attributes:
      features: R × 12544, by bin (rows first), then channel.
      order: R, the region that each row is of; None: in the order given.
    """

    features: torch.Tensor
    order: torch.Tensor | None


def levels_of(boxes: torch.Tensor) -> torch.Tensor:
    """The level (0: p2 … 3: p5) that each box (R×4) is pooled from."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    level = torch.floor(CANONICAL_LEVEL + torch.log2(area.sqrt() / CANONICAL_SIDE_PX + 1e-8))
    return level.clamp(0, len(STRIDES_PX) - 1).long()


class Pooling(Protocol):
    """Features of regions of a batch."""

    def __call__(self, boxes: torch.Tensor, image_of: torch.Tensor) -> Pooled:
        """Those of boxes.

        Args:
          boxes: R×4 float32, in pixels of the network's input.
          image_of: R, the image of each box.
        """


class AlignedRois:
    """By torchvision's operation, which computes in float32.

    Args:
      pyramid: features p2 … p5 of N images, N×256×H×W, in any arithmetic.
      dtype: what features of regions are rounded to in the end.
    """

    def __init__(self, pyramid: Sequence[torch.Tensor], dtype: torch.dtype = torch.float32) -> None:
        # One channel after another, as the operation reads them; it would turn them in each stage.
        self._planes = [features.float().contiguous() for features in pyramid]
        self._dtype = dtype

    def __call__(self, boxes: torch.Tensor, image_of: torch.Tensor) -> Pooled:
        level_of = levels_of(boxes)
        regions = torch.cat((image_of[:, None].to(boxes.dtype), boxes), 1)
        shape = (len(boxes), self._planes[0].shape[1], BINS, BINS)
        features = boxes.new_empty(shape, dtype=self._dtype)
        for level, stride in enumerate(STRIDES_PX):
            rows = (level_of == level).nonzero()[:, 0]
            features[rows] = roi_align(
                self._planes[level], regions[rows], BINS, 1 / stride, sampling_ratio=0, aligned=True
            ).to(self._dtype)
        return Pooled(features.permute(0, 2, 3, 1).flatten(1), None)


class WeightedRows:
    """What `AlignedRois` gives, in another order.

    Args:
      pyramid: features p2 … p5 of N images, N×256×H×W, `channels_last` float32 on the CPU.
    """

    def __init__(self, pyramid: Sequence[torch.Tensor]) -> None:
        self._heights = torch.tensor([features.shape[2] for features in pyramid])
        self._widths = torch.tensor([features.shape[3] for features in pyramid])
        self._tables = [features.permute(0, 2, 3, 1).flatten(0, 2) for features in pyramid]

    def __call__(self, boxes: torch.Tensor, image_of: torch.Tensor) -> Pooled:
        level_of = levels_of(boxes)
        strides = torch.tensor(STRIDES_PX)[level_of]
        corners = boxes / strides[:, None] - 0.5  # `aligned`: pixels have their centres at halves
        sides = corners[:, 2:] - corners[:, :2]
        grids = (sides / BINS).ceil()  # samples along each axis of a bin; none if there is no area

        # Regions with as many samples go together: all their bins touch as many pixels.
        rounded = GRID_SIZES[torch.searchsorted(GRID_SIZES, grids.long())]
        key = (level_of * GRID_LIMIT + rounded[:, 1]) * GRID_LIMIT + rounded[:, 0]
        order = key.argsort()
        keys, counts = torch.unique_consecutive(key[order], return_counts=True)
        corners, sides, grids, image_of = (t[order] for t in (corners, sides, grids, image_of))
        level_of, rounded = level_of[order], rounded[order]
        across = _Axis(
            corners[:, 0], sides[:, 0], grids[:, 0], rounded[:, 0], self._widths[level_of]
        )
        down = _Axis(
            corners[:, 1], sides[:, 1], grids[:, 1], rounded[:, 1], self._heights[level_of]
        )
        first_rows = (image_of * self._heights[level_of]).int()
        features = empty_floats((len(boxes), BINS * BINS * self._tables[0].shape[1]))
        start = 0
        for group, count in zip(keys.tolist(), counts.tolist(), strict=True):
            part = slice(start, start + count)
            start += count
            level, grid_y, grid_x = (
                group // GRID_LIMIT**2,
                group // GRID_LIMIT % GRID_LIMIT,
                group % GRID_LIMIT,
            )
            y, weight_y = down.touched(grid_y, part)
            x, weight_x = across.touched(grid_x, part)
            y = (y + first_rows[part, None, None]) * int(self._widths[level])
            rows = y[:, :, None, :, None] + x[:, None, :, None, :]
            weights = weight_y[:, :, None, :, None] * weight_x[:, None, :, None, :]
            bags = count * BINS * BINS
            sums = functional.embedding_bag(
                rows.view(bags, -1),
                self._tables[level],
                mode="sum",
                per_sample_weights=weights.view(bags, -1),
            )
            features[part] = sums.view(count, -1)
        return Pooled(features, order)


class _Axis:
    """The pixels that the bins of regions touch along one axis, with their weights.

    Args:
      start, side: of each region, float32, in pixels of its feature map.
      grid: samples in a bin of each region.
      rounded: of `GRID_SIZES`, at least `grid`. Those of one number are computed together, which
        takes fewer and larger steps than to do so for each group.
      extent: pixels of the feature map along this axis.
    """

    def __init__(
        self,
        start: torch.Tensor,
        side: torch.Tensor,
        grid: torch.Tensor,
        rounded: torch.Tensor,
        extent: torch.Tensor,
    ) -> None:
        #: Of each region, its place among those of its number of samples.
        self._places = torch.empty(len(start), dtype=torch.int64)
        self._touched: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        for most in sorted(set(rounded.tolist())):
            these = (rounded == most).nonzero()[:, 0]
            self._places[these] = torch.arange(len(these))
            self._touched[most] = _touched(
                start[these], side[these], grid[these], most, extent[these]
            )

    def touched(self, most: int, part: slice) -> tuple[torch.Tensor, torch.Tensor]:
        """Of neighbouring regions with `most` samples: as `_touched` gives them."""
        pixels, weights = self._touched[most]
        places = self._places[part]
        return pixels[places], weights[places]


# Numbers of samples that groups are made for. More of them make more and smaller groups; fewer
# add pixels of weight zero. A side of 1333 pixels at stride 4 has 48 samples in a bin.
GRID_SIZES = torch.tensor([1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 48, 64])
GRID_LIMIT = 65


def _touched(
    start: torch.Tensor, side: torch.Tensor, grid: torch.Tensor, most: int, extent: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels that the bins of regions touch along one axis, with their weights.

    Args:
      start, side: of each region, float32, in pixels of the feature map.
      grid: samples in a bin of each region.
      most: at least the largest of `grid`.
      extent: pixels of the feature map of each along this axis.

    Returns:
      int32 and float32, each regions × 7 × (most + 1).
    """
    # Samples are at most a pixel apart, so n of them lie between at most n + 1 pixels.
    step = (side / BINS)[:, None, None]
    grid = grid[:, None, None]
    samples = torch.arange(most, dtype=torch.float32)
    bins = torch.arange(BINS, dtype=torch.float32)[:, None]
    # In this order torchvision rounds.
    position = start[:, None, None] + bins * step + (samples + 0.5) * step / grid.clamp(min=1)
    # Samples more than a pixel outside count as zero; others take the pixel at the edge.
    extent = extent[:, None, None].to(position.dtype)
    counts = (position >= -1) & (position <= extent) & (samples < grid)
    last = extent - 1
    position = position.clamp(min=0).minimum(last)
    first = position[:, :, :1].floor()
    # Each sample lies between two pixels.
    before = (position - first).floor()
    share = position - first - before
    before = before.long().clamp_(0, most)
    counts = counts.to(share.dtype)
    weight = torch.zeros(len(start), BINS, most + 1)
    weight.scatter_add_(2, before, (1 - share) * counts)
    # Beyond the last of these pixels only a share of zero would go.
    weight.scatter_add_(2, (before + 1).clamp_(max=most), share * counts)
    pixel = first + torch.arange(most + 1, dtype=torch.float32)
    return pixel.minimum(last).int(), weight.div_(grid.clamp(min=1))
