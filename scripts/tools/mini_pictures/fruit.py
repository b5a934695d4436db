"""Still lifes with fruit: single fruits as solids, and the tables they lie on."""

from __future__ import annotations

import numpy as np

from mini_pictures.canvas import Canvas
from mini_pictures.colour import Array, linear, mix, smooth
from mini_pictures.solid import (
    Skin,
    Solid,
    capsule,
    ellipsoid,
    lathe,
    plain,
    turned,
    union,
)
from mini_pictures.studio import Set, Studio, checks, cloth, planks

Place = tuple[float, float, float]


def speckled(first: str, second: str, streak: float = 0.0, side: float = 0.7) -> Skin:
    """A fruit's skin: blush on one side, specks, streaks from pole to pole."""
    a, b = linear(first), linear(second)

    def colours(p: Array) -> Array:
        angle = np.arctan2(p[:, 2], p[:, 0])
        height = np.linalg.norm(p, axis=1) + 1e-6
        blush = 0.5 + 0.5 * np.sin(angle + 0.6) * side + 0.25 * np.sin(p[:, 1] / height * 2)
        lines = 0.5 + 0.5 * np.sin(angle * 41 + 3 * np.sin(angle * 13))
        specks = np.sin(p[:, 0] * 83 + 3) * np.sin(p[:, 1] * 91) * np.sin(p[:, 2] * 77 + 1)
        share = blush + streak * (lines - 0.5) + 0.5 * smooth(0.55, 0.8, specks)
        return mix(a, b, np.clip(share, 0, 1))

    return colours


def apple(x: float, z: float, y: float = 0.0, size: float = 0.36, red: bool = True) -> list[Solid]:
    """An apple with its stalk; red or green."""
    body = lathe(
        [
            (0.0, 0.1),
            (0.2, 0.0),
            (0.52, 0.12),
            (0.82, 0.55),
            (0.98, 1.1),
            (0.86, 1.6),
            (0.5, 1.84),
            (0.2, 1.76),
            (0.05, 1.58),
            (0.0, 1.55),
        ]
    )
    shape = lambda p: body(p / size) * size  # noqa: E731
    skin = speckled("d8a838", "a01818", 0.5) if red else speckled("6a9a20", "b8c850", 0.15)
    turn = turned(40 * x + 90, 7 * np.sin(9 * x), 9 * np.cos(5 * z))
    stalk = capsule((0, 1.5 * size, 0), (0.12 * size, 2.08 * size, 0), 0.035 * size, 0.05 * size)
    return [
        Solid(shape, 1.15 * size, skin, (x, y, z), (0, 0.92 * size, 0), turn, 0.5, 90),
        Solid(
            stalk, 0.35 * size, plain("4a3018"), (x, y, z), (0.06 * size, 1.8 * size, 0), turn, 0.1
        ),
    ]


def pear(
    x: float, z: float, y: float = 0.0, size: float = 0.4, turn: Array | None = None
) -> list[Solid]:
    """A pear with its stalk."""
    body = lathe(
        [
            (0.0, 0.06),
            (0.25, 0.0),
            (0.62, 0.18),
            (0.84, 0.62),
            (0.76, 1.08),
            (0.5, 1.5),
            (0.36, 1.9),
            (0.26, 2.12),
            (0.08, 2.16),
            (0.0, 2.12),
        ]
    )
    shape = lambda p: body(p / size) * size  # noqa: E731
    stalk = capsule((0, 2.08 * size, 0), (0.16 * size, 2.6 * size, 0.05), 0.05 * size, 0.035 * size)
    frame = turned(70 * x, 5, 6 * np.sin(7 * x)) if turn is None else turn
    skin = speckled("a8a030", "c87830", 0.1)
    return [
        Solid(
            shape,
            1.3 * size,
            skin,
            (x, y, z),
            (0, 1.05 * size, 0),
            frame,
            0.25,
            30,
            bump=0.04,
            grain=70,
        ),
        Solid(
            stalk,
            0.45 * size,
            plain("4c3418"),
            (x, y, z),
            (0.08 * size, 2.34 * size, 0),
            frame,
            0.1,
        ),
    ]


