"""Where ncnn's time goes in RetinaFace: milliseconds an image by kind of layer, on one thread."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from measurement import format_table

#: Rounds of which the fastest counts, for each layer.
ROUNDS = 5


def layer_table(runtime: Any, text: str, images: Sequence[Any]) -> str:
    """A table: kind of layer, layers, milliseconds an image, share.

    Args:
      runtime: RetinaFace's `NcnnRuntime`.
      text: its graph, as ncnn reads it.
      images: H×W×3 uint8.
    """
    layers = [line.split() for line in text.splitlines()[2:]][1:]
    best = [float("inf")] * len(layers)
    for _ in range(ROUNDS):
        for position, seconds in enumerate(_seconds(runtime, layers, images)):
            best[position] = min(best[position], seconds / len(images))
    kinds: dict[str, list[float]] = {}
    for layer, seconds in zip(layers, best, strict=True):
        kinds.setdefault(_kind(layer), []).append(seconds * 1e3)
    whole = sum(map(sum, kinds.values()))
    lines = [["ncnn's layers", "number", "ms/img", "share"]]
    for kind, some in sorted(kinds.items(), key=lambda pair: -sum(pair[1])):
        lines.append([kind, str(len(some)), f"{sum(some):.2f}", f"{sum(some) / whole:.0%}"])
    return format_table([*lines, ["all", str(len(layers)), f"{whole:.2f}", "100%"]])


def _seconds(runtime: Any, layers: Sequence[list[str]], images: Sequence[Any]) -> list[float]:
    """Processor time of each layer, of all images together; each is asked for after the last."""
    import ncnn
    import numpy as np

    from pass_dataset.passify.detectors.retinaface.interface import INPUT_NAME, MEAN_BGR

    spent = [0.0] * len(layers)
    margin, memory = runtime._margin, runtime._memory
    for image in images:
        sides = ((margin, margin), (margin, margin))
        channels = [
            np.pad(image[..., c], sides, constant_values=round(MEAN_BGR[c])) for c in range(3)
        ]
        pixels = ncnn.Mat(np.ascontiguousarray(np.stack(channels), np.float32)).clone()
        with runtime._net.create_extractor() as extractor:
            memory.lend(extractor)
            extractor.input(INPUT_NAME, pixels)
            for position, layer in enumerate(layers):
                inputs, outputs = int(layer[2]), int(layer[3])
                started = time.process_time()
                for name in layer[4 + inputs : 4 + inputs + outputs]:
                    extractor.extract(name, 1)
                spent[position] += time.process_time() - started
    return spent


def _kind(layer: Sequence[str]) -> str:
    if not layer[0].startswith("Convolution"):
        return "adding, joining, enlarging, pooling"
    start = 4 + int(layer[2]) + int(layer[3])
    values = dict(part.split("=") for part in layer[start:])
    side, stride = values["1"], values["3"]
    kind = "one for each channel" if "DepthWise" in layer[0] else "convolutions"
    return f"{kind}, {side}×{side}" + (f", stride {stride}" if stride != "1" else "")


def sound_pixels(path: Path) -> Any:
    """H×W×3 uint8 BGR."""
    from pass_dataset.images.decoding import decode

    return decode(path.read_bytes()).pixels
