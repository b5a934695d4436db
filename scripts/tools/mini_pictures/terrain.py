"""Terrain: a height map seen in perspective, lit from one side, lost in haze.

World units: x to the right (-1..1 across the map), z away from the viewer (0..1 over the
map's depth), heights in the same unit. Maps are size × size, row 0 nearest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mini_pictures.canvas import Canvas
from mini_pictures.colour import Array, mix, rgb, smooth

# Colours (… × 3) of ground from height, steepness (0 flat .. 1) and two noises in 0..1.
Ground = Callable[[Array, Array, Array], Array]


@dataclass
class View:
    """Where the viewer stands and how the light falls."""

    eye: float = 0.35  # height of the eye, world units
    horizon: float = 0.4  # the horizon's y on the canvas
    zoom: float = 1.1  # picture heights per unit of slope
    light: float = 1.0  # +1: the sun is at the left, -1: at the right
    sun: float = 0.5  # slope of the sunbeams: small is low sun, long shadows
    haze: str = "c8d4e0"
    thick: float = 1.2  # density of the haze
    shade: str = "3a4a6a"  # tint of the shadows
    ambient: float = 0.25  # light in the shadows


def draw(
    canvas: Canvas, heights: Array, ground: Ground, view: View, sea: float | None = None
) -> Array:
    """Draw a height map over the canvas; returns the mask of what it covered.

    Below the level ``sea`` nothing is drawn, so that water can show what is beneath it.
    """
    size = heights.shape[0]
    depth = np.geomspace(0.06, 1.0, 900).astype(np.float32)
    across = (canvas.x[0] - canvas.aspect / 2)[None, :] * depth[:, None] / view.zoom
    column = np.clip((across * 0.5 + 0.5) * (size - 1), 0, size - 1.001)
    row = np.broadcast_to((depth * (size - 1.001))[:, None], column.shape)
    colours = _lit(canvas, heights, ground, view)
    height = _sample(heights, row, column)
    tops = view.horizon + (view.eye - height) / depth[:, None] * view.zoom
    if sea is not None:
        tops = np.where(height <= sea, 9.0, tops)
    outline = np.minimum.accumulate(tops, axis=0)
    first = np.empty((canvas.rows, canvas.columns), np.int32)
    for j in range(canvas.columns):
        first[:, j] = np.searchsorted(-outline[:, j], -canvas.y[:, 0])
    covered = first < len(depth)
    first = np.minimum(first, len(depth) - 1)
    columns = np.arange(canvas.columns)[None, :]
    seen = _sample(colours, row[first, columns], column[first, columns])
    fog = 1 - np.exp(-view.thick * depth[first] ** 1.5 * 2)
    canvas.paint(mix(seen, rgb(view.haze), fog), covered.astype(np.float32))
    return covered.astype(np.float32)


def _sample(field: Array, row: Array, column: Array) -> Array:
    r, c = row.astype(np.int32), column.astype(np.int32)
    fr, fc = row - r, column - c
    if field.ndim == 3:
        fr, fc = fr[..., None], fc[..., None]
    upper = field[r, c] * (1 - fc) + field[r, c + 1] * fc
    lower = field[r + 1, c] * (1 - fc) + field[r + 1, c + 1] * fc
    result: Array = upper * (1 - fr) + lower * fr
    return result


def _lit(canvas: Canvas, heights: Array, ground: Ground, view: View) -> Array:
    size = heights.shape[0]
    dz, dx = np.gradient(heights, 1 / size, 2 / size)
    length = np.sqrt(1 + dx * dx + dz * dz)
    # The normal is (-dx, 1, -dz); the sun stands at the left (or right) and a little behind
    # the viewer.
    facing = (view.light * dx + view.sun + 0.45 * dz) / length
    facing = np.clip(facing / np.sqrt(1.1 + view.sun**2), 0, 1)
    texture = np.random.default_rng(5).random((size, size)).astype(np.float32)
    base = ground(heights, 1 - 1 / length, texture)
    lit = facing * _sunlight(heights, view)
    strength = (view.ambient + (1.2 - view.ambient) * lit)[..., None]
    tint = mix(rgb(view.shade) * 1.5, np.ones(3, np.float32), smooth(0, 0.6, lit))
    result: Array = (base * strength * tint).astype(np.float32)
    return result


def _sunlight(heights: Array, view: View) -> Array:
    # A shadow's edge falls by a constant slope, so a running maximum along the map's rows
    # finds it for every point at once.
    size = heights.shape[0]
    slope = np.arange(size, dtype=np.float32) * (view.sun * 2 / size)
    field = heights if view.light > 0 else heights[:, ::-1]
    edge = np.maximum.accumulate(field + slope, axis=1) - slope
    clear = smooth(0.02, 0.0, edge - field)
    return clear if view.light > 0 else clear[:, ::-1]
