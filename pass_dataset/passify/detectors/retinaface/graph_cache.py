"""The ONNX graph of the network: made once, kept in the user's cache.

It takes PyTorch to make it and none to run it, which is why this module imports none.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from pathlib import Path

from pass_dataset import folders
from pass_dataset.extras import require
from pass_dataset.passify.detectors.weights.store import VerifiedWeights

__all__ = ["INPUT_NAME", "MEAN_BGR", "cached_graph"]

logger = logging.getLogger(__name__)

#: Raise it whenever `graph.build_graph` makes another graph.
_GRAPH_VERSION = 1

INPUT_NAME = "image"

#: Subtracted from the pixels, which are not scaled (published code, ``main_face_detector.py``).
MEAN_BGR = (104, 117, 123)


def cached_graph(weights: VerifiedWeights) -> tuple[bytes, int]:
    """The ONNX graph of these weights and the margin of its input.

    Taken from the cache if it is there. Several processes may make it at once: each writes it
    whole, and all write the same.
    """
    lanes = _lanes()
    name = f"retinaface-{weights.sha256[:32]}-v{_GRAPH_VERSION}-{lanes}"
    path = folders.user_cache("graphs") / f"{name}.onnx"
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    # The first 33 bytes: SHA-256 of the rest, and the margin.
    digest, margin, graph = content[:32], content[32:33], content[33:]
    if margin and hashlib.sha256(margin + graph).digest() == digest:
        return graph, margin[0]
    require("torch", feature="Preparing RetinaFace for ONNX Runtime", extra="passify")
    from pass_dataset.passify.detectors.retinaface.graph import build_graph, first_convolution
    from pass_dataset.passify.detectors.retinaface.network import load_network

    network = load_network(weights.path)
    graph = build_graph(network, lanes=lanes)
    margin = bytes([int(first_convolution(network).padding[0])])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folders.write_whole(path, hashlib.sha256(margin + graph).digest() + margin + graph)
    except OSError as error:
        logger.warning("%s: cannot be kept (%s); it is made anew next time", path, error.strerror)
    return graph, margin[0]


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
