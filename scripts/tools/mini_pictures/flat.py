"""Flat patterns: mosaic tiles, autumn leaves on the ground, ripples in stone."""

from __future__ import annotations

import numpy as np

from mini_pictures.canvas import Canvas
from mini_pictures.colour import Array, mix, rgb, smooth


def tiles(canvas: Canvas, codes: list[str], grout: str, across: int = 6) -> None:
    """Glazed tiles with quarter circles turned at random, worn and lit from one side."""
    rng = canvas.rng
    size = canvas.aspect / across
    u, v = canvas.x / size, canvas.y / size
    column, row = np.floor(u).astype(int), np.floor(v).astype(int)
    count = int(row.max()) + 1
    turn = rng.integers(0, 4, (count, across))[row, np.minimum(column, across - 1)]
    kind = rng.integers(0, 3, (count, across))[row, np.minimum(column, across - 1)]
    own = rng.random((count, across)).astype(np.float32)[row, np.minimum(column, across - 1)]
    a, b = u - column + 0 * v, v - row + 0 * u
    fx = np.choose(turn, [a, b, 1 - a, 1 - b])
    fy = np.choose(turn, [b, 1 - a, 1 - b, a])
    corner, other = np.hypot(fx, fy), np.hypot(1 - fx, 1 - fy)
    rings = np.where(
        kind == 0,
        np.minimum(corner, other),
        np.where(kind == 1, corner, np.maximum(np.abs(fx - 0.5), np.abs(fy - 0.5)) * 1.3),
    )
    index = np.clip(np.floor(rings * 4.2 + kind), 0, 7).astype(int) % len(codes)
    tone = np.stack([rgb(code) for code in codes])[index]
    edge = np.minimum(np.minimum(a, 1 - a), np.minimum(b, 1 - b))
    glaze = canvas.noise(18, 18 * canvas.aspect, 6, 0.6)
    bevel = smooth(0.075, 0.03, edge) * (
        ((a < 0.075) | (b < 0.075)) * 0.5 - ((a > 0.925) | (b > 0.925)) * 0.4
    )
    shade = 0.84 + 0.16 * own + 0.22 * (glaze - 0.5) + bevel * 0.5
    shine = smooth(0.35, 0.0, np.abs(a + b - 0.6 - 0.3 * own)) * 0.14
    tone = tone * shade[..., None] + shine[..., None]
    joint = mix(rgb(grout), rgb(grout) * 0.6, glaze)
    canvas.rgb = mix(tone, joint, smooth(0.032, 0.02, edge + 0.012 * (glaze - 0.5)))
    light = 1.12 - 0.3 * (canvas.x / canvas.aspect + canvas.y) / 2
    canvas.rgb = canvas.rgb * light[..., None]


def leaves(canvas: Canvas, codes: list[str], ground: str, count: int = 90) -> None:
    """Fallen leaves, one over another, each with its veins and its shadow."""
    grit = canvas.noise(60, 60 * canvas.aspect, 4, 0.8)
    canvas.rgb = rgb(ground) * (0.35 + 0.9 * grit)[..., None]
    for k in range(count):
        x, y = canvas.rng.random() * canvas.aspect, canvas.rng.random()
        size = 0.1 + 0.1 * canvas.rng.random()
        lobes = 5 if canvas.rng.random() < 0.5 else 1
        tone = rgb(codes[int(canvas.rng.integers(len(codes)))])
        _leaf(canvas, x, y, size, canvas.rng.random() * 6.28, tone, lobes, 0.55 + 0.45 * k / count)
    canvas.vignette(0.45)


