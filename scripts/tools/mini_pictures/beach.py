"""Shells, starfish and balanced stones."""

from __future__ import annotations

import numpy as np

from mini_pictures.canvas import Canvas
from mini_pictures.colour import Array, linear, mix, smooth
from mini_pictures.solid import (
    Solid,
    capsule,
    ellipsoid,
    plain,
    turned,
)
from mini_pictures.studio import Cover, Set, Studio, sand


def shells(canvas: Canvas, first: str, second: str, wall: tuple[str, str], star: str) -> None:
    """Sea shells, a starfish and pebbles on rippled sand."""
    scene = Set(
        sand(first, second),
        wall,
        (-0.75, 0.5, 0.3),
        "fff0d0",
        eye=(0.0, 2.6, 4.0),
        look=(0.0, 0.1, 0.15),
        zoom=1.8,
        edge=-4.5,
    )
    solids = [
        _spire(-0.55, 0.0, 1.5, 0.42, turned(-35, 0, -84), "e8c8a0", "a86a40"),
        _spire(0.9, -0.75, 0.95, 0.3, turned(60, 0, -84), "f0e0d8", "b88898"),
        _scallop(0.75, 0.75, 0.55, turned(15, -22, 0), "f0b090", "fff0e0"),
        _scallop(-1.25, 0.85, 0.34, turned(-30, -18, 0), "d8a8c0", "fff4f0"),
        _starfish(-0.35, 1.05, 0.42, star),
        _starfish(1.5, 0.15, 0.3, star),
    ]
    rng = canvas.rng
    for k in range(26):
        size = 0.04 + 0.09 * rng.random() ** 2
        solids.append(
            Solid(
                ellipsoid(size, size * 0.55, size * 0.8),
                size * 1.05,
                plain(("8a8078", "c8beb0", "5c5a5c", "d8c8b0")[k % 4]),
                (float(rng.uniform(-2.2, 2.2)), size * 0.4, float(rng.uniform(-1.8, 1.7))),
                turn=turned(77.0 * k),
                gloss=0.2,
                bump=0.08,
                grain=60,
            )
        )
    Studio(canvas, scene, solids).render()
    canvas.vignette(0.3)


def _spire(
    x: float, z: float, length: float, r: float, turn: Array, light: str, dark: str
) -> Solid:
    a, b = linear(light), linear(dark)

    def phase(p: Array) -> Array:
        up = np.clip(p[:, 1] / length, 0.0, 1.0)
        return 9.5 * up**0.8 - np.arctan2(p[:, 2], p[:, 0]) / 6.28318

    def shape(p: Array) -> Array:
        up = p[:, 1] / length
        wide = r * np.clip(1 - up, 0.0, 1) * smooth(-0.12, 0.1, up) + 0.004
        turns = phase(p)
        whorl = np.sqrt(np.abs(np.sin(3.14159 * turns)))
        side = np.hypot(p[:, 0], p[:, 2]) - wide * (0.74 + 0.26 * whorl)
        result: Array = (
            np.maximum(np.maximum(side, p[:, 1] - length), -p[:, 1] - 0.12 * length) * 0.5
        )
        return result

    def skin(p: Array) -> Array:
        turns = phase(p)
        part = turns - np.floor(turns)
        flecks = np.sin(np.arctan2(p[:, 2], p[:, 0]) * 9 + 6 * part) * np.sin(part * 12)
        return mix(
            a, b, np.clip(smooth(0.35, 0.05, part) * 0.8 + 0.5 * smooth(0.1, 0.7, flecks), 0, 1)
        )

    return Solid(shape, length * 0.65, skin, (x, r * 0.82, z), (0, length * 0.45, 0), turn, 0.4, 60)


