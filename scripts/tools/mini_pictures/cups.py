"""Still lifes with cups, saucers and a teapot."""

from __future__ import annotations

import numpy as np

from mini_pictures.canvas import Canvas
from mini_pictures.colour import rgb
from mini_pictures.fruit import leaf, lemon
from mini_pictures.solid import (
    Solid,
    capsule,
    lathe,
    moved,
    plain,
    ring,
    turned,
    union,
)
from mini_pictures.studio import Cover, Set, Studio
from mini_pictures.ware import banded


def cup(
    x: float, z: float, base: str, trim: str, drink: str, yaw: float, y: float = 0.0
) -> list[Solid]:
    """A cup with its handle, drink and saucer."""
    wall = lathe(
        [
            (0.0, 0.1),
            (0.24, 0.1),
            (0.3, 0.16),
            (0.44, 0.4),
            (0.5, 0.72),
            (0.515, 0.8),
            (0.47, 0.8),
            (0.45, 0.7),
            (0.38, 0.4),
            (0.25, 0.22),
            (0.0, 0.2),
        ]
    )
    handle = moved(ring(0.17, 0.042, 1.25), 0.55, 0.5, 0)
    outside = lambda p: np.maximum(handle(p), 0.4 - np.hypot(p[:, 0], p[:, 2]))  # noqa: E731
    saucer = lathe(
        [
            (0.0, 0.0),
            (0.32, 0.0),
            (0.4, 0.05),
            (0.78, 0.13),
            (0.8, 0.15),
            (0.76, 0.155),
            (0.36, 0.09),
            (0.0, 0.08),
        ]
    )
    surface = lathe([(0.0, 0.5), (0.4, 0.5), (0.445, 0.66), (0.0, 0.66)], False)
    turn = turned(yaw)
    return [
        Solid(
            union(wall, outside, blend=0.03),
            0.85,
            banded(base, trim, 0.62, 0.7),
            (x, y, z),
            (0.1, 0.45, 0),
            turn,
            0.6,
            130,
        ),
        Solid(
            saucer,
            0.86,
            banded(base, trim, 0.118, 0.135),
            (x, y, z),
            (0, 0.1, 0),
            gloss=0.55,
            sharp=110,
        ),
        Solid(surface, 0.5, plain(drink), (x, y, z), (0, 0.6, 0), gloss=0.7, sharp=200),
    ]


def teapot(x: float, z: float, base: str, trim: str, yaw: float) -> list[Solid]:
    """A round teapot with lid, spout and handle."""
    body = lathe(
        [
            (0.0, 0.0),
            (0.4, 0.0),
            (0.5, 0.06),
            (0.78, 0.4),
            (0.76, 0.8),
            (0.52, 1.08),
            (0.36, 1.14),
            (0.0, 1.16),
        ]
    )
    lid = lathe(
        [
            (0.0, 1.1),
            (0.4, 1.1),
            (0.42, 1.15),
            (0.3, 1.24),
            (0.1, 1.3),
            (0.08, 1.36),
            (0.13, 1.44),
            (0.08, 1.52),
            (0.0, 1.54),
        ]
    )
    spout = union(
        capsule((0.6, 0.42, 0), (0.98, 0.72, 0), 0.15, 0.1),
        capsule((0.98, 0.72, 0), (1.16, 1.1, 0), 0.1, 0.06),
        blend=0.08,
    )
    handle = moved(ring(0.36, 0.06, 1.1), -0.8, 0.62, 0)
    outer = lambda p: np.maximum(handle(p), 0.5 - np.hypot(p[:, 0], p[:, 2]))  # noqa: E731
    shape = union(union(body, spout, outer, blend=0.06), lid)
    return [
        Solid(
            shape, 1.4, banded(base, trim, 0.9, 0.96), (x, 0, z), (0, 0.7, 0), turned(yaw), 0.6, 130
        )
    ]


def tea(
    canvas: Canvas, base: str, trim: str, drink: str, cover: Cover, wall: tuple[str, str], pot: bool
) -> None:
    """A teapot with cups, or one cup alone with lemon; steam rises."""
    scene = Set(cover, wall, eye=(0.0, 1.9, 5.2), look=(0.0, 0.55, 0.0), zoom=2.0)
    if pot:
        solids = teapot(-0.75, -0.3, base, trim, -12) + cup(1.1, 0.35, base, trim, drink, -25)
        solids += cup(0.1, 1.15, base, trim, drink, 200)
        steam = (1.1, 0.85, 0.35)
    else:
        scene.eye, scene.look = (0.0, 1.9, 3.9), (0.0, 0.42, 0.0)
        solids = cup(-0.1, 0.0, base, trim, drink, -30)
        solids += [
            lemon(1.1, -0.5, 30, 0.0, 0.28),
            leaf(-1.15, 0.15, 0.2, turned(20, 0, 5), 0.3, "4a7030"),
        ]
        steam = (-0.1, 0.8, 0.0)
    studio = Studio(canvas, scene, solids)
    studio.render()
    _steam(canvas, studio.project(steam))
    canvas.vignette(0.35)


def _steam(canvas: Canvas, foot: tuple[float, float]) -> None:
    x, y = foot
    rise = np.clip((y - canvas.y) / 0.34, 0, 1)
    curl = canvas.noise(5, 8 * canvas.aspect, 4)
    veil = np.zeros((canvas.rows, canvas.columns), np.float32)
    for side in (-1.0, 1.0):
        centre = (
            x + side * 0.02 + 0.03 * np.sin(rise * 6 + side) * rise + 0.12 * (curl - 0.5) * rise
        )
        veil += (
            np.exp(-(((canvas.x - centre) / (0.012 + 0.035 * rise)) ** 2))
            * (rise > 0)
            * (1 - rise)
            * rise**0.4
        )
    canvas.glow(rgb("ffffff"), veil * (0.4 + curl), 0.35)
