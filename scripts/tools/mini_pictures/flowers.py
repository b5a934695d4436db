"""Flowers as solids, and the vases they stand in."""

from __future__ import annotations

import numpy as np

from mini_pictures.canvas import Canvas
from mini_pictures.colour import Array, linear, mix, smooth
from mini_pictures.fruit import leaf
from mini_pictures.solid import (
    Shape,
    Solid,
    capsule,
    ellipsoid,
    lathe,
    moved,
    plain,
    turned,
    union,
)
from mini_pictures.studio import Cover, Set, Studio
from mini_pictures.ware import banded


def flower(
    x: float,
    y: float,
    z: float,
    size: float,
    turn: Array,
    petal: str,
    heart: str,
    count: int,
    layers: int = 1,
) -> list[Solid]:
    """An open flower facing its local +y: rings of petals round a heart."""
    base, deep = linear(petal), linear(petal) ** 1.5
    step = 6.28318 / count

    def one_ring(lift: float, shift: float, reach: float) -> Shape:
        def distance(p: Array) -> Array:
            q = p / size
            angle = np.arctan2(q[:, 2], q[:, 0]) + shift
            folded = angle - np.round(angle / step) * step
            r = np.hypot(q[:, 0], q[:, 2])
            u, w = r * np.cos(folded), r * np.sin(folded)
            v = q[:, 1] - lift * u * u - 0.04
            half = np.stack(
                [
                    (u - reach * 0.55) / (reach * 0.48),
                    v / 0.05,
                    w / (reach * 0.62 * np.sin(step / 2) + 0.05),
                ],
                axis=1,
            )
            result: Array = (np.linalg.norm(half, axis=1) - 1) * 0.045 * size
            return result

        return distance

    rings = [one_ring(0.25 + 0.4 * k, 0.5 * k * step, 1 - 0.22 * k) for k in range(layers)]

    def skin(p: Array) -> Array:
        r = np.linalg.norm(p, axis=1) / size
        angle = np.arctan2(p[:, 2], p[:, 0])
        streak = 0.15 * np.sin(angle * count * 4)
        return mix(deep, base, np.clip(r * 1.15 + streak, 0, 1))

    ball = Solid(
        moved(ellipsoid(size * 0.27, size * 0.13, size * 0.27), 0, size * 0.07, 0),
        size * 0.4,
        plain(heart),
        (x, y, z),
        turn=turn,
        gloss=0.1,
        bump=0.5,
        grain=60 / size * 0.35,
    )
    bloom = Solid(
        union(*rings), size * 1.25, skin, (x, y, z), turn=turn, gloss=0.12, sharp=20, soft=0.45
    )
    return [bloom, ball]


def tulip(x: float, y: float, z: float, size: float, turn: Array, petal: str) -> Solid:
    """A tulip's cup of six petals, opening to local +y."""
    cup_shape = lathe(
        [
            (0.0, -0.05),
            (0.22, 0.0),
            (0.42, 0.3),
            (0.44, 0.65),
            (0.34, 1.0),
            (0.3, 1.0),
            (0.36, 0.62),
            (0.3, 0.3),
            (0.0, 0.12),
        ]
    )
    tone, edge = linear(petal), np.minimum(linear(petal) * 1.5 + 0.08, 1)

    def shape(p: Array) -> Array:
        q = p / size
        angle = np.arctan2(q[:, 2], q[:, 0])
        wave = np.abs(np.sin(1.5 * angle))
        q = np.stack(
            [q[:, 0], q[:, 1] + 0.22 * (1 - wave) * np.clip(q[:, 1], 0, 1) ** 2, q[:, 2]], axis=1
        )
        result: Array = (cup_shape(q) - 0.02 * wave) * size * 0.75
        return result

    def skin(p: Array) -> Array:
        angle = np.arctan2(p[:, 2], p[:, 0])
        return mix(
            tone,
            edge,
            smooth(0.2, 1.0, p[:, 1] / size) * 0.5 + 0.3 * (1 - np.abs(np.sin(1.5 * angle))),
        )

    return Solid(shape, size * 0.8, skin, (x, y, z), (0, size * 0.5, 0), turn, 0.2, 25, soft=0.4)


def vase(
    canvas: Canvas,
    ware: str,
    trim: str,
    petals: list[str],
    kind: str,
    cover: Cover,
    wall: tuple[str, str],
) -> None:
    """A vase of flowers: ``kind`` is daisies, tulips or sunflowers."""
    scene = Set(cover, wall, eye=(0.0, 1.75, 6.2), look=(0.0, 1.28, 0.0), zoom=1.9)
    if canvas.aspect < 1:
        scene.zoom = 2.35
    rng = canvas.rng
    pot = lathe(
        [
            (0.0, 0.0),
            (0.3, 0.0),
            (0.36, 0.05),
            (0.52, 0.45),
            (0.46, 0.8),
            (0.25, 1.06),
            (0.24, 1.16),
            (0.34, 1.3),
            (0.3, 1.3),
            (0.18, 1.14),
            (0.0, 1.1),
        ]
    )
    solids = [
        Solid(pot, 0.86, banded(ware, trim, 0.5, 0.62), middle=(0, 0.65, 0), gloss=0.6, sharp=120)
    ]
    heads = 5 if kind == "sunflowers" else 9
    for k in range(heads):
        angle, out = 2.4 * k + 0.5, 0.92 * np.sqrt((k + 0.3) / heads)
        x, z = float(out * np.cos(angle)), float(out * np.sin(angle) * 0.75 + 0.1)
        y = 2.4 - 0.55 * out + 0.18 * rng.random() + (0.15 if z < 0 else -0.08)
        lean = turned(
            float(np.degrees(np.arctan2(x, z + 0.9))), 28 + 34 * min(1.0, out + max(z, 0.0) * 0.4)
        )
        code = petals[k % len(petals)]
        stem = capsule((0.1 * x, 1.1, 0.1 * z), (x * 0.97, y - 0.06, z * 0.97 - 0.03), 0.022, 0.026)
        solids.append(
            Solid(stem, 1.05, plain("4c7434"), middle=(x * 0.53, (y + 1.1) / 2, z * 0.53), soft=0.2)
        )
        if kind == "tulips":
            solids.append(
                tulip(
                    x,
                    y - 0.2,
                    z,
                    0.48,
                    turned(float(np.degrees(np.arctan2(x, z + 0.01))), 24 * out),
                    code,
                )
            )
        elif kind == "daisies":
            solids += flower(x, y, z, 0.36, lean, code, "e0a820", 13)
        else:
            solids += flower(x, y, z, 0.52, lean, code, "3c2410", 17, 2)
    for k in range(8):
        angle = 0.8 * k + 0.2
        solids.append(
            leaf(
                0.55 * np.cos(angle),
                1.55 + 0.12 * np.sin(3 * k),
                0.4 * np.sin(angle) + 0.05,
                turned(float(-np.degrees(angle)), 0, 38),
                0.4,
                ("3f6a2c", "52803a")[k % 2],
            )
        )
    for x, z in ((0.75, 0.5), (-0.6, 0.8)):
        solids.append(
            Solid(
                ellipsoid(0.13, 0.02, 0.08),
                0.15,
                plain(petals[0]),
                (x, 0.03, z),
                turn=turned(60 * x),
                soft=0.4,
            )
        )
    Studio(canvas, scene, solids).render()
    canvas.vignette(0.35)
