"""A ResNet with detectron2's names, to finetune detectors and the like from.

As MoCo's converter does it (https://github.com/facebookresearch/moco/blob/78b69ca/detection/
convert-pretrain-to-detectron2.py): names changed, values kept.
"""

from __future__ import annotations

import io
import pickle
import re
from pathlib import Path

from torch import nn

from pass_dataset.errors import WeightsError
from pass_dataset.files.whole import write_whole

__all__ = ["convert_to_detectron2", "detectron2_name"]


def detectron2_name(name: str) -> str:
    """detectron2's name of a weight of torchvision's ResNet.

    >>> detectron2_name("layer1.0.bn2.running_mean"), detectron2_name("conv1.weight")
    ('res2.0.conv2.norm.running_mean', 'stem.conv1.weight')
    """
    if "layer" not in name:
        name = f"stem.{name}"
    name = re.sub(r"layer([1-4])", lambda match: f"res{int(match[1]) + 1}", name)
    name = re.sub(r"bn([1-3])", r"conv\1.norm", name)
    return name.replace("downsample.0", "shortcut").replace("downsample.1", "shortcut.norm")


def convert_to_detectron2(module: nn.Module, path: Path) -> None:
    """Writes a ResNet as a file for detectron2's ``MODEL.WEIGHTS``.

    Its images are RGB between 0 and 1, normalised by ImageNet's mean and standard deviation, and
    its strides are in the 3×3 convolutions: ``INPUT.FORMAT "RGB"``, ``MODEL.PIXEL_MEAN [123.675,
    116.28, 103.53]``, ``MODEL.PIXEL_STD [58.395, 57.12, 57.375]``, ``MODEL.RESNETS.STRIDE_IN_1X1
    False``.

    Raises:
      WeightsError: it is no ResNet.
    """
    weights = module.state_dict()
    if "layer1.0.conv1.weight" not in weights:
        raise WeightsError(
            f"{path}: detectron2's names are those of ResNets, and this network is none"
        )
    content = {
        "model": {
            detectron2_name(name): value.detach().cpu().numpy()
            for name, value in weights.items()
            if not name.endswith("num_batches_tracked")
        },
        "__author__": "pass_dataset",
        "matching_heuristics": True,
    }
    buffer = io.BytesIO()
    pickle.dump(content, buffer)
    write_whole(path, buffer.getvalue())