def _scallop(x: float, z: float, size: float, turn: Array, dark: str, light: str) -> Solid:
    a, b = linear(dark), linear(light)

    def shape(p: Array) -> Array:
        q = p / size
        fan = np.arctan2(q[:, 0], q[:, 2] + 1.0)
        rib = np.cos(fan * 26)
        r = np.hypot(q[:, 0], q[:, 2])
        dome = np.hypot(r / (1 + 0.03 * rib), q[:, 1] / 0.42) - 1
        result: Array = np.maximum(dome * 0.36 - 0.014 * rib, -q[:, 1]) * size * 0.8
        return result

    def skin(p: Array) -> Array:
        q = p / size
        far = np.hypot(q[:, 0], q[:, 2] + 1.0)
        rings = 0.5 + 0.5 * np.sin(far * 17)
        ribs = 0.5 + 0.5 * np.cos(np.arctan2(q[:, 0], q[:, 2] + 1.0) * 26)
        return mix(a, b, np.clip(0.55 * rings + 0.45 * ribs, 0, 1))

    return Solid(shape, size * 1.1, skin, (x, 0.0, z), turn=turn, gloss=0.3, sharp=40)


def _starfish(x: float, z: float, size: float, code: str) -> Solid:
    tone, pale = linear(code), linear("ffd8a8")
    step = 6.28318 / 5

    def fold(p: Array) -> tuple[Array, Array]:
        angle = np.arctan2(p[:, 2], p[:, 0])
        angle = angle - np.round(angle / step) * step
        r = np.hypot(p[:, 0], p[:, 2])
        return r * np.cos(angle), r * np.sin(angle)

    def shape(p: Array) -> Array:
        u, w = fold(p)
        q = np.stack([u, p[:, 1] * 1.5, w], axis=1)
        result: Array = capsule((0, 0, 0), (size, 0, 0), size * 0.34, size * 0.07)(q) * 0.6
        return result

    def skin(p: Array) -> Array:
        u, w = fold(p)
        dots = np.sin(u / size * 28) * np.sin(w / size * 28 + 1.57)
        return mix(
            tone,
            pale,
            np.maximum(smooth(0.35, 0.7, dots), smooth(0.03, 0.01, np.abs(w) / size)) * 0.75,
        )

    return Solid(
        shape, size * 1.15, skin, (x, 0.04, z), turn=turned(80 * x), gloss=0.15, bump=0.12, grain=60
    )


def cairn(canvas: Canvas, codes: list[str], cover: Cover, wall: tuple[str, str]) -> None:
    """Flat stones balanced on one another."""
    scene = Set(
        cover,
        wall,
        (-0.8, 0.5, 0.2),
        "ffeeda",
        eye=(0.0, 1.3, 5.6),
        look=(0.0, 1.0, 0.0),
        zoom=2.0,
        edge=-5.0,
        polish=0.35,
    )
    if canvas.aspect < 1:
        scene.zoom = 2.5
    solids = []
    y = 0.0
    for k in range(6):
        rx, ry = 0.86 - 0.13 * k, 0.235 - 0.022 * k
        x = 0.07 * np.sin(2.6 * k)
        solids.append(_stone(float(x), y + ry, 0.0, rx, ry, codes[k % len(codes)], 50.0 * k))
        y += 2 * ry - 0.015
    for k, (x, z, r) in enumerate(
        (
            (1.45, 0.35, 0.36),
            (-1.4, 0.6, 0.28),
            (0.9, 1.3, 0.17),
            (-0.75, 1.4, 0.13),
            (-1.9, -0.6, 0.45),
            (2.1, -0.9, 0.5),
        )
    ):
        solids.append(_stone(x, r * 0.55, z, r, r * 0.6, codes[(k + 2) % len(codes)], 30.0 * k))
    Studio(canvas, scene, solids).render()
    canvas.vignette(0.35)


def _stone(x: float, y: float, z: float, rx: float, ry: float, code: str, yaw: float) -> Solid:
    tone = linear(code)

    def skin(p: Array) -> Array:
        speck = (
            np.sin(p[:, 0] * 61 + 2 * np.sin(p[:, 2] * 47))
            * np.sin(p[:, 1] * 83)
            * np.sin(p[:, 2] * 59)
        )
        vein = np.abs(np.sin(p[:, 1] * 7 + p[:, 0] * 2.5 + 0.6 * np.sin(p[:, 2] * 5)))
        share = np.maximum(0.5 * smooth(0.2, 0.6, speck), smooth(0.06, 0.01, vein))
        return mix(tone, np.minimum(tone * 1.9 + 0.06, 1), share)

    return Solid(
        ellipsoid(rx, ry, rx * 0.82),
        rx * 1.02,
        skin,
        (x, y, z),
        turn=turned(yaw),
        gloss=0.15,
        sharp=20,
        bump=0.06,
        grain=35,
    )
