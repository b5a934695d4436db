"""Images made ready for an encoder: the middle of each, or a random view.

The middle: the smaller side resized, a square cut out (paper, appendix D.2: 256, then 224). A view:
a random part of the image with a random aspect, resized, perhaps mirrored; torchvision's
RandomResizedCrop and RandomHorizontalFlip, drawn by the image's number alone, so that neither
batches nor workers change it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import torchvision.transforms.functional as tf
from torchvision.transforms import InterpolationMode

from pass_dataset.torch.imagenet import MEAN, STANDARD_DEVIATION

__all__ = ["TransformSettings", "prepare"]

#: Of RandomResizedCrop: part of the area, aspect, and how often it tries.
_SCALE, _RATIO, _TRIES = (0.08, 1.0), (3 / 4, 4 / 3), 10


@dataclass(frozen=True)
class TransformSettings:
    """How an image becomes what an encoder takes.

    Attributes:
      resize, crop: pixels of the smaller side, and of the square that is cut out.
      interpolation: bilinear as MoCo and PCL resize, bicubic as DINO does.
      view: None: the middle; else which random view, 0 or more.
      seed: of the views.
      mean, std: that channels are normalised by.
    """

    resize: int = 256
    crop: int = 224
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    view: int | None = None
    seed: int = 0
    mean: tuple[float, float, float] = MEAN
    std: tuple[float, float, float] = STANDARD_DEVIATION

    def __post_init__(self) -> None:
        if not 0 < self.crop <= self.resize:
            raise ValueError(f"expected 0 < crop <= resize, found {self.crop} and {self.resize}")


def prepare(image: Any, settings: TransformSettings, number: int) -> torch.Tensor:
    """Float32 of 3×crop×crop from a PIL image in RGB; `number` is its position in the set."""
    mode = InterpolationMode(settings.interpolation)
    if settings.view is None:
        image = tf.center_crop(tf.resize(image, settings.resize, mode), [settings.crop] * 2)
    else:
        random = np.random.default_rng([settings.seed, settings.view, number])
        top, left, height, width = _part(image.height, image.width, random)
        size = [settings.crop] * 2
        image = tf.resized_crop(image, top, left, height, width, size, mode)
        if random.random() < 0.5:
            image = tf.hflip(image)
    made: torch.Tensor = tf.normalize(tf.to_tensor(image), settings.mean, settings.std)
    return made


def _part(height: int, width: int, random: np.random.Generator) -> tuple[int, int, int, int]:
    """Top, left, height and width, as RandomResizedCrop draws them."""
    for _ in range(_TRIES):
        area = height * width * random.uniform(*_SCALE)
        ratio = math.exp(random.uniform(math.log(_RATIO[0]), math.log(_RATIO[1])))
        part_width = round(math.sqrt(area * ratio))
        part_height = round(math.sqrt(area / ratio))
        if 0 < part_width <= width and 0 < part_height <= height:
            top = int(random.integers(0, height - part_height + 1))
            left = int(random.integers(0, width - part_width + 1))
            return top, left, part_height, part_width
    # The middle, in the nearest aspect that is allowed.
    ratio = min(max(width / height, _RATIO[0]), _RATIO[1])
    part_width = min(width, round(height * ratio))
    part_height = min(height, round(width / ratio))
    return (height - part_height) // 2, (width - part_width) // 2, part_height, part_width
