"""Still lifes with coloured bottles, marbles and a fish bowl."""

from __future__ import annotations

import numpy as np

from mini_pictures.canvas import Canvas
from mini_pictures.colour import Array, linear, mix, smooth
from mini_pictures.fruit import apple, leaf
from mini_pictures.solid import (
    Solid,
    ellipsoid,
    lathe,
    plain,
    turned,
    union,
)
from mini_pictures.studio import Cover, Set, Studio

WINE = [
    (0.0, 0.0),
    (0.34, 0.0),
    (0.37, 0.06),
    (0.37, 1.1),
    (0.34, 1.3),
    (0.16, 1.6),
    (0.12, 1.75),
    (0.12, 2.1),
    (0.15, 2.12),
    (0.15, 2.2),
    (0.0, 2.2),
]


FLASK = [
    (0.0, 0.0),
    (0.42, 0.0),
    (0.58, 0.14),
    (0.64, 0.42),
    (0.52, 0.76),
    (0.2, 1.0),
    (0.13, 1.16),
    (0.13, 1.38),
    (0.2, 1.46),
    (0.0, 1.46),
]


TALL = [
    (0.0, 0.0),
    (0.26, 0.0),
    (0.29, 0.05),
    (0.27, 0.9),
    (0.3, 1.2),
    (0.14, 1.42),
    (0.1, 1.5),
    (0.1, 1.72),
    (0.16, 1.76),
    (0.16, 1.84),
    (0.0, 1.84),
]


JAR = [
    (0.0, 0.0),
    (0.4, 0.0),
    (0.46, 0.06),
    (0.46, 0.66),
    (0.38, 0.8),
    (0.36, 0.9),
    (0.42, 0.95),
    (0.0, 0.95),
]


def bottles(
    canvas: Canvas, codes: list[str], cover: Cover, wall: tuple[str, str], back: bool = False
) -> None:
    """Coloured glass bottles; light falls through them."""
    light = (-0.5, 0.6, -0.6) if back else (-0.62, 0.7, 0.42)
    scene = Set(
        cover,
        wall,
        light,
        gain=0.7,
        eye=(0.0, 1.6, 5.6),
        look=(0.0, 0.86, 0.0),
        zoom=1.95,
        polish=0.3,
    )
    plan: list[tuple[list[tuple[float, float]], float, float, float]] = [
        (WINE, -1.3, -0.5, 1.0),
        (TALL, 0.62, -0.7, 1.12),
        (FLASK, -0.35, -0.1, 1.0),
        (JAR, 1.35, 0.1, 0.9),
        (FLASK, 0.45, 0.75, 0.55),
        (TALL, -1.0, 0.7, 0.6),
    ]
    solids = []
    for k, (outline, x, z, size) in enumerate(plan):
        points = [(r * size, y * size) for r, y in outline]
        tall = points[-1][1]
        solids.append(
            Solid(
                lathe(points),
                tall * 0.56 + 0.12 * size,
                plain(codes[k % len(codes)]),
                (x, 0, z),
                (0, tall / 2, 0),
                glass=True,
            )
        )
    Studio(canvas, scene, solids).render()
    canvas.vignette(0.3)


def fish_bowl(
    canvas: Canvas, fish: list[str], cover: Cover, wall: tuple[str, str], gravel: list[str]
) -> None:
    """Goldfish in a round bowl with gravel and water weed."""
    scene = Set(cover, wall, eye=(0.0, 1.5, 5.4), look=(0.0, 0.95, 0.0), zoom=2.05, gain=0.8)
    solids: list[Solid] = []
    rng = canvas.rng
    for k in range(70):
        r, angle = 0.66 * np.sqrt(rng.random()), rng.random() * 6.28
        solids.append(
            Solid(
                ellipsoid(0.085, 0.06, 0.07),
                0.09,
                plain(gravel[k % len(gravel)]),
                (
                    float(r * np.cos(angle)),
                    float(0.13 + 0.05 * rng.random()),
                    float(r * np.sin(angle)),
                ),
                turn=turned(50.0 * k),
                gloss=0.2,
            )
        )
    for k in range(5):
        x, z = -0.45 + 0.1 * k + 0.05 * rng.random(), -0.25 + 0.1 * np.sin(3 * k)
        for j in range(5):
            solids.append(
                leaf(
                    float(x + 0.04 * np.sin(j + k)),
                    0.36 + 0.17 * j,
                    float(z),
                    turned(60.0 * j + 40 * k, 0, 58),
                    0.17,
                    "3c8a3c",
                )
            )
    for (x, y, z, yaw, size), code in zip(
        (
            (0.2, 0.92, 0.3, 8.0, 0.34),
            (-0.25, 0.62, 0.15, 165.0, 0.26),
            (0.3, 0.5, -0.2, 200.0, 0.2),
        ),
        fish,
        strict=False,
    ):
        solids += _fish(x, y, z, yaw, size, code)
    round_glass = [
        (0.0, 0.0),
        (0.5, 0.0),
        (0.72, 0.12),
        (0.98, 0.55),
        (1.0, 0.95),
        (0.85, 1.38),
        (0.68, 1.6),
        (0.74, 1.72),
        (0.0, 1.72),
    ]
    solids.append(Solid(lathe(round_glass), 1.25, plain("dff0f2"), middle=(0, 0.86, 0), glass=True))
    solids.append(
        Solid(
            lathe([(0.0, 0.1), (0.5, 0.1), (0.93, 0.55), (0.95, 0.95), (0.84, 1.26), (0.0, 1.26)]),
            1.15,
            plain("c4e6ee"),
            middle=(0, 0.7, 0),
            glass=True,
        )
    )
    solids += apple(1.7, 0.3, 0.0, 0.3, True)
    Studio(canvas, scene, solids).render()
    canvas.vignette(0.3)