def lemon(x: float, z: float, yaw: float, y: float = 0.0, size: float = 0.33) -> Solid:
    """A lemon lying on its side."""
    body = lathe(
        [
            (0.0, -1.38),
            (0.1, -1.34),
            (0.2, -1.2),
            (0.6, -0.85),
            (0.9, -0.3),
            (0.92, 0.25),
            (0.62, 0.85),
            (0.22, 1.16),
            (0.12, 1.24),
            (0.0, 1.25),
        ]
    )
    shape = lambda p: body(p / size) * size  # noqa: E731
    return Solid(
        shape,
        1.42 * size,
        speckled("f0c808", "f4d83c", 0.05),
        (x, y + 0.9 * size, z),
        turn=turned(yaw, 0, 86),
        gloss=0.4,
        sharp=35,
        bump=0.1,
        grain=95,
        soft=0.15,
    )


def orange(x: float, z: float, y: float = 0.0, size: float = 0.38) -> Solid:
    """An orange with its pored peel."""
    return Solid(
        ellipsoid(size, size * 0.95, size),
        size * 1.02,
        speckled("e87808", "f09018", 0.05),
        (x, y + size * 0.95, z),
        turn=turned(50 * x, 20),
        gloss=0.4,
        sharp=30,
        bump=0.13,
        grain=85,
        soft=0.12,
    )


def lemon_half(x: float, z: float, yaw: float, size: float = 0.33) -> Solid:
    """Half a lemon, its cut face showing the segments."""
    rind = linear("f4d028")

    def shape(p: Array) -> Array:
        ball = ellipsoid(size, size * 1.15, size)(p)
        return np.maximum(ball, p[:, 1])

    def skin(p: Array) -> Array:
        r = np.hypot(p[:, 0], p[:, 2]) / size
        angle = np.arctan2(p[:, 2], p[:, 0]) / 6.28318 * 9
        wedge = np.abs(angle - np.floor(angle) - 0.5) * 2
        flesh = (
            smooth(0.98, 0.86, wedge + 0.05 / (r + 0.05))
            * smooth(0.84, 0.79, r)
            * smooth(0.08, 0.13, r)
        )
        cut = mix(
            linear("f8f0c8"),
            linear("f0d030") * (0.8 + 0.25 * np.sin(r * 60 + angle * 30))[:, None],
            flesh,
        )
        return mix(
            np.broadcast_to(rind, p.shape),
            cut,
            smooth(-0.02, -0.012, p[:, 1]) * smooth(0.99, 0.95, r),
        )

    return Solid(
        shape,
        size * 1.2,
        skin,
        (x, size * 0.74, z),
        turn=turned(yaw, 62),
        gloss=0.35,
        sharp=40,
        soft=0.3,
    )


def grapes(
    x: float, z: float, y: float, code: str, rng: np.random.Generator, count: int = 34
) -> list[Solid]:
    """A bunch of grapes with bloom on them."""
    bunch = []
    skin = speckled(code, "8a86b0" if code[0] < "8" else "d0d8a0", 0.0, 0.5)
    for k in range(count):
        t = k / count
        width = 0.34 * (1 - 0.75 * t) + 0.03
        angle = 2.4 * k
        px = x + width * np.cos(angle) * rng.random() ** 0.4 + 0.1 * t
        pz = z + width * 0.8 * np.sin(angle) * rng.random() ** 0.4 + 0.55 * t
        py = y + 0.12 + 0.32 * (1 - t) * rng.random()
        bunch.append(
            Solid(
                ellipsoid(0.105, 0.118, 0.105),
                0.12,
                skin,
                (float(px), float(py), float(pz)),
                turn=turned(40 * k),
                gloss=0.5,
                sharp=70,
                soft=0.3,
            )
        )
    return bunch


