"""SSCD: a ResNet-50 whose last layer describes an image, so that copies of it have near vectors.

By ``sscd/models/model.py`` and ``sscd/models/gem_pooling.py`` of the release (see `weights`): the
trunk is torchvision's; over what it sees, a generalized mean with exponent 3 instead of the plain
one; a linear layer to 512 numbers; divided by their length.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torchvision
from PIL import Image
from torch import nn
from torch.nn import functional

from pass_dataset.curate.duplicates.crops.rows import WIDTH
from pass_dataset.curate.duplicates.crops.weights import (
    DESCRIBER_FILE,
    TORCHSCRIPT_SHA256,
    CropWeights,
)
from pass_dataset.errors import WeightsError
from pass_dataset.torch.checkpoints import is_program, read_checkpoint
from pass_dataset.torch.imagenet import MEAN, STANDARD_DEVIATION
from pass_dataset.torch.inference import inference

__all__ = ["SIDE", "describe", "load_describer", "prepared"]

#: Side of the square that an image is resized to, whatever its aspect: ``skew_320`` of the
#: release's README, which it says is as good as 288 for the smaller side, and makes whole batches.
SIDE = 320
#: ``GlobalGeMPool2d`` and its ``pool_param``.
_EXPONENT = 3.0
_LEAST = 1e-6
#: What the trunk's weights begin with in the file.
_TRUNK = "backbone."
_COUNTER = "num_batches_tracked"
_SHOWN = 4


class _GeneralizedMean(nn.Module):
    """Of N×C×H×W, over the places: N×C."""

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        return seen.clamp(min=_LEAST).pow(_EXPONENT).mean((2, 3)).pow(1 / _EXPONENT)


class _Describer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = torchvision.models.resnet50(weights=None, num_classes=WIDTH)
        self.backbone.avgpool = _GeneralizedMean()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return functional.normalize(self.backbone(images))


def load_describer(weights: CropWeights) -> nn.Module:
    """The network with its weights, in evaluation mode.

    Args:
      weights: names by torchvision (``backbone.conv1.weight``), read without running what is in the
        file; or the release's TorchScript, which is a program, by its digest alone.

    Returns:
      A network that takes images as `prepared` makes them and returns descriptors: float32 N×512,
      of length 1.

    Raises:
      WeightsError: the file is another kind of file, or does not have every weight of the network
        in its shape, or has others.
    """
    if is_program(weights.path):
        return _torchscript(weights)
    content = read_checkpoint(weights.path)
    with torch.device("meta"):
        made = _Describer()
    own = made.state_dict()
    problem = _problem(content, own)
    if problem is not None:
        raise WeightsError(f"{weights.path}: {problem}. Take {DESCRIBER_FILE}")
    counters = {name: torch.zeros((), dtype=torch.int64) for name in own if _COUNTER in name}
    given = {name: value.to(own[name].dtype).contiguous() for name, value in content.items()}
    made.load_state_dict({**counters, **given}, assign=True)
    return made.eval().requires_grad_(False)


def _problem(content: Mapping[str, Any], own: Mapping[str, torch.Tensor]) -> str | None:
    """Why weights are not loaded, in words; None: they are."""
    if any(name.startswith(("embeddings.", "backbone.initial_block")) for name in content):
        return (
            "expected weights by torchvision's names, found those of Classy Vision, which are of "
            "the file that ends in .classy.pt"
        )
    missing = [name for name in own if name not in content and _COUNTER not in name]
    if missing:
        return f"expected every weight of SSCD's ResNet-50, found that {_some(missing)} missing"
    others = [str(name) for name in content if name not in own]
    if others:
        return f"expected the weights of SSCD's ResNet-50 and no other, found {_some(others)} there"
    for name, value in content.items():
        if not isinstance(value, torch.Tensor) or value.shape != own[name].shape:
            found = list(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
            return f"{name}: expected the shape {list(own[name].shape)}, found {found}"
        if value.layout is not torch.strided or value.is_quantized or value.is_complex():
            return f"{name}: expected plain numbers, found others"
        if not bool(torch.isfinite(value).all()):
            return f"{name}: expected finite numbers, found others"
    return None


def _some(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    verb = "is" if len(names) == 1 else "are"
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "") + f" {verb}"


def _torchscript(weights: CropWeights) -> nn.Module:
    if weights.sha256 != TORCHSCRIPT_SHA256:
        raise WeightsError(
            f"{weights.path}: is TorchScript, a program, of which only the published "
            f"sscd_disc_mixup.torchscript.pt is loaded, with SHA-256 {TORCHSCRIPT_SHA256}; found "
            f"{weights.sha256}. Take {DESCRIBER_FILE}"
        )
    with warnings.catch_warnings():
        # That TorchScript is no longer developed.
        warnings.simplefilter("ignore")
        made: nn.Module = torch.jit.load(  # type: ignore[no-untyped-call]
            str(weights.path), map_location="cpu"
        )
    return made.eval()


def prepared(pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
    """An image as the network takes it.

    Args:
      pixels: H×W×3 uint8 in BGR order.

    Returns:
      Float32 of 3×320×320, RGB, normalised as ImageNet's photographs.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))
    resized = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    values = resized.astype(np.float32) / 255
    values = (values - np.array(MEAN, np.float32)) / np.array(STANDARD_DEVIATION, np.float32)
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))


def describe(module: nn.Module, images: torch.Tensor, device: str) -> npt.NDArray[np.float16]:
    """Descriptors of images as `prepared` makes them: float16 N×512.

    Half precision moves a cosine by less than 0.0001, as measured.
    """
    with inference():
        found = module(images.to(device))
        if found.shape != (len(images), WIDTH):
            raise WeightsError(
                f"expected descriptors of {WIDTH} numbers, found a network that returns "
                f"{list(found.shape)}. Take {DESCRIBER_FILE}"
            )
        made: npt.NDArray[np.float16] = found.float().cpu().numpy().astype(np.float16)
        return made
