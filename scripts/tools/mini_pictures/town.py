"""Towns: a skyline at night, rain on a window, roofs in the evening."""

from __future__ import annotations

import numpy as np

from mini_pictures import sky
from mini_pictures.canvas import Canvas, Layer
from mini_pictures.colour import Array, Stop, mix, rgb


def skyline(canvas: Canvas, stops: list[Stop], window: str, tint: str, moon: bool = False) -> None:
    """Towers with lit windows across the water."""
    level = 0.7
    a = canvas.aspect
    canvas.gradient(stops, 0, level)
    if moon:
        sky.stars(canvas, 180, 0.5)
        sky.moon(canvas, a * 0.18, 0.17, 0.05)
    sky.clouds(canvas, stops[-1][1], stops[0][1], 0.45, level, 4, 0.5)
    for depth in (0.0, 0.5, 1.0):
        layer = canvas.layer()
        x = -0.03
        while x < a:
            width = 0.035 + 0.06 * canvas.rng.random()
            hill = 0.45 + 0.55 * np.exp(-(((x / a - 0.58) / 0.24) ** 2))
            height = (0.42 - 0.2 * depth) * hill * (0.45 + 0.75 * canvas.rng.random())
            wall = mix(rgb(stops[-1][1]), rgb("0c1220"), 0.45 + 0.42 * depth)
            _tower(canvas, layer, x, width, level - height, level, wall, rgb(window), depth)
            x += width * (0.75 + 0.5 * canvas.rng.random())
        canvas.lay(layer)
        haze = np.exp(-(((canvas.y - level) / 0.1) ** 2)) + 0 * canvas.x
        canvas.glow(rgb(window), haze.astype(np.float32), 0.12 * (1 - depth) + 0.05)
    canvas.bloom(0.6, 0.008, 0.5)
    sky.water(canvas, level - 0.004, tint, 0.35, 0.05)
    canvas.bloom(0.7, 0.02, 0.3)
    canvas.vignette(0.3)


def _tower(
    canvas: Canvas,
    layer: Layer,
    x: float,
    width: float,
    top: float,
    foot: float,
    wall: Array,
    window: Array,
    depth: float,
) -> None:
    rng = canvas.rng
    layer.polygon([(x, foot), (x + width, foot), (x + width, top), (x, top)], wall)
    kind = rng.random()
    if kind < 0.25:
        layer.polygon([(x, top), (x + width, top), (x + width / 2, top - width * 0.9)], wall)
        layer.line([(x + width / 2, top), (x + width / 2, top - width * 1.7)], wall, 0.003)
    elif kind < 0.55:
        layer.polygon(
            [
                (x + width * 0.2, top),
                (x + width * 0.8, top),
                (x + width * 0.8, top - width * 0.4),
                (x + width * 0.2, top - width * 0.4),
            ],
            wall,
        )
    layer.polygon(
        [(x, foot), (x + width * 0.18, foot), (x + width * 0.18, top), (x, top)], wall * 1.25
    )
    pace = 0.0105
    lit = 0.2 + 0.4 * rng.random()
    cool = mix(window, rgb("cfe4ff"), float(rng.random() < 0.25) * 0.8)
    for wy in np.arange(top + 0.012, foot - 0.01, pace * 1.25):
        for wx in np.arange(x + 0.007, x + width - 0.007, pace):
            if rng.random() < lit:
                glow = cool * (0.55 + 0.45 * rng.random()) * (0.6 + 0.4 * depth)
                layer.polygon(
                    [(wx, wy), (wx + 0.0055, wy), (wx + 0.0055, wy + 0.007), (wx, wy + 0.007)], glow
                )


def rainy_window(canvas: Canvas, stops: list[Stop], lights: list[str], drops: int = 330) -> None:
    """Drops on a window pane; behind it the blurred lights of a street."""
    a = canvas.aspect
    rng = canvas.rng
    canvas.gradient(stops)
    for blur, count in ((0.02, 26), (0.006, 30)):
        layer = canvas.layer()
        for _ in range(count):
            x, y = rng.random() * a, float(np.clip(rng.normal(0.55, 0.2), 0, 1))
            r = 0.025 + 0.05 * rng.random()
            tone = rgb(lights[int(rng.integers(len(lights)))])
            layer.ellipse(x, y, r, r, tone, 0.4 + 0.35 * rng.random())
        canvas.lay(layer, blur, 0.85)
    scene = canvas.rgb.copy()
    canvas.soften(0.01)
    canvas.rgb = canvas.rgb * 0.9 + 0.03
    for _ in range(drops):
        r = 0.004 + 0.02 * rng.random() ** 3.2
        _drop(canvas, scene, rng.random() * a, rng.random(), r, 1.0 + 0.35 * rng.random())
    for _ in range(7):
        x, y = rng.random() * a, 0.25 + 0.6 * rng.random()
        for k in range(14):
            _drop(
                canvas,
                scene,
                x + rng.normal(0, 0.002),
                y - 0.024 * k,
                0.0035 + 0.004 * rng.random(),
                1.2,
            )
        _drop(canvas, scene, x, y + 0.012, 0.018, 1.35)
    canvas.vignette(0.3)