def leaf(x: float, y: float, z: float, turn: Array, size: float, code: str) -> Solid:
    """One folded leaf with a pale midrib."""
    tone, rib = linear(code), linear("c8d890")

    def shape(p: Array) -> Array:
        q = p / size
        bent = q[:, 1] - 0.22 * np.abs(q[:, 2]) + 0.25 * q[:, 0] ** 2
        width = 0.42 * np.clip(1 - q[:, 0] ** 2, 0.0, 1) + 0.001
        edge = np.abs(q[:, 2]) - width
        result: Array = (
            np.maximum(np.maximum(edge, np.abs(bent) - 0.02), np.abs(q[:, 0]) - 1) * size * 0.55
        )
        return result

    def skin(p: Array) -> Array:
        q = p / size
        veins = np.abs(np.sin((q[:, 0] - np.abs(q[:, 2]) * 0.8) * 16))
        share = np.maximum(smooth(0.035, 0.015, np.abs(q[:, 2])), 0.4 * smooth(0.25, 0.05, veins))
        return mix(tone, rib, share)

    return Solid(shape, size * 1.1, skin, (x, y, z), turn=turn, gloss=0.25, sharp=25, soft=0.35)


def dish(code: str, radius: float = 1.0, height: float = 0.42, inner: str | None = None) -> Solid:
    """A wide bowl on a low foot."""
    h = height
    shape = lathe(
        [
            (0.0, 0.0),
            (radius * 0.42, 0.0),
            (radius * 0.42, 0.06),
            (radius * 0.7, 0.16 * h / 0.42),
            (radius * 0.93, 0.6 * h),
            (radius, h),
            (radius * 0.96, h + 0.015),
            (radius * 0.86, 0.6 * h + 0.04),
            (radius * 0.6, 0.22),
            (0.0, 0.16),
        ]
    )
    a, b = linear(code), linear(inner or code)

    def skin(p: Array) -> Array:
        r = np.hypot(p[:, 0], p[:, 2])
        band = smooth(0.04, 0.02, np.abs(p[:, 1] - h * 0.78)) * (r > radius * 0.9)
        return mix(np.broadcast_to(a, p.shape), b, smooth(h * 0.985, h, p[:, 1]) + band)

    return Solid(shape, radius + 0.12, skin, middle=(0, h / 2, 0), gloss=0.6, sharp=110)


def bowl(
    canvas: Canvas,
    ware: str,
    trim: str,
    first: str,
    second: str,
    wall: tuple[str, str],
    green: bool,
) -> None:
    """A bowl heaped with fruit on a checked or plain cloth."""
    scene = Set(
        checks(first, second, 0.42) if green else cloth(first, second),
        wall,
        eye=(0.0, 2.1, 5.0),
        look=(0.0, 0.55, 0.0),
        zoom=1.95,
    )
    ys = 0.2
    solids = [dish(ware, 1.12, 0.5, trim)]
    solids += apple(-0.5, 0.3, ys, 0.36, not green) + apple(0.12, -0.5, ys + 0.14, 0.37, True)
    solids += [orange(0.5, 0.22, ys, 0.36), orange(-0.28, -0.3, ys + 0.2, 0.35)]
    solids += [lemon(0.02, 0.55, 25, ys + 0.12, 0.27), lemon(0.15, 0.06, -40, ys + 0.62, 0.28)]
    solids += pear(-0.62, -0.35, ys + 0.15, 0.36, turned(0, 0, 24))
    solids += grapes(1.25, 0.45, 0.0, "3c1c4c" if not green else "9ab040", canvas.rng)
    solids += apple(-1.5, 0.25, 0.0, 0.35, green)
    solids.append(leaf(1.15, 0.42, 0.3, turned(30, 0, 20), 0.3, "4a7028"))
    Studio(canvas, scene, solids).render()
    canvas.vignette(0.35)


def lemons(canvas: Canvas, first: str, second: str, wall: tuple[str, str]) -> None:
    """Lemons, whole and halved, with leaves."""
    scene = Set(cloth(first, second), wall, eye=(0.0, 2.0, 4.0), look=(0.0, 0.28, 0.1), zoom=1.9)
    solids: list[Solid] = [
        lemon(-0.85, -0.25, 20),
        lemon(-0.15, -0.55, -35),
        lemon(0.72, -0.35, 60),
        lemon(-0.32, 0.0, -10, 0.46),
        lemon_half(0.3, 0.55, 15),
        lemon_half(-0.62, 0.7, -20),
        leaf(0.85, 0.2, 0.45, turned(-20, 0, 5), 0.36, "3f6e22"),
        leaf(-1.25, 0.2, 0.35, turned(40, 0, 8), 0.34, "4a7a28"),
        leaf(-0.1, 0.78, -0.35, turned(70, 10, 20), 0.3, "44722a"),
    ]
    Studio(canvas, scene, solids).render()
    canvas.vignette(0.3)


