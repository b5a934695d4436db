"""All pairs of descriptors with a cosine from some value on: exactly, by products of blocks.

Descriptors that are spread over a sphere of 512 dimensions, as SSCD's are made to be, leave nothing
to sort by: an index would find most pairs, and the products find all, at the speed of the machine's
matrix products, which a flat index of faiss takes too, with all in float32. 1.44 million images are
1.04 × 10^12 pairs, 1.1 × 10^15 operations.
"""

from __future__ import annotations

import numpy as np
import torch

from pass_dataset.curate.duplicates.crops.near_pairs import NearPairs, PairsGathered
from pass_dataset.curate.duplicates.crops.rows import Rows
from pass_dataset.curate.duplicates.unions import Numbers
from pass_dataset.progress import Task
from pass_dataset.torch.inference import inference

__all__ = ["near_pairs"]

#: Rows of a block, and of what it is multiplied by.
_LEFT, _RIGHT = 2048, 8192
#: What products in single precision may be off by, if all its bits are multiplied.
_SLACK = 1e-5


def near_pairs(
    rows: Rows,
    numbers: Numbers,
    own: int,
    least: float,
    *,
    device: str | None = None,
    task: Task | None = None,
) -> NearPairs:
    """Pairs of images whose descriptors are near; of two images of other sets, none.

    Args:
      rows: descriptors of all images, float16 N×512; they stay as they are, in half precision.
      numbers: the images that are looked at, in order.
      own: the first so many of all are ours.
      least: cosine of near pairs.
      device: where products are computed; None: CUDA where there is one.
      task: is told of images that are done.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    pairs = PairsGathered()
    ours = int(np.searchsorted(numbers, own))
    with inference():
        for start in range(0, ours, _LEFT):
            end = min(ours, start + _LEFT)
            block = _unit(rows[numbers[start:end]], device)
            for other in range(start, len(numbers), _RIGHT):
                beside = numbers[other : other + _RIGHT]
                products = block @ _unit(rows[beside], device).T
                left, right = np.nonzero((products >= least - _SLACK).cpu().numpy())
                later = right + other > left + start
                pairs.add(rows, numbers[start:end][left[later]], beside[right[later]], least)
            if task is not None:
                task.advance(end - start)
    return pairs.found()


def _unit(rows: Rows, device: str) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.from_numpy(rows).to(device).float())
