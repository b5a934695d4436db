"""The network as an ONNX graph, written node by node.

Not by PyTorch's exporters: one of them is going, the other needs 8 s and two more packages, and
neither does what this graph does for speed: batch norm folded into the convolutions; pixels taken
as they are decoded, H×W×3 uint8, without a transposed float copy; one head a level in place of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pass_dataset.extras import require
from pass_dataset.passify.detectors.retinaface.graph import Graph
from pass_dataset.passify.detectors.retinaface.interface import INPUT_NAME
from pass_dataset.passify.detectors.retinaface.network import Network
from pass_dataset.passify.detectors.retinaface.parameters import Kernel

__all__ = ["build_onnx_graph"]

# Old enough for ONNX Runtime 1.18, new enough for all that is used.
_OPSET = 17
_IR_VERSION = 8

Array = np.ndarray[Any, Any]


def build_onnx_graph(network: Network, *, lanes: int = 1) -> bytes:
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
    return _OnnxGraph(lanes).build(network)


class _OnnxGraph(Graph):
    def __init__(self, lanes: int) -> None:
        import onnx

        super().__init__(lanes)
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def build(self, network: Network) -> bytes:
        helper, types = self._onnx.helper, self._onnx.TensorProto
        outputs = [
            helper.make_tensor_value_info(output, types.FLOAT, ["n", 10, f"h{level}", f"w{level}"])
            for level, output in enumerate(self._network(network))
        ]
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

    def _convolve_pixels(self, kernel: Kernel, *, leak: float | None) -> str:
        """The first convolution, from pixels as they are decoded.

        A row of W pixels is read as one of 3·W numbers, so that a kernel of 3×3 pixels becomes one
        of 3×9 numbers that moves by 6; nothing needs to be transposed.
        """
        weights, biases = kernel
        outputs, channels, height, width = weights.shape
        weights = weights.transpose(0, 2, 3, 1).reshape(outputs, 1, height, width * channels)
        pixels = self._node("Cast", [INPUT_NAME], to=self._onnx.TensorProto.FLOAT)
        rows = self._node("Reshape", [pixels, self._constant(np.array([0, 0, -1], np.int64))])
        pixels = self._node("Unsqueeze", [rows, self._constant(np.array([1], np.int64))])
        features = self._node(
            "Conv",
            [pixels, self._constant(weights), self._constant(biases)],
            kernel_shape=list(weights.shape[2:]),
            strides=[2, 2 * channels],
        )
        return self._activate(features, leak)

    def _convolve(
        self,
        features: str,
        kernel: Kernel,
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        leak: float | None = None,
    ) -> str:
        weights, biases = kernel
        features = self._node(
            "Conv",
            [features, self._constant(weights), self._constant(biases)],
            kernel_shape=list(weights.shape[2:]),
            strides=[stride, stride],
            pads=[padding] * 4,
            group=groups,
        )
        return self._activate(features, leak)

    def _pool(self, features: str) -> str:
        return self._node(
            "MaxPool", [features], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]
        )

    def _enlarge(self, features: str, like: str) -> str:
        return self._node(
            "Resize",
            [features, "", "", self._node("Shape", [like])],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def _add(self, one: str, other: str, *, leak: float | None = None) -> str:
        return self._activate(self._node("Add", [one, other]), leak)

    def _concatenate(self, parts: Sequence[str]) -> str:
        return self._node("Concat", list(parts), axis=1)

    def _activate(self, features: str, leak: float | None) -> str:
        if leak is None:
            return features
        if leak == 0.0:
            return self._node("Relu", [features])
        return self._node("LeakyRelu", [features], alpha=leak)

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