def pears(canvas: Canvas, first: str, second: str, wall: tuple[str, str], count: int = 3) -> None:
    """Pears in a row on old boards, in raking light."""
    scene = Set(
        planks(first, second),
        wall,
        (-0.85, 0.42, 0.32),
        "ffe6b8",
        1.35,
        "5a6a88",
        0.3,
        eye=(0.0, 1.3, 4.6),
        look=(0.0, 0.62, 0.0),
        zoom=2.1,
        polish=0.25,
    )
    solids: list[Solid] = []
    for k in range(count):
        x = (k - (count - 1) / 2) * 0.86
        solids += pear(x, 0.25 * np.cos(2.6 * k), 0.0, 0.4 + 0.03 * np.sin(5 * k))
    if count > 2:
        lying = turned(-38, 0, 97)
        solids += pear(0.75, 0.95, 0.28, 0.33, lying)
    Studio(canvas, scene, solids).render()
    canvas.vignette(0.5)


def pumpkins(
    canvas: Canvas, codes: list[str], first: str, second: str, wall: tuple[str, str]
) -> None:
    """Ribbed pumpkins of several colours on boards."""
    scene = Set(planks(first, second), wall, eye=(0.0, 1.7, 5.2), look=(0.0, 0.5, 0.0), zoom=1.9)
    places = [
        (-0.75, 0.0, 0.72),
        (0.75, -0.25, 0.6),
        (0.35, 0.85, 0.4),
        (-0.35, 1.25, 0.26),
        (1.45, 0.6, 0.34),
    ]
    solids: list[Solid] = []
    for k, (x, z, size) in enumerate(places):
        solids += _pumpkin(x, z, size, codes[k % len(codes)], 9 + k % 3)
    Studio(canvas, scene, solids).render()
    canvas.vignette(0.35)


def _pumpkin(x: float, z: float, size: float, code: str, ribs: int) -> list[Solid]:
    tone = linear(code)
    tall = 0.72

    def shape(p: Array) -> Array:
        angle = np.arctan2(p[:, 2], p[:, 0])
        r = np.hypot(p[:, 0], p[:, 2])
        groove = 1 - 0.11 * (1 - np.abs(np.sin(angle * ribs / 2)) ** 0.6)
        q = np.stack(
            [r / groove, p[:, 1] + 0.2 * size * np.exp(-((r / (0.3 * size)) ** 2)), 0 * r], axis=1
        )
        result: Array = ellipsoid(size, size * tall, size)(q) * 0.7
        return result

    def skin(p: Array) -> Array:
        angle = np.arctan2(p[:, 2], p[:, 0])
        groove = np.abs(np.sin(angle * ribs / 2)) ** 0.5
        spots = np.sin(p[:, 0] * 47) * np.sin(p[:, 1] * 53) * np.sin(p[:, 2] * 43)
        result: Array = tone * (0.5 + 0.5 * groove + 0.25 * smooth(0.4, 0.7, spots))[:, None]
        return result

    stem = union(
        capsule((0, size * 0.4, 0), (size * 0.05, size * 0.85, 0), size * 0.13, size * 0.08),
        capsule((size * 0.05, size * 0.85, 0), (size * 0.22, size, 0.02), size * 0.08, size * 0.1),
        blend=0.05,
    )
    return [
        Solid(
            shape,
            size * 1.05,
            skin,
            (x, size * tall * 0.96, z),
            turn=turned(25 * x, 4, -4),
            gloss=0.35,
            sharp=30,
        ),
        Solid(
            stem,
            size * 0.6,
            plain("6a6a38"),
            (x, size * 0.5, z),
            (0, size * 0.65, 0),
            turned(90 * x),
            0.1,
        ),
    ]
