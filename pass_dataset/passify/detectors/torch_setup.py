"""What the detectors of people share: torch made ready, and images as they have to be."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any

from pass_dataset.extras import require
from pass_dataset.passify.detectors.devices import require_device, resolve_device
from pass_dataset.passify.detectors.settings import DetectorSettings

__all__ = ["check_images", "float32_only", "prepare_torch"]

logger = logging.getLogger(__name__)


def prepare_torch(settings: DetectorSettings, feature: str, extra: str = "passify") -> str:
    """Loads torch and torchvision, sets the threads, and finds the device.

    Args:
      settings: device and threads.
      feature: what needs torch, as the start of a sentence.
      extra: the extra of this package that installs it.

    Returns:
      ``cpu`` or ``cuda:N``; for ``cuda``, the one that this thread uses, as others begin with the
      first.

    Raises:
      MissingExtraError: torch or torchvision is not installed.
      DetectorError: there is no such device.
    """
    # Feature maps of 60 MB come and go: asked for in pages of 2 MB, they are mapped in fewer steps.
    # torch looks at this once, for its first tensor.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    torch = require("torch", feature=feature, extra=extra)
    require("torchvision", feature=feature, extra=extra)
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    device = resolve_device(settings.device)
    require_device(device)
    # Torch comes with it.
    from pass_dataset.torch.inference import device_of_this_thread

    return device_of_this_thread(device)


def check_images(images: Sequence[Any]) -> None:
    """Raises ValueError where an image is not H×W×3 uint8 with H and W of 1 or more."""
    for position, image in enumerate(images):
        shape, dtype = getattr(image, "shape", None), getattr(image, "dtype", None)
        if shape is None or len(shape) != 3 or shape[2] != 3 or 0 in shape or dtype != "uint8":
            found = type(image).__name__ if shape is None else f"{dtype} of shape {tuple(shape)}"
            raise ValueError(
                f"images[{position}]: expected uint8 of shape (H, W, 3), found {found}"
            )


def float32_only(settings: DetectorSettings, name: str) -> None:
    """Says so where less than float32 was asked, and a detector computes in float32 all the same.

    So do all on the CPU, and everywhere those whose error with less is not known.
    """
    if settings.precision != "float32":
        logger.info("%s: computes in float32 and not in %s", name, settings.precision)
