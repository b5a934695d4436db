"""Mushrooms on moss."""

from __future__ import annotations

import numpy as np

from mini_pictures.canvas import Canvas
from mini_pictures.colour import Array, linear, mix, smooth
from mini_pictures.solid import (
    Shape,
    Solid,
    capsule,
    lathe,
    plain,
    turned,
    union,
)
from mini_pictures.studio import Cover, Set, Studio


def mushrooms(canvas: Canvas, cap: str, first: str, second: str, wall: tuple[str, str]) -> None:
    """Spotted mushrooms on moss."""
    scene = Set(
        _moss(first, second),
        wall,
        (-0.5, 0.75, -0.25),
        "fff0c0",
        1.3,
        "86a080",
        0.6,
        eye=(0.0, 1.25, 5.2),
        look=(0.0, 0.86, 0.0),
        zoom=1.95,
        edge=-3.5,
    )
    solids: list[Solid] = []
    for x, z, size, roll in (
        (-0.55, 0.0, 1.0, 6.0),
        (0.72, -0.3, 0.78, -9.0),
        (0.3, 0.85, 0.5, -4.0),
        (-1.5, -0.4, 0.55, 8.0),
        (1.6, 0.45, 0.36, 5.0),
        (-1.15, 1.0, 0.3, 0.0),
    ):
        solids += _mushroom(x, z, size, turned(40 * x, 0, roll), cap)
    rng = canvas.rng
    for k in range(60):
        x, z = float(rng.uniform(-2.6, 2.6)), float(rng.uniform(-1.5, 1.9))
        tall = 0.12 + 0.22 * rng.random()
        blade = capsule((0, 0, 0), (float(rng.normal(0, 0.08)), tall, 0.03), 0.014, 0.003)
        solids.append(
            Solid(
                blade,
                tall * 0.7,
                plain((first, second, "8aa848")[k % 3]),
                (x, 0, z),
                (0, tall / 2, 0),
                soft=0.3,
            )
        )
    Studio(canvas, scene, solids).render()
    canvas.vignette(0.45)


def _moss(first: str, second: str) -> Cover:
    def colours(x: Array, z: Array) -> Array:
        tuft = np.sin(x * 9 + 2 * np.sin(z * 5)) * np.sin(z * 11 + 2 * np.sin(x * 4))
        fine = np.sin(x * 67 + 3 * np.sin(z * 51)) * np.sin(z * 71 + 3 * np.sin(x * 49))
        return mix(linear(first), linear(second), np.clip(0.5 + 0.35 * tuft + 0.25 * fine, 0, 1))

    return colours


def _mushroom(x: float, z: float, size: float, turn: Array, cap: str) -> list[Solid]:
    def scaled(outline: list[tuple[float, float]]) -> Shape:
        return lathe([(r * size, y * size) for r, y in outline])

    stem = scaled([(0.0, -0.05), (0.24, -0.05), (0.2, 0.2), (0.14, 0.6), (0.13, 1.05), (0.0, 1.05)])
    hat = scaled(
        [
            (0.0, 0.98),
            (0.3, 0.95),
            (0.68, 0.9),
            (0.74, 0.97),
            (0.66, 1.22),
            (0.4, 1.46),
            (0.0, 1.55),
        ]
    )
    skirt = scaled([(0.12, 0.82), (0.27, 0.66), (0.28, 0.68), (0.14, 0.88)])
    red, white = linear(cap), linear("f8f0e0")

    def skin(p: Array) -> Array:
        q = p / size
        spots = np.zeros(len(q), np.float32)
        for k in range(17):
            height = 1.5 - 0.5 * (k / 17)
            angle, r = 2.4 * k, 0.7 * np.sqrt(k / 17)
            gap = np.hypot(
                np.hypot(q[:, 0] - r * np.cos(angle), q[:, 2] - r * np.sin(angle)),
                0.5 * (q[:, 1] - height),
            )
            spots = np.maximum(spots, smooth(0.1, 0.075, gap))
        under = smooth(0.99, 0.965, q[:, 1])
        gills = 0.75 + 0.25 * np.sin(np.arctan2(q[:, 2], q[:, 0]) * 60)
        top = mix(red, white, spots)
        result: Array = mix(top, white * (0.8 * gills)[:, None], under)
        return result

    return [
        Solid(
            union(stem, skirt),
            0.75 * size,
            plain("efe6d4"),
            (x, 0, z),
            (0, 0.5 * size, 0),
            turn,
            0.05,
            soft=0.3,
        ),
        Solid(hat, 0.85 * size, skin, (x, 0, z), (0, 1.2 * size, 0), turn, 0.45, 60, soft=0.15),
    ]
