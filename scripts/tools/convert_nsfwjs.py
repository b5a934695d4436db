"""Makes ``nsfw_mobilenet_v2.onnx``, the weights of the ranker `nsfw`, of the package of nsfwjs.

    npm pack nsfwjs@4.4.0
    python scripts/tools/convert_nsfwjs.py nsfwjs-4.4.0.tgz $PASS_WEIGHTS_DIR

The network is MobileNetV2 of https://github.com/GantMan/nsfw_model (MIT), which nsfwjs (MIT) has in
8 bits: ``minimum + scale * byte`` for each tensor. Batch normalisation is folded into the
convolutions before it, in float64. The file is the same, byte for byte, wherever it is made with
the same `onnx`; its SHA-256 is pinned in `pass_dataset.curate.ranking.weights`.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

#: Of nsfwjs 4.4.0.
PACKAGE_SHA256 = "585cd178f3b994337c4d10a87b080d342fc52f8b9bf0085c4d1f345a3a1c5382"
_FOLDER = "package/dist/models/mobilenet_v2"
#: Read by all runtimes of ONNX that the package takes.
_OPSET, _IR_VERSION = 17, 8

Weights = Mapping[str, npt.NDArray[np.float32]]


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("package", type=Path, help="nsfwjs-4.4.0.tgz")
    parser.add_argument("out", type=Path, help="folder of weights")
    options = parser.parse_args()
    topology, weights = read_package(options.package)
    data = convert(topology, weights)
    path = options.out / "nsfw_mobilenet_v2.onnx"
    path.write_bytes(data)
    print(f"{path}: {len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


def read_package(path: Path) -> tuple[Mapping[str, Any], Weights]:
    """Layers and weights of the network in a package.

    Raises:
      ValueError: it is another package.
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != PACKAGE_SHA256:
        raise ValueError(f"{path}: expected SHA-256 {PACKAGE_SHA256}, found {found}")
    with tarfile.open(path) as tar:
        model = as_json(_exported(_member(tar, "model.min.js")))
        manifest = model["weightsManifest"][0]
        data = b"".join(
            base64.b64decode(_exported(_member(tar, f"{name}.min.js")).strip('"'))
            for name in manifest["paths"]
        )
    return model["modelTopology"]["model_config"]["config"], read_weights(manifest, data)


def _member(tar: tarfile.TarFile, name: str) -> str:
    file = tar.extractfile(f"{_FOLDER}/{name}")
    assert file is not None  # a file, not a folder
    return file.read().decode()


def _exported(script: str) -> str:
    """What a module of one expression exports."""
    found = re.search(r"\w\.exports=([{\"].*[}\"])\},\{\}\]\},\{\},\[1\]\)\(1\)", script, re.DOTALL)
    if found is None:
        raise ValueError(f"expected a module that exports one value, found {script[:80]!r}")
    return found.group(1)


def as_json(literal: str) -> Any:
    """A value from a literal of JavaScript, as it comes out of a minifier."""
    pieces = re.split(r'("(?:[^"\\]|\\.)*")', literal)
    for place in range(0, len(pieces), 2):
        text = pieces[place].replace("!0", "true").replace("!1", "false")
        text = re.sub(r"([{,])([A-Za-z_$][\w$]*):", r'\1"\2":', text)
        pieces[place] = re.sub(r"(?<![\d.])\.(\d)", r"0.\1", text)
    return json.loads("".join(pieces))


def read_weights(manifest: Mapping[str, Any], data: bytes) -> Weights:
    """Tensors from their bytes."""
    tensors, start = {}, 0
    for entry in manifest["weights"]:
        shape, quantised = entry["shape"], entry.get("quantization")
        kind = np.dtype(quantised["dtype"] if quantised else entry["dtype"])
        size = int(np.prod(shape)) * kind.itemsize
        values = np.frombuffer(data[start : start + size], kind).reshape(shape)
        if quantised:
            # As TF.js does it: in double precision, then rounded.
            values = values.astype(np.float64) * quantised["scale"] + quantised["min"]
        tensors[entry["name"]] = values.astype(np.float32)
        start += size
    if start != len(data):
        raise ValueError(f"expected {start:,} bytes of weights, found {len(data):,}")
    return tensors


def convert(topology: Mapping[str, Any], weights: Weights) -> bytes:
    """The network as ONNX: ``images`` N×224×224×3 float32 in 0 … 1, RGB; ``shares`` N×5."""
    graph = _Graph(weights)
    for layer in topology["layers"]:
        graph.add(layer)
    return graph.save()


