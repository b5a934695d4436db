"""Burning candles."""

from __future__ import annotations

import numpy as np

from mini_pictures.canvas import Canvas
from mini_pictures.colour import Array, linear, mix
from mini_pictures.solid import (
    Solid,
    capsule,
    lathe,
    plain,
)
from mini_pictures.studio import Cover, Set, Studio, flame


def candles(canvas: Canvas, wax: list[str], cover: Cover, wall: tuple[str, str]) -> None:
    """Burning candles in the dark."""
    scene = Set(
        cover,
        wall,
        lamp="8090c0",
        power=0.12,
        fill="506090",
        gain=0.12,
        eye=(0.0, 1.6, 5.2),
        look=(0.0, 0.78, 0.0),
        zoom=2.0,
        polish=0.5,
    )
    solids: list[Solid] = []
    wicks = []
    places = [
        (-0.85, -0.1, 1.15, 0.3),
        (0.0, 0.3, 0.7, 0.36),
        (0.85, -0.25, 1.45, 0.25),
        (0.6, 0.9, 0.32, 0.3),
        (-1.5, 0.55, 0.4, 0.27),
    ]
    for k, (x, z, tall, r) in enumerate(places):
        shape = lathe(
            [
                (0.0, 0.0),
                (r, 0.0),
                (r, tall),
                (r * 0.93, tall + 0.03),
                (r * 0.8, tall),
                (r * 0.3, tall - 0.05),
                (0.0, tall - 0.05),
            ],
            False,
        )
        code = linear(wax[k % len(wax)])

        def skin(p: Array, top: float = tall, tone: Array = code) -> Array:
            warm = np.exp(-np.clip(top - p[:, 1], 0, 3) * 3.2)
            result: Array = mix(np.broadcast_to(tone * 0.42, p.shape), linear("ffa850"), warm * 0.8)
            return result

        solids.append(
            Solid(
                shape,
                tall / 2 + r + 0.1,
                skin,
                (x, 0, z),
                (0, tall / 2, 0),
                gloss=0.25,
                sharp=25,
                soft=0.9,
            )
        )
        solids.append(
            Solid(
                capsule((0, tall - 0.06, 0), (0.01, tall + 0.06, 0), 0.014, 0.01),
                0.1,
                plain("201810"),
                (x, 0, z),
                (0, tall, 0),
            )
        )
        wicks.append((x, tall + 0.03, z))
    scene.lamps = [(x, y + 0.16, z) for x, y, z in wicks]
    studio = Studio(canvas, scene, solids)
    studio.render()
    for wick in wicks:
        flame(studio, wick, 0.34)
    canvas.vignette(0.5)
