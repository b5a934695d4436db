"""Colours: float32 arrays whose last axis is red, green, blue in 0..1 (sRGB unless said)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Stop: TypeAlias = tuple[float, str]


def rgb(code: str) -> Array:
    """The colour of an ``rrggbb`` code: shape (3,), sRGB in 0..1."""
    return np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / 255


def linear(code: str) -> Array:
    """The same colour in linear light, as the studio wants it."""
    return to_linear(rgb(code))


def to_linear(colour: Array) -> Array:
    """sRGB (gamma 2.2) to linear light."""
    result: Array = np.power(np.clip(colour, 0, None), 2.2).astype(np.float32)
    return result


def to_srgb(colour: Array) -> Array:
    """Linear light to sRGB (gamma 2.2)."""
    result: Array = np.power(np.clip(colour, 0, None), 1 / 2.2).astype(np.float32)
    return result


def bytes_of(colour: Array) -> tuple[int, int, int]:
    """A colour (3,) in 0..1 as three bytes, for Pillow."""
    red, green, blue = (round(255 * float(min(max(v, 0.0), 1.0))) for v in colour)
    return red, green, blue


def mix(first: Array, second: Array, amount: Array | float) -> Array:
    """Blend two colours; ``amount`` (0 is the first) lacks the colour axis."""
    share = np.asarray(amount, np.float32)[..., None]
    result: Array = first * (1 - share) + second * share
    return result


def ramp(value: Array, stops: Sequence[Stop]) -> Array:
    """Colours of values along a gradient of (position, code): adds a last axis of 3."""
    places = [place for place, _ in stops]
    codes = np.stack([rgb(code) for _, code in stops])
    channels = [np.interp(value, places, codes[:, i]) for i in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def smooth(low: float, high: float, value: Array) -> Array:
    """Smoothstep: 0 below ``low``, 1 above ``high`` (``low`` may be the larger)."""
    t = np.clip((value - low) / (high - low), 0, 1)
    result: Array = (t * t * (3 - 2 * t)).astype(np.float32)
    return result
