"""Glazed ware and the table tops that several still lifes share."""

from __future__ import annotations

import numpy as np

from mini_pictures.colour import Array, linear, mix, smooth
from mini_pictures.solid import (
    Skin,
)
from mini_pictures.studio import cloth, planks

WOOD = planks("6a4226", "a4703f")


OAK = planks("a8845c", "d4b48a")


SLATE = cloth("4c545c", "626a72")


LINEN = cloth("d8d0c0", "c4baa8")


def banded(base: str, trim: str, low: float, high: float) -> Skin:
    """Glazed ware with a band of trim between two heights and fine lines beside it."""
    a, b = linear(base), linear(trim)

    def colours(p: Array) -> Array:
        y = p[:, 1]
        band = smooth(low - 0.01, low, y) * smooth(high + 0.01, high, y)
        lines = smooth(0.012, 0.006, np.minimum(np.abs(y - low + 0.04), np.abs(y - high - 0.04)))
        return mix(a, b, np.maximum(band, lines))

    return colours
