"""Small tensors on their way to a device, while it works."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["sent"]


def sent(values: Tensor, device: torch.device) -> Tensor:
    """Values on a device, without waiting for what it is doing."""
    return values if device.type == "cpu" else values.pin_memory().to(device, non_blocking=True)