def _leaf(
    canvas: Canvas,
    x: float,
    y: float,
    size: float,
    angle: float,
    tone: Array,
    lobes: int,
    bright: float,
) -> None:
    n = canvas.rows
    r0, r1 = int(max(0, (y - size * 1.4) * n)), int(min(n, (y + size * 1.4) * n))
    c0, c1 = int(max(0, (x - size * 1.4) * n)), int(min(canvas.columns, (x + size * 1.4) * n))
    if r1 <= r0 or c1 <= c0:
        return
    px, py = canvas.x[:, c0:c1], canvas.y[r0:r1]

    def frame(dx: float, dy: float) -> tuple[Array, Array]:
        u0, v0 = (px - x - dx) / size, (py - y - dy) / size
        return u0 * np.cos(angle) + v0 * np.sin(angle), v0 * np.cos(angle) - u0 * np.sin(angle)

    def outline(u: Array, v: Array) -> Array:
        if lobes == 1:
            width = 0.42 * np.sqrt(np.clip(1 - u * u, 0, 1)) * (1 - 0.35 * u)
            simple: Array = np.abs(v) - width + 0.012 * np.sin(u * 45)
            return simple
        theta = np.arctan2(v, u)
        r = np.hypot(u, v)
        fingers = np.abs(np.cos(theta * 2.5)) ** 0.7
        reach = 0.34 + 0.5 * fingers * (0.75 + 0.25 * np.cos(theta)) + 0.035 * np.sin(theta * 34)
        stem = np.maximum(np.abs(v) - 0.022, np.maximum(-u - 1.15, u))
        lobed: Array = np.minimum(r - reach, stem)
        return lobed

    part = canvas.rgb[r0:r1, c0:c1]
    shadow = smooth(0.12, -0.12, outline(*frame(0.012, 0.018)))
    part = part * (1 - 0.62 * shadow)[..., None]
    u, v = frame(0, 0)
    d = outline(u, v)
    if lobes == 1:
        vein = np.minimum(np.abs(v), np.abs(np.sin((u - np.abs(v) * 0.9) * 14)) * 0.06 + 0.01)
    else:
        theta = np.arctan2(v, u)
        near = theta - np.round(theta / 1.2566) * 1.2566
        vein = np.abs(np.hypot(u, v) * np.sin(near))
    spots = canvas.noise(34, 34 * canvas.aspect, 3)[r0:r1, c0:c1] if size > 0.15 else 0.5
    shade = (
        bright
        * (0.88 + 0.25 * np.sin(v * 3 + u * 2) + 0.35 * (np.asarray(spots) - 0.5))
        * (0.85 + 0.15 * smooth(0, -0.2, d))
    )
    surface = mix(
        tone * shade[..., None],
        np.minimum(tone * 1.35 + 0.1, 1) * bright,
        0.75 * smooth(0.022, 0.006, vein),
    )
    mask = np.clip(0.5 - d * size * n, 0, 1)[..., None]
    canvas.rgb[r0:r1, c0:c1] = part * (1 - mask) + surface * mask


def agate(canvas: Canvas, codes: list[str], centre: tuple[float, float]) -> None:
    """A cut agate: bands that follow a warped shape, crystals in the middle."""
    warp = canvas.noise(3, 3 * canvas.aspect, 5, 0.5)
    fine = canvas.noise(40, 40 * canvas.aspect, 4, 0.7)
    x, y = centre[0] * canvas.aspect, centre[1]
    distance = np.hypot((canvas.x - x) * 0.9, (canvas.y - y) * 1.15) + (warp - 0.5) * 0.55
    bands = distance * 21 + 0.18 * (fine - 0.5)
    index = np.floor(bands).astype(int)
    part = bands - index
    palette = np.stack([rgb(code) for code in codes])
    tone = mix(
        palette[index % len(codes)], palette[(index + 1) % len(codes)], smooth(0.55, 1.0, part)
    )
    thin = 0.9 + 0.12 * np.sin(bands * 19)
    tone = tone * (thin + 0.16 * (fine - 0.5))[..., None]
    heart = smooth(0.16, 0.1, distance)
    facets = canvas.noise(26, 26 * canvas.aspect, 2, 0.8)
    crystal = mix(rgb(codes[0]) * 0.7, rgb("ffffff"), smooth(0.3, 0.8, facets))
    canvas.rgb = mix(tone, crystal, heart)
    rim = smooth(0.72, 0.8, distance)
    canvas.paint(mix(rgb("3a2c24"), rgb("7a6450"), fine), rim)
    canvas.vignette(0.3)
