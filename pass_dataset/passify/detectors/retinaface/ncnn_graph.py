"""The network as a graph of ncnn's layers: a text that lists them, and their weights.

Layers, their numbered parameters and the order of weights are those of ncnn's documents
("operators", "param and model file structure"). ncnn's tool pnnx could convert the network, but
would not join what reads the same features, and is one more package.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pass_dataset.passify.detectors.retinaface.graph import Graph, leak_of
from pass_dataset.passify.detectors.retinaface.interface import INPUT_NAME, OUTPUT_NAMES
from pass_dataset.passify.detectors.retinaface.network import Context, Network
from pass_dataset.passify.detectors.retinaface.parameters import Kernel, folded

__all__ = ["build_ncnn_graph"]

#: What the text begins with.
_MAGIC = "7767517"
#: Written before weights in float32.
_FLOAT32 = b"\0\0\0\0"


def build_ncnn_graph(network: Network) -> tuple[str, bytes]:
    """The text of the graph, and the weights.

    Its input, `INPUT_NAME`, is float32 3×(H+2·m)×(W+2·m), BGR, with a margin of the mean colour of
    m pixels, the padding of `first_convolution`; its outputs, `OUTPUT_NAMES`, are those of
    `Network` for one image.
    """
    return _NcnnGraph().build(network)


@dataclass(frozen=True)
class _Layer:
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    #: Values by number.
    parameters: dict[int, int | float | list[int] | list[float]]


class _NcnnGraph(Graph):
    def __init__(self) -> None:
        super().__init__()
        self._layers: list[_Layer] = []
        self._weights: list[bytes] = []

    def build(self, network: Network) -> tuple[str, bytes]:
        self._layers.append(_Layer("Input", (), (INPUT_NAME,), {}))
        renamed = dict(zip(self._network(network), OUTPUT_NAMES, strict=True))
        return _text(_split(self._layers), renamed), b"".join(self._weights)

    def _context(self, features: str, context: Context) -> str:
        """Two convolutions of the same features are one, which transforms them once.

        Where one half has to leak both do; what leaks is then cut off in the other.
        """
        (weights, biases), (more_weights, more_biases) = (
            folded(block[0], block[1]) for block in (context.conv3X3, context.conv5X5_1)
        )
        kernel = np.concatenate([weights, more_weights]), np.concatenate([biases, more_biases])
        leak = leak_of(context.conv5X5_1)
        both = self._convolve(features, kernel, padding=1, leak=leak)
        narrow, shared = self._slice(both, [len(biases), len(more_biases)])
        parts = [
            self._activate(narrow) if leak else narrow,
            self._block(shared, context.conv5X5_2, leak=0.0),
            self._block(self._block(shared, context.conv7X7_2), context.conv7x7_3, leak=0.0),
        ]
        return self._concatenate(parts)

    # --- layers -----------------------------------------------------------------------------------

    def _convolve_pixels(self, kernel: Kernel, *, leak: float | None) -> str:
        return self._convolve(INPUT_NAME, kernel, stride=2, leak=leak)

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
        outputs, _, _, size = weights.shape
        # Padding of the top and height of the kernel are, unless given, as of the left and width.
        parameters: dict[int, int | float | list[int] | list[float]] = {
            0: outputs,
            1: size,
            3: stride,
            4: padding,
            5: 1,
            6: weights.size,
        }
        if groups > 1:
            parameters[7] = groups
        if leak is not None:
            parameters[9] = 2 if leak else 1
            if leak:
                parameters[10] = [leak]
        self._weights += [_FLOAT32, _bytes(weights), _bytes(biases)]
        kind = "ConvolutionDepthWise" if groups > 1 else "Convolution"
        return self._layer(kind, [features], parameters)

    def _pool(self, features: str) -> str:
        # By the highest (0), as much padding as asked for (5).
        return self._layer("Pooling", [features], {0: 0, 1: 3, 2: 2, 3: 1, 5: 1})

    def _enlarge(self, features: str, like: str) -> str:
        # Twice the size (1, 2) by the nearest (0), and cut: `like` has as much or one less. ncnn
        # can enlarge to a size, but what is nearest then differs between its versions.
        twice = self._layer("Interp", [features], {0: 1, 1: 2.0, 2: 2.0})
        return self._layer("Crop", [twice, like], {0: 0, 1: 0, 2: 0})

    def _add(self, one: str, other: str, *, leak: float | None = None) -> str:
        features = self._layer("BinaryOp", [one, other], {0: 0})
        return features if leak is None else self._activate(features, leak)

    def _concatenate(self, parts: Sequence[str]) -> str:
        return self._layer("Concat", parts, {0: 0})

    def _activate(self, features: str, leak: float = 0.0) -> str:
        return self._layer("ReLU", [features], {0: leak})

    def _slice(self, features: str, sizes: list[int]) -> tuple[str, ...]:
        """Channels, so many for each part."""
        outputs = tuple(f"{len(self._layers)}-{part}" for part in range(len(sizes)))
        self._layers.append(_Layer("Slice", (features,), outputs, {0: sizes, 1: 0}))
        return outputs

    def _layer(
        self,
        kind: str,
        inputs: Sequence[str],
        parameters: dict[int, int | float | list[int] | list[float]],
    ) -> str:
        output = str(len(self._layers))
        self._layers.append(_Layer(kind, tuple(inputs), (output,), parameters))
        return output


def _split(layers: Sequence[_Layer]) -> list[_Layer]:
    """The same, with a layer that hands features out wherever several layers read them."""
    readers = Counter(name for layer in layers for name in layer.inputs)
    copies: dict[str, list[str]] = defaultdict(list)
    result = []
    for layer in layers:
        inputs = tuple(copies[name].pop(0) if copies[name] else name for name in layer.inputs)
        result.append(_Layer(layer.kind, inputs, layer.outputs, layer.parameters))
        for name in layer.outputs:
            if readers[name] > 1:
                copies[name] = [f"{name}-{number}" for number in range(readers[name])]
                result.append(_Layer("Split", (name,), tuple(copies[name]), {}))
    return result


def _text(layers: Sequence[_Layer], renamed: dict[str, str]) -> str:
    blobs = sum(len(layer.outputs) for layer in layers)
    lines = [_MAGIC, f"{len(layers)} {blobs}"]
    for number, layer in enumerate(layers):
        names = [renamed.get(name, name) for name in layer.inputs + layer.outputs]
        parameters = [_assignment(key, value) for key, value in layer.parameters.items()]
        counts = [str(len(layer.inputs)), str(len(layer.outputs))]
        lines.append(" ".join([layer.kind, f"layer{number}", *counts, *names, *parameters]))
    return "\n".join(lines) + "\n"


def _assignment(key: int, value: int | float | list[int] | list[float]) -> str:
    if isinstance(value, list):
        # How ncnn marks a list, and then its length.
        return f"{-23300 - key}={len(value)}," + ",".join(str(one) for one in value)
    return f"{key}={value}"


def _bytes(values: np.ndarray) -> bytes:
    return values.astype("<f4").tobytes()