def _drop(canvas: Canvas, scene: Array, x: float, y: float, r: float, tall: float) -> None:
    # A drop is a lens: it shows the street upside down, dark above and bright below.
    n = canvas.rows
    y0, y1 = int(max(0, (y - r * tall) * n - 2)), int(min(n, (y + r * tall) * n + 3))
    x0, x1 = int(max(0, (x - r) * n - 2)), int(min(canvas.columns, (x + r) * n + 3))
    if y1 - y0 < 2 or x1 - x0 < 2:
        return
    u = (canvas.x[:, x0:x1] - x) / r
    v = (canvas.y[y0:y1] - y) / (r * tall)
    d = np.hypot(u, v)
    mask = np.clip((1 - d) * r * n + 0.5, 0, 1)[..., None]
    row = np.clip((0.55 - v * 0.42) * n, 0, n - 1).astype(int)
    column = np.clip((x - u * 0.35) * n, 0, canvas.columns - 1).astype(int)
    lens = scene[np.broadcast_to(row, d.shape), np.broadcast_to(column, d.shape)]
    lens = lens * np.clip(0.75 + 0.55 * v - 0.35 * d**4, 0.1, 1.5)[..., None]
    spark = np.exp(-(((u + 0.35) / 0.2) ** 2) - ((v + 0.45) / 0.18) ** 2)[..., None]
    lens = np.clip(lens * 1.9 + 0.06 + 0.75 * spark, 0, 1)
    part = canvas.rgb[y0:y1, x0:x1]
    canvas.rgb[y0:y1, x0:x1] = part * (1 - mask) + lens * mask


def roofs(canvas: Canvas, stops: list[Stop], walls: list[str], roof: str) -> None:
    """A hillside village of gabled houses, windows lit, in the evening."""
    a = canvas.aspect
    rng = canvas.rng
    canvas.gradient(stops, 0, 0.6)
    sky.clouds(canvas, stops[-1][1], stops[0][1], 0.5, 0.5, 3.5, 0.7)
    hill = 0.36 + 0.1 * np.sin(canvas.x[0] / a * 3.0 + 0.4) - 0.04
    canvas.paint(mix(rgb("2c3c40"), rgb(stops[-1][1]), 0.35), canvas.below(hill))
    for i in range(7):
        t = i / 6
        layer = canvas.layer()
        x = -0.1 * rng.random()
        while x < a:
            width = (0.07 + 0.1 * t) * (0.8 + 0.5 * rng.random())
            base = 0.44 + 0.56 * t + 0.04 * np.sin(x / a * 3)
            wall = rgb(walls[int(rng.integers(len(walls)))]) * (0.75 + 0.2 * rng.random())
            _house(
                canvas,
                layer,
                x,
                base,
                width,
                mix(rgb(stops[-1][1]), wall, 0.5 + 0.5 * t),
                mix(rgb(stops[-1][1]), rgb(roof), 0.5 + 0.5 * t) * (0.8 + 0.3 * rng.random()),
            )
            x += width * (0.95 + 0.35 * rng.random())
        canvas.lay(layer)
        canvas.paint(
            rgb(stops[-1][1]),
            np.exp(-(((canvas.y - 0.5 - 0.5 * t) / 0.08) ** 2)) + 0 * canvas.x,
            0.22 * (1 - t),
        )
    canvas.bloom(0.72, 0.015, 0.45)
    canvas.vignette(0.35)


def _house(
    canvas: Canvas, layer: Layer, x: float, base: float, w: float, wall: Array, roof: Array
) -> None:
    rng = canvas.rng
    h = w * (0.75 + 0.5 * rng.random())
    eave, ridge = base - h, base - h - w * (0.45 + 0.25 * rng.random())
    side = w * 0.42
    layer.polygon(
        [
            (x, base + 0.2),
            (x + side, base + 0.2),
            (x + side, eave),
            (x + side / 2, ridge),
            (x, eave),
        ],
        wall,
    )
    layer.polygon(
        [(x + side, base + 0.2), (x + w, base + 0.2), (x + w, eave), (x + side, eave)], wall * 0.72
    )
    layer.polygon(
        [
            (x + side, eave + w * 0.03),
            (x + w * 1.04, eave + w * 0.03),
            (x + w * 0.86, ridge),
            (x + side / 2, ridge),
        ],
        roof,
    )
    layer.line(
        [(x - w * 0.03, eave + w * 0.02), (x + side / 2, ridge), (x + side, eave + w * 0.02)],
        roof * 0.75,
        w * 0.035,
    )
    cx = x + w * 0.7
    layer.polygon(
        [
            (cx, ridge + w * 0.12),
            (cx + w * 0.08, ridge + w * 0.12),
            (cx + w * 0.08, ridge - w * 0.14),
            (cx, ridge - w * 0.14),
        ],
        wall * 0.55,
    )
    for k in range(5):
        wx = x + w * (0.08, 0.26, 0.5, 0.66, 0.82)[k]
        lit = rng.random() < 0.5
        tone = rgb("ffd27a") if lit else rgb("2c3444")
        for row in (0.22, 0.62):
            wy = eave + h * row
            layer.polygon(
                [(wx, wy), (wx + w * 0.09, wy), (wx + w * 0.09, wy + h * 0.2), (wx, wy + h * 0.2)],
                tone * (1.0 if k < 2 else 0.88),
            )
