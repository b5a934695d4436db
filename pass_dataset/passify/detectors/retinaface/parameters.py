"""Parameters of the network as the graphs hold them: float64 until they are written."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from torch import nn

from pass_dataset.passify.detectors.retinaface.interface import MEAN_BGR
from pass_dataset.passify.detectors.retinaface.network import MobileNet, Network

__all__ = ["Kernel", "filled", "first_convolution", "folded", "joined_heads", "pixel_kernel"]

Array = np.ndarray[Any, Any]
#: Weights, outputs×inputs×height×width, and biases of a convolution.
Kernel = tuple[Array, Array]


def folded(conv: Any, norm: Any) -> Kernel:
    """A convolution with the batch norm behind it."""
    scale = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
    weights = _array(conv.weight) * scale.reshape(-1, 1, 1, 1)
    return weights, _array(norm.bias) - _array(norm.running_mean) * scale


def joined_heads(network: Network, level: int) -> Kernel:
    """Both heads of a level as one: the difference of the classes, then the boxes."""
    classes: Any = network.ClassHead[level]
    boxes: Any = network.BboxHead[level]
    class_weights, class_biases = _array(classes.conv1x1.weight), _array(classes.conv1x1.bias)
    weights = [class_weights[1::2] - class_weights[0::2], _array(boxes.conv1x1.weight)]
    biases = [class_biases[1::2] - class_biases[0::2], _array(boxes.conv1x1.bias)]
    return np.concatenate(weights), np.concatenate(biases)


def first_convolution(network: Network) -> nn.Conv2d:
    """The convolution that reads pixels."""
    body: Any = network.body
    is_mobile = isinstance(network.body, MobileNet)
    return cast("nn.Conv2d", body.stage1[0][0] if is_mobile else body.conv1)


def pixel_kernel(conv: Any, norm: Any) -> Kernel:
    """`folded`, for pixels from which no mean was subtracted.

    The mean goes into the biases. That is exact if the pixels have a margin of the mean's colour,
    which stands for the zero padding, and the convolution pads nothing itself.
    """
    weights, biases = folded(conv, norm)
    mean = np.array(MEAN_BGR, np.float64).reshape(1, 3, 1, 1)
    return weights, biases - (weights * mean).sum(axis=(1, 2, 3))


def filled(kernel: Kernel, lanes: int, *, is_first: bool = False, groups: int = 1) -> Kernel:
    """With zeros for the inputs and outputs that are missing up to a number of channels.

    Args:
      kernel: the convolution.
      lanes: that number.
      is_first: it reads pixels, whose channels stay three.
      groups: more than one if the inputs are not mixed.
    """
    weights, biases = kernel
    outputs = (0, max(0, lanes - len(weights)))
    inputs = (0, 0 if is_first or groups > 1 else max(0, lanes - weights.shape[1]))
    return np.pad(weights, [outputs, inputs, (0, 0), (0, 0)]), np.pad(biases, outputs)


def _array(tensor: Any) -> Array:
    values: Array = tensor.detach().double().numpy()
    return values