class _Graph:
    """Layers of Keras, added in their order."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._nodes: list[Any] = []
        self._tensors: list[Any] = []
        self._of: dict[str, str] = {}
        #: Convolutions whose batch normalisation is still to come, and paddings before them.
        self._open: dict[str, tuple[str, npt.NDArray[np.float64], dict[str, Any]]] = {}
        self._pads: dict[str, list[int]] = {}

    def add(self, layer: Mapping[str, Any]) -> None:
        name, config = layer["name"], layer["config"]
        inputs = [entry[0] for entry in layer["inbound_nodes"][0]] if layer["inbound_nodes"] else []
        kind = layer["class_name"]
        make = getattr(self, f"_{kind.lower()}", None)
        if make is None:
            raise ValueError(f"layer {name}: {kind} is not known here")
        make(name, config, inputs)

    def _emit(self, kind: str, name: str, inputs: Sequence[str], **attributes: Any) -> None:
        self._nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        self._of[name] = name

    def _tensor(self, name: str, values: npt.NDArray[Any]) -> str:
        self._tensors.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _inputlayer(self, name: str, config: Mapping[str, Any], inputs: list[str]) -> None:
        self._emit("Transpose", name, ["images"], perm=[0, 3, 1, 2])

    def _zeropadding2d(self, name: str, config: Mapping[str, Any], inputs: list[str]) -> None:
        (top, bottom), (left, right) = config["padding"]
        self._pads[name] = [top, left, bottom, right]
        self._of[name] = self._of[inputs[0]]

    def _conv2d(self, name: str, config: Mapping[str, Any], inputs: list[str]) -> None:
        kernel = self._weights[f"{name}/kernel"].astype(np.float64)  # height, width, in, out
        self._convolution(name, config, inputs[0], kernel.transpose(3, 2, 0, 1), 1)

    def _depthwiseconv2d(self, name: str, config: Mapping[str, Any], inputs: list[str]) -> None:
        kernel = self._weights[f"{name}/depthwise_kernel"].astype(np.float64)  # h, w, in, 1
        groups = kernel.shape[2]
        self._convolution(name, config, inputs[0], kernel.transpose(2, 3, 0, 1), groups)

    def _convolution(
        self,
        name: str,
        config: Mapping[str, Any],
        given: str,
        kernel: npt.NDArray[np.float64],
        groups: int,
    ) -> None:
        if config["use_bias"] or config["activation"] != "linear":
            raise ValueError(f"layer {name}: expected batch normalisation after it, and no bias")
        attributes: dict[str, Any] = {"strides": config["strides"], "group": groups}
        if config["padding"] == "same":
            attributes["auto_pad"] = "SAME_UPPER"
        else:
            attributes["pads"] = self._pads.get(given, [0, 0, 0, 0])
        self._open[name] = (self._of[given], kernel, attributes)

    def _batchnormalization(self, name: str, config: Mapping[str, Any], inputs: list[str]) -> None:
        given, kernel, attributes = self._open.pop(inputs[0])
        gamma, beta, mean, variance = (
            self._weights[f"{name}/{part}"].astype(np.float64)
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        factor = gamma / np.sqrt(variance + config["epsilon"])
        folded = (kernel * factor[:, None, None, None]).astype(np.float32)
        bias = (beta - mean * factor).astype(np.float32)
        tensors = [self._tensor(f"{name}/kernel", folded), self._tensor(f"{name}/bias", bias)]
        self._emit("Conv", name, [given, *tensors], **attributes)

    def _relu(self, name: str, config: Mapping[str, Any], inputs: list[str]) -> None:
        most = self._tensor(f"{name}/most", np.array(config["max_value"], np.float32))
        least = self._tensor(f"{name}/least", np.array(0, np.float32))
        self._emit("Clip", name, [self._of[inputs[0]], least, most])

    def _add(self, name: str, config: Mapping[str, Any], inputs: list[str]) -> None:
        self._emit("Add", name, [self._of[one] for one in inputs])

    def _averagepooling2d(self, name: str, config: Mapping[str, Any], inputs: list[str]) -> None:
        size, strides = config["pool_size"], config["strides"]
        if config["padding"] != "valid":
            raise ValueError(f"layer {name}: expected padding valid")
        given = self._of[inputs[0]]
        self._emit("AveragePool", name, [given], kernel_shape=size, strides=strides)

    def _flatten(self, name: str, config: Mapping[str, Any], inputs: list[str]) -> None:
        # Channels last, as Keras has them.
        self._emit("Transpose", f"{name}/last", [self._of[inputs[0]]], perm=[0, 2, 3, 1])
        self._emit("Flatten", name, [f"{name}/last"], axis=1)

    def _dense(self, name: str, config: Mapping[str, Any], inputs: list[str]) -> None:
        kernel = self._tensor(f"{name}/kernel", self._weights[f"{name}/kernel"])
        bias = self._tensor(f"{name}/bias", self._weights[f"{name}/bias"])
        activation = {"relu": "Relu", "softmax": "Softmax"}[config["activation"]]
        self._emit("Gemm", f"{name}/linear", [self._of[inputs[0]], kernel, bias])
        self._emit(activation, name, [f"{name}/linear"])

    def _dropout(self, name: str, config: Mapping[str, Any], inputs: list[str]) -> None:
        self._of[name] = self._of[inputs[0]]

    def save(self) -> bytes:
        """The bytes of the file."""
        last = self._nodes[-1].output[0]
        self._nodes.append(helper.make_node("Identity", [last], ["shares"], "shares"))
        graph = helper.make_graph(
            self._nodes,
            "nsfw_mobilenet_v2",
            [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 224, 224, 3])],
            [helper.make_tensor_value_info("shares", TensorProto.FLOAT, ["n", 5])],
            self._tensors,
        )
        opset = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opset, producer_name="pass-dataset")
        model.ir_version = _IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        data: bytes = model.SerializeToString(deterministic=True)
        return data


if __name__ == "__main__":
    main()
