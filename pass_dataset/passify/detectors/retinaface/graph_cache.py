"""Graphs of the network: made once, kept in the user's cache.

It takes PyTorch to make them and none to run them, which is why this module imports none.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.extras import require
from pass_dataset.files.cache import optional_cache
from pass_dataset.files.whole import write_whole
from pass_dataset.passify.detectors.weights.store import VerifiedWeights

if TYPE_CHECKING:
    from pass_dataset.passify.detectors.retinaface.network import Network

__all__ = [
    "NcnnGraph",
    "cached_ncnn_graph",
    "cached_onnx_graph",
]

logger = logging.getLogger(__name__)

#: Raise them whenever `build_onnx_graph` or `build_ncnn_graph` makes another graph.
_ONNX_VERSION = 2
_NCNN_VERSION = 1


def cached_onnx_graph(weights: VerifiedWeights) -> tuple[bytes, int]:
    """The ONNX graph of these weights and the margin of its input."""
    lanes = _lanes()

    def make(network: Network) -> bytes:
        # Torch comes with it.
        from pass_dataset.passify.detectors.retinaface.onnx_graph import build_onnx_graph

        return build_onnx_graph(network, lanes=lanes)

    return _cached(weights, f"v{_ONNX_VERSION}-{lanes}.onnx", "ONNX Runtime", make)


@dataclass(frozen=True)
class NcnnGraph:
    """What ncnn takes to run the network.

    Attributes:
      text: the layers, as ncnn reads them.
      weights: theirs.
      margin: of the input.
    """

    text: str
    weights: bytes
    margin: int

    @property
    def steps(self) -> list[str]:
        """Outputs of the first layers, to the first one that several layers read.

        With features at strides 2 and 4 these are the large ones.
        """
        layers = [line.split() for line in self.text.splitlines()[2:]]
        chain = itertools.takewhile(lambda layer: layer[0] != "Split", layers)
        # Kind, name, numbers of inputs and outputs, inputs, outputs; first of all the pixels.
        return [layer[4 + int(layer[2])] for layer in chain][1:]


def cached_ncnn_graph(weights: VerifiedWeights) -> NcnnGraph:
    """ncnn's graph of these weights."""

    def make(network: Network) -> bytes:
        # Torch comes with it.
        from pass_dataset.passify.detectors.retinaface.ncnn_graph import build_ncnn_graph

        text, content = build_ncnn_graph(network)
        return text.encode() + b"\0" + content

    graph, margin = _cached(weights, f"v{_NCNN_VERSION}.ncnn", "ncnn", make)
    text, _, content = graph.partition(b"\0")
    return NcnnGraph(text.decode(), content, margin)


def _cached(
    weights: VerifiedWeights, kind: str, runtime: str, make: Callable[[Network], bytes]
) -> tuple[bytes, int]:
    """A graph and the margin of its input.

    Taken from the cache if it is there. Several processes may make it at once: each writes it
    whole, and all write the same.

    Args:
      weights: what it is made of.
      kind: tells it from other graphs of the same weights; the end of its file's name.
      runtime: what it is for, as users know it.
      make: makes it.
    """
    kept = optional_cache("graphs")
    path = None if kept is None else kept / f"retinaface-{weights.sha256[:32]}-{kind}"
    content = b""
    with contextlib.suppress(OSError):
        content = b"" if path is None else path.read_bytes()
    # The first 33 bytes: SHA-256 of the rest, and the margin.
    digest, margin, graph = content[:32], content[32:33], content[33:]
    if margin and hashlib.sha256(margin + graph).digest() == digest:
        return graph, margin[0]
    require("torch", feature=f"Preparing RetinaFace for {runtime}", extra="passify")
    # Torch comes with it.
    from pass_dataset.passify.detectors.retinaface.network import load_network
    from pass_dataset.passify.detectors.retinaface.parameters import first_convolution

    network = load_network(weights.path)
    graph = make(network)
    margin = bytes([int(first_convolution(network).padding[0])])
    if path is not None:
        _keep(path, hashlib.sha256(margin + graph).digest() + margin + graph)
    return graph, margin[0]


def _keep(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        logger.warning("%s: cannot be kept (%s); it is made anew next time", path, error.strerror)


@functools.cache
def _lanes() -> int:
    """Channels that ONNX Runtime computes at once, where it pays to know: 16 with AVX-512.

    There, graphs with layers filled up to 16 channels took 4 % less time. With 8 or 4 lanes no
    layer needs to be filled.
    """
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as facts:
            flags = next((line for line in facts if line.startswith("flags")), "")
    except OSError:
        return 1
    return 16 if "avx512f" in flags.split() else 1
