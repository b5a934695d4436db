"""Which convolutions of 3×3 go by Winograd's method: those it is faster for on this machine.

Both ways are measured with each number of channels that the network has, which takes about a
second. What was found is kept in the user's cache, for this processor and these libraries: later
processes do not measure, and compute as the first one did, to the last bit. Where there is no
cache, each process measures for itself, and scores may differ by 1e-4 between them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import os
import platform
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import torch

from pass_dataset.errors import MissingExtraError
from pass_dataset.files.cache import optional_cache
from pass_dataset.files.whole import write_whole
from pass_dataset.folders.lock import hold
from pass_dataset.passify.detectors.cascade_rcnn.convolution import Convolution, Convolutions

__all__ = ["winograd_channels"]

logger = logging.getLogger(__name__)

#: Channels in and out of the network's convolutions of 3×3, and the largest map that ResNet has of
#: them for images of 500×375: height and width.
TYPICAL_MAPS = {64: (200, 272), 128: (100, 136), 256: (50, 68), 512: (25, 34)}

#: Times that both ways are measured, in turn; the shortest counts.
ROUNDS = 2

#: Winograd's method is taken where it takes no more than this share of the other's time: where they
#: are alike, chance is not to choose.
ENOUGH = 1.1

#: Raise it whenever either way becomes another one.
_VERSION = 2


@functools.cache
def winograd_channels() -> frozenset[int]:
    """Numbers of channels, in as out, whose convolutions go by Winograd's method.

    None where ncnn is missing, or gives another result.
    """
    folder = optional_cache("speeds")
    if folder is None:
        return _measured()
    path = folder / f"convolutions-{_machine()}.json"
    known = _kept(path)
    if known is not None:
        return known
    with contextlib.suppress(OSError):  # writing says it
        folder.mkdir(parents=True, exist_ok=True)
    # One process measures, alone, and the others take what it found.
    with hold(folder, is_needed=False):
        known = _kept(path)
        if known is None:
            known = _measured()
            _keep(path, known)
    return known


def _measured() -> frozenset[int]:
    found = frozenset(channels for channels in TYPICAL_MAPS if _is_faster(channels))
    logger.info("convolutions by Winograd's method: those of %s channels", sorted(found) or "no")
    return found


def _keep(path: Path, found: frozenset[int]) -> None:
    try:
        write_whole(path, json.dumps({"winograd_channels": sorted(found)}).encode())
    except OSError as error:
        logger.warning("%s: cannot be kept (%s); measured anew next time", path, error.strerror)


def _kept(path: Path) -> frozenset[int] | None:
    """What was found before; None: nothing, or nothing that can be read."""
    try:
        channels = json.loads(path.read_bytes())["winograd_channels"]
        return frozenset(channels) & TYPICAL_MAPS.keys()
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_faster(channels: int) -> bool:
    """Whether Winograd's method is about as fast as oneDNN or faster, and right."""
    height, width = TYPICAL_MAPS[channels]
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((channels, channels, 3, 3), np.float32) / (3 * channels**0.5)
    bias = rng.standard_normal(channels, np.float32)
    pixels = rng.standard_normal((1, height, width, channels), np.float32)
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    cpu = torch.device("cpu")
    try:
        direct, winograd = (
            Convolutions({}, cpu, torch.float32, chosen).of(weight, bias)
            for chosen in (frozenset[int](), frozenset({channels}))
        )
        # Also warms up.
        if not torch.allclose(direct(x), winograd(x), atol=1e-3):
            return False
        times = [(_seconds(direct, x), _seconds(winograd, x)) for _ in range(ROUNDS)]
    except (MissingExtraError, AttributeError, MemoryError, RuntimeError, TypeError) as error:
        logger.info("Winograd's method is not used: %s", error)
        return False
    direct_s, winograd_s = (min(column) for column in zip(*times, strict=True))
    return bool(winograd_s <= ENOUGH * direct_s)


def _seconds(convolution: Convolution, x: torch.Tensor) -> float:
    start = time.perf_counter()
    convolution(x, relu=True)
    return time.perf_counter() - start


def _machine() -> str:
    """Tells processors and libraries apart that differ in speed."""
    facts = [str(_VERSION), platform.machine(), torch.__version__]
    # These make oneDNN and torch do with less than the processor has.
    facts += [os.environ.get(name, "") for name in ("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY")]
    try:
        facts.append(metadata.version("ncnn"))
    except metadata.PackageNotFoundError:
        facts.append("")
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = [platform.processor()]
    # The first processor's.
    facts += [line for line in lines if line.startswith("model name")][:1]
    facts += [line for line in lines if line.startswith(("flags", "Features"))][:1] or lines[:1]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]
