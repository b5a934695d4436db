"""The network as an ONNX graph, written node by node.

Not by PyTorch's exporters: one of them is going, the other needs 8 s and two more packages, and
neither does what this graph does for speed: batch norm folded into the convolutions; pixels taken
as they are decoded, H×W×3 uint8, without a transposed float copy; one head a level in place of two.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from torch import nn

from pass_dataset.extras import require
from pass_dataset.passify.detectors.retinaface.graph_cache import INPUT_NAME, MEAN_BGR
from pass_dataset.passify.detectors.retinaface.network import (
    Bottleneck,
    Context,
    MobileNet,
    Network,
    ResNet,
)

__all__ = ["build_graph", "first_convolution"]

# Old enough for ONNX Runtime 1.18, new enough for all that is used.
_OPSET = 17
_IR_VERSION = 8

Array = np.ndarray[Any, Any]


def build_graph(network: Network, *, lanes: int = 1) -> bytes:
    """The graph as a serialized ONNX model.

    Its input, `INPUT_NAME`, is uint8 N×(H+2·m)×(W+2·m)×3, BGR, with a margin of the mean colour of
    m pixels, the padding of `first_convolution`; its outputs are those of `Network`.

    Args:
      network: what to write.
      lanes: channels that ONNX Runtime computes at once. Features of fewer are filled up with
        zeros: it would do so itself, and undo it before the next layer.

    Raises:
      MissingExtraError: the package `onnx` is not installed.
    """
    require("onnx", feature="Preparing RetinaFace for ONNX Runtime", extra="passify")
    return _Graph(lanes).build(network)


def first_convolution(network: Network) -> nn.Conv2d:
    """The convolution that reads pixels."""
    body: Any = network.body
    is_mobile = isinstance(network.body, MobileNet)
    return cast("nn.Conv2d", body.stage1[0][0] if is_mobile else body.conv1)


class _Graph:
    """A graph in the making; methods add nodes and return the names of their outputs."""

    def __init__(self, lanes: int) -> None:
        import onnx

        self._onnx = onnx
        self._lanes = lanes
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def build(self, network: Network) -> bytes:
        helper, types = self._onnx.helper, self._onnx.TensorProto
        fine, middle, coarse = self._body(network)
        pyramid = network.fpn
        coarse = self._block(coarse, pyramid.output3)
        middle = self._block(middle, pyramid.output2)
        middle = self._block(self._add_enlarged(middle, coarse), pyramid.merge2)
        fine = self._block(fine, pyramid.output1)
        fine = self._block(self._add_enlarged(fine, middle), pyramid.merge1)
        outputs = []
        contexts = (network.ssh1, network.ssh2, network.ssh3)
        levels = (fine, middle, coarse)
        for level, context in enumerate(contexts):
            features = self._context(levels[level], context)
            weights, biases = _head(network, level)
            output = self._convolve(features, weights, biases, (1, 1), (0, 0))
            size = ["n", 10, f"h{level}", f"w{level}"]
            outputs.append(helper.make_tensor_value_info(output, types.FLOAT, size))
        image = helper.make_tensor_value_info(INPUT_NAME, types.UINT8, ["n", "h", "w", 3])
        graph = helper.make_graph(
            self._nodes, "retinaface", [image], outputs, initializer=self._constants
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="pass-dataset",
        )
        self._onnx.checker.check_model(model)
        return bytes(model.SerializeToString())

    # --- parts of the network ---------------------------------------------------------------------

    def _body(self, network: Network) -> tuple[str, str, str]:
        body = network.body
        if isinstance(body, MobileNet):
            first: Any = body.stage1[0]
            features = self._activate(self._pixels(first[0], first[1]))
            fine = self._separables(features, list(body.stage1)[1:])
            middle = self._separables(fine, list(body.stage2))
            return fine, middle, self._separables(middle, list(body.stage3))
        assert isinstance(body, ResNet)
        features = self._node("Relu", [self._pixels(body.conv1, body.bn1)])
        features = self._node(
            "MaxPool", [features], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]
        )
        fine = self._bottlenecks(self._bottlenecks(features, body.layer1), body.layer2)
        middle = self._bottlenecks(fine, body.layer3)
        return fine, middle, self._bottlenecks(middle, body.layer4)

    def _pixels(self, first: nn.Conv2d, norm: nn.Module) -> str:
        """The first convolution, from pixels as they are decoded.

        A row of W pixels is read as one of 3·W numbers, so that a kernel of 3×3 pixels becomes one
        of 3×9 numbers that moves by 6; nothing needs to be transposed. The mean goes into the bias,
        which is exact, as the margin has the mean's colour and so stands for the zero padding.
        """
        weights, biases = _folded(first, norm)
        mean = np.array(MEAN_BGR, np.float64).reshape(1, 3, 1, 1)
        biases = biases - (weights * mean).sum(axis=(1, 2, 3))
        weights, biases = _filled(weights, 0, self._lanes), _filled(biases, 0, self._lanes)
        outputs, channels, height, width = weights.shape
        weights = weights.transpose(0, 2, 3, 1).reshape(outputs, 1, height, width * channels)
        types = self._onnx.TensorProto
        pixels = self._node("Cast", [INPUT_NAME], to=types.FLOAT)
        rows = self._node("Reshape", [pixels, self._constant(np.array([0, 0, -1], np.int64))])
        pixels = self._node("Unsqueeze", [rows, self._constant(np.array([1], np.int64))])
        return self._convolve(pixels, weights, biases, (2, 6), (0, 0))

    def _separables(self, features: str, blocks: list[Any]) -> str:
        for block in blocks:
            depthwise, pointwise = _folded(block[0], block[1]), _folded(block[3], block[4])
            weights, biases = (_filled(values, 0, self._lanes) for values in depthwise)
            features = self._convolve(
                features, weights, biases, block[0].stride, (1, 1), groups=len(weights)
            )
            weights, biases = (_filled(values, 0, self._lanes) for values in pointwise)
            weights = _filled(weights, 1, self._lanes)
            features = self._activate(features)
            features = self._activate(self._convolve(features, weights, biases, (1, 1), (0, 0)))
        return features

    def _bottlenecks(self, features: str, blocks: nn.Sequential) -> str:
        for block in blocks:
            assert isinstance(block, Bottleneck)
            shortcut = features
            if block.downsample is not None:
                shortcut = self._normed(features, *block.downsample)
            inner = self._node("Relu", [self._normed(features, block.conv1, block.bn1)])
            inner = self._node("Relu", [self._normed(inner, block.conv2, block.bn2)])
            inner = self._normed(inner, block.conv3, block.bn3)
            features = self._node("Relu", [self._node("Add", [inner, shortcut])])
        return features

    def _add_enlarged(self, fine: str, coarse: str) -> str:
        size = self._node("Shape", [fine])
        enlarged = self._node(
            "Resize",
            [coarse, "", "", size],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        return self._node("Add", [fine, enlarged])

    def _context(self, features: str, context: Context) -> str:
        shared = self._block(features, context.conv5X5_1)
        parts = [
            self._block(features, context.conv3X3),
            self._block(shared, context.conv5X5_2),
            self._block(self._block(shared, context.conv7X7_2), context.conv7x7_3),
        ]
        return self._node("Relu", [self._node("Concat", parts, axis=1)])

    # --- layers -----------------------------------------------------------------------------------

    def _block(self, features: str, block: Any) -> str:
        features = self._normed(features, block[0], block[1])
        return self._activate(features, block[2]) if len(block) > 2 else features

    def _activate(self, features: str, activation: nn.Module | None = None) -> str:
        if isinstance(activation, nn.ReLU):
            return self._node("Relu", [features])
        return self._node("LeakyRelu", [features], alpha=0.1)

    def _normed(self, features: str, conv: Any, norm: Any) -> str:
        weights, biases = _folded(conv, norm)
        return self._convolve(
            features, weights, biases, conv.stride, conv.padding, groups=conv.groups
        )

    def _convolve(
        self,
        features: str,
        weights: Array,
        biases: Array,
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        *,
        groups: int = 1,
    ) -> str:
        inputs = [features, self._constant(weights), self._constant(biases)]
        return self._node(
            "Conv",
            inputs,
            kernel_shape=list(weights.shape[2:]),
            strides=list(stride),
            pads=[*padding, *padding],
            group=groups,
        )

    def _constant(self, values: Array) -> str:
        name = f"c{len(self._constants)}"
        if values.dtype != np.int64:
            values = values.astype(np.float32)
        self._constants.append(
            self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name)
        )
        return name

    def _node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"n{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(kind, inputs, [name], **attributes))
        return name


def _filled(values: Array, axis: int, size: int) -> Array:
    """With zeros at the end of an axis, up to a size."""
    missing = [(0, 0)] * values.ndim
    missing[axis] = (0, max(0, size - values.shape[axis]))
    return np.pad(values, missing)


def _array(tensor: Any) -> Array:
    values: Array = tensor.detach().double().numpy()
    return values


def _folded(conv: Any, norm: Any) -> tuple[Array, Array]:
    """Weights and biases, float64, of a convolution with the batch norm behind it."""
    scale = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
    weights = _array(conv.weight) * scale.reshape(-1, 1, 1, 1)
    return weights, _array(norm.bias) - _array(norm.running_mean) * scale


def _head(network: Network, level: int) -> tuple[Array, Array]:
    """Both heads of a level as one: the difference of the classes, then the boxes."""
    classes: Any = network.ClassHead[level]
    boxes: Any = network.BboxHead[level]
    class_weights, class_biases = _array(classes.conv1x1.weight), _array(classes.conv1x1.bias)
    weights = [class_weights[1::2] - class_weights[0::2], _array(boxes.conv1x1.weight)]
    biases = [class_biases[1::2] - class_biases[0::2], _array(boxes.conv1x1.bias)]
    return np.concatenate(weights), np.concatenate(biases)
