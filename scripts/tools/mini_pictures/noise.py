"""Noise: smooth random fields made of enlarged random grids, all in about 0..1."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mini_pictures.colour import Array


def enlarge(grid: Array, height: int, width: int) -> Array:
    """A float field resized (bicubic) to height × width."""
    picture = Image.fromarray(grid.astype(np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC), np.float32)


def fractal(
    rng: np.random.Generator,
    height: int,
    width: int,
    rows: float,
    columns: float,
    octaves: int = 5,
    gain: float = 0.5,
) -> Array:
    """Fractal noise (height × width) whose coarsest grid has rows × columns cells."""
    total = np.zeros((height, width), np.float32)
    weight, weights = 1.0, 0.0
    for octave in range(octaves):
        shape = (round(rows * 2**octave) + 2, round(columns * 2**octave) + 2)
        if shape[0] > 2 * height or shape[1] > 2 * width:
            break
        total += weight * enlarge(rng.random(shape), height, width)
        weights += weight
        weight *= gain
    result: Array = np.clip((total / weights - 0.5) * 1.7 + 0.5, 0, 1)
    return result


def ridged(rng: np.random.Generator, size: int, cells: float, octaves: int = 7) -> Array:
    """Ridged noise (size × size): sharp crests and wide valleys, as mountains have them."""
    total = np.zeros((size, size), np.float32)
    weight, weights = 1.0, 0.0
    carry: Array = np.ones((size, size), np.float32)
    for octave in range(octaves):
        count = round(cells * 2**octave) + 2
        if count > size:
            break
        crest = 1 - np.abs(2 * enlarge(rng.random((count, count)), size, size) - 1)
        crest = np.clip(crest, 0, 1) ** 2 * carry
        total += weight * crest
        carry = np.clip(crest * 1.6, 0, 1)
        weights += weight
        weight *= 0.5
    result: Array = total / weights
    return result


def profile(rng: np.random.Generator, width: int, cells: float, octaves: int = 6) -> Array:
    """One line of fractal noise, shape (width,), in about 0..1: the outline of a ridge."""
    line = np.zeros(width, np.float64)
    place = np.arange(width) / width
    weight, weights = 1.0, 0.0
    for octave in range(octaves):
        count = int(cells * 2**octave) + 3
        knots = rng.random(count)
        at = place * (count - 2)
        left = at.astype(int)
        part = at - left
        # Cosine steps at the coarse level, straight ones at the fine level: crags, not waves.
        part = part * part * (3 - 2 * part) if octave < 2 else part
        line += weight * (knots[left] * (1 - part) + knots[left + 1] * part)
        weights += weight
        weight *= 0.48
    return ((line / weights - 0.5) * 1.8 + 0.5).astype(np.float32)