def _fish(x: float, y: float, z: float, yaw: float, size: float, code: str) -> list[Solid]:
    body = lambda p: ellipsoid(0.85, 0.48, 0.3)(p / size) * size  # noqa: E731
    tone, belly = linear(code), linear("ffe8c0")

    def tail(p: Array) -> Array:
        q = p / size
        spread = 0.1 + 0.55 * np.clip(-q[:, 0] - 0.65, 0, 1)
        notch = np.abs(q[:, 1]) * 0.5 - 1.45 - q[:, 0]
        result: Array = (
            np.maximum.reduce(
                [np.abs(q[:, 1]) - spread, np.abs(q[:, 2]) - 0.04, q[:, 0] + 0.65, notch]
            )
            * size
            * 0.6
        )
        return result

    def fin(p: Array) -> Array:
        q = p / size
        result: Array = (
            np.maximum.reduce(
                [
                    q[:, 1] - 0.75 + 0.5 * (q[:, 0] - 0.1) ** 2,
                    np.abs(q[:, 2]) - 0.035,
                    np.abs(q[:, 0] + 0.05) - 0.4,
                    0.2 - q[:, 1],
                ]
            )
            * size
            * 0.7
        )
        return result

    def skin(p: Array) -> Array:
        q = p / size
        scales = 0.5 + 0.5 * np.sin(q[:, 0] * 34) * np.sin(q[:, 1] * 34)
        base = mix(tone, belly, smooth(0.0, -0.5, q[:, 1]) * 0.8 + 0.15 * scales)
        eye = np.hypot(q[:, 0] - 0.58, q[:, 1] - 0.1)
        base = mix(base, linear("f8f0e0"), smooth(0.12, 0.1, eye))
        result: Array = mix(base, linear("080808"), smooth(0.075, 0.06, eye))
        return result

    return [
        Solid(
            union(body, tail, fin, blend=0.06 * size),
            size * 1.6,
            skin,
            (x, y, z),
            (-0.3 * size, 0, 0),
            turned(yaw),
            0.4,
            60,
            soft=0.3,
        )
    ]


def marbles(canvas: Canvas, codes: list[str], cover: Cover, wall: tuple[str, str]) -> None:
    """Glass marbles and polished balls."""
    scene = Set(cover, wall, eye=(0.0, 2.2, 4.6), look=(0.0, 0.25, 0.15), zoom=2.0, polish=0.55)
    solids: list[Solid] = []
    places = [
        (-0.95, -0.4, 0.5),
        (0.2, -0.75, 0.56),
        (1.25, -0.2, 0.44),
        (0.35, 0.45, 0.36),
        (-0.5, 0.75, 0.34),
        (1.15, 0.95, 0.26),
        (-1.4, 0.7, 0.22),
        (0.3, 1.3, 0.18),
    ]
    for k, (x, z, r) in enumerate(places):
        a, b = linear(codes[k % len(codes)]), linear(codes[(k + 2) % len(codes)])

        def skin(p: Array, one: Array = a, two: Array = b, size: float = r) -> Array:
            q = p / size
            swirl = np.sin(5 * q[:, 1] + 2.5 * np.sin(2.2 * q[:, 0] + q[:, 2]) + 1.5 * q[:, 2])
            return mix(one, two, smooth(-0.25, 0.35, swirl))

        solids.append(
            Solid(
                ellipsoid(r, r, r),
                r * 1.01,
                skin,
                (x, r, z),
                turn=turned(40.0 * k, 30, 20),
                gloss=0.9,
                sharp=260,
            )
        )
    Studio(canvas, scene, solids).render()
    canvas.vignette(0.35)
