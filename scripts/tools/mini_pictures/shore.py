"""The sea and what floats on it: sunsets, moonrise, boats, icebergs, lighthouse, bridge."""

from __future__ import annotations

import numpy as np

from mini_pictures import sky
from mini_pictures.canvas import Canvas, Layer
from mini_pictures.colour import Array, Stop, mix, ramp, rgb, smooth
from mini_pictures.noise import profile


def sunset(canvas: Canvas, stops: list[Stop], sun_x: float, warm: str, tint: str) -> None:
    """The sun just above a calm sea, clouds lit from below."""
    level = 0.6
    canvas.gradient(stops, 0, level)
    sky.clouds(canvas, warm, stops[0][1], 0.5, level, 3.6, 0.85)
    sky.sun(canvas, sun_x * canvas.aspect, level - 0.07, 0.045, "fff8e0", warm)
    line = level - 0.05 * smooth(0.3, 1, profile(canvas.rng, canvas.columns, 3, 6))
    canvas.paint(mix(rgb(stops[-1][1]), rgb(tint), 0.6), canvas.below(line))
    sky.water(canvas, level, tint, 0.45, 0.03)
    sky.glitter(canvas, sun_x * canvas.aspect, level, warm, 0.85)
    canvas.bloom(0.75, 0.04, 0.4)
    canvas.vignette()


def moonrise(canvas: Canvas, stops: list[Stop], at: tuple[float, float], size: float) -> None:
    """A large moon over dark hills and a lake."""
    level = 0.66
    canvas.gradient(stops, 0, level)
    sky.stars(canvas, 260, 0.5)
    sky.moon(canvas, at[0] * canvas.aspect, at[1], size)
    sky.clouds(canvas, "8090a8", stops[0][1], 0.4, level, 5, 0.6)
    for i in range(3):
        line = 0.54 + 0.04 * i - 0.14 * (profile(canvas.rng, canvas.columns, 3 + i, 8) - 0.4)
        canvas.paint(mix(rgb(stops[-1][1]), rgb("0a1020"), 0.5 + 0.22 * i), canvas.below(line))
    sky.water(canvas, level, "0a1424", 0.3, 0.02)
    sky.glitter(canvas, at[0] * canvas.aspect, level, "f4e8c8", 0.7)
    _reeds(canvas, rgb("05080e"))
    canvas.vignette(0.35)


def _reeds(canvas: Canvas, colour: Array) -> None:
    layer = canvas.layer()
    for _ in range(70):
        x = canvas.aspect * (canvas.rng.random() ** 2.2)
        height, lean = 0.08 + 0.22 * canvas.rng.random(), canvas.rng.normal(0, 0.04)
        stem = [(x + lean * t * t, 1.02 - height * t) for t in np.linspace(0, 1, 8)]
        layer.line(stem, colour, 0.003)
        if canvas.rng.random() < 0.3:
            layer.ellipse(x + lean, 1.02 - height, 0.005, 0.022, colour)
    canvas.lay(layer)


def sails(canvas: Canvas, stops: list[Stop], tint: str, cloth: list[str], count: int = 5) -> None:
    """Sailing boats on a breezy bay."""
    level = 0.5
    canvas.gradient(stops, 0, level)
    for x in (0.25, 0.75):
        sky.cumulus(canvas, x * canvas.aspect, 0.4, 0.55, "ffffff", "a8b8cc", 40)
    line = level - 0.06 * profile(canvas.rng, canvas.columns, 4, 7)
    canvas.paint(mix(rgb("5a7a8a"), rgb(stops[-1][1]), 0.45), canvas.below(line))
    boats = []
    for i in range(count):
        depth = (i / max(count - 1, 1)) ** 1.6
        x = canvas.aspect * float((0.17 + 0.37 * i + 0.1 * canvas.rng.random()) % 0.86 + 0.07)
        boats.append((x, level + 0.015 + 0.26 * depth, 0.09 + 0.25 * depth, cloth[i % len(cloth)]))
    sky.water(canvas, level, tint, 0.75, 0.02)
    for x, y, size, colour in boats:
        mirror = canvas.layer()
        _boat(mirror, x, y, size, -0.55, rgb(colour))
        canvas.lay(mirror, size * 0.03, 0.4)
        sheet = canvas.layer()
        _boat(sheet, x, y, size, 1.0, rgb(colour))
        canvas.lay(sheet)
    foam = canvas.noise(70, 24 * canvas.aspect, 3, 0.6)
    canvas.glow(rgb("ffffff"), smooth(0.72, 0.9, foam) * smooth(level, 1.0, canvas.y), 0.35)
    canvas.vignette()


def _boat(layer: Layer, x: float, y: float, size: float, up: float, cloth: Array) -> None:
    def at(u: float, v: float) -> tuple[float, float]:
        return x + u * size, y - v * size * up

    bow = np.linspace(0, 1, 9)
    belly = [
        at(0.03 + 0.4 * np.sin(t * 1.57) * (1 - t) * 2.1 + 0.05 * (1 - t), 0.12 + t) for t in bow
    ]
    layer.polygon([at(0.02, 0.12), *belly, at(0.0, 1.12)], cloth * 0.9)
    jib = [at(-0.04 - 0.36 * (1 - t) - 0.1 * np.sin(t * 3.14), 0.1 + 0.9 * t) for t in bow]
    layer.polygon([at(-0.04, 0.14), *jib], np.minimum(cloth * 1.08, 1))
    for k in (0.35, 0.6, 0.85):
        width = 0.4 * np.sin(k * 1.57) * (1 - k) * 2.1 + 0.05
        layer.line([at(0.02, 0.12 + k), at(width, 0.12 + k)], cloth * 0.75, size * 0.008)
    layer.line([at(0, 0), at(0, 1.16)], rgb("50402c"), size * 0.02)
    hull = [at(-0.46, 0.08), at(0.5, 0.06), at(0.42, -0.06), at(-0.34, -0.06)]
    layer.polygon(hull, rgb("f0ece4") * 0.95)
    layer.polygon(
        [at(-0.38, -0.02), at(0.45, -0.03), at(0.42, -0.06), at(-0.34, -0.06)], rgb("a03028")
    )


def lighthouse(canvas: Canvas, stops: list[Stop], night: bool, stripes: str) -> None:
    """A striped lighthouse on a rock; at night with its beam."""
    level = 0.72
    canvas.gradient(stops, 0, level)
    x, foot, top = canvas.aspect * 0.62, 0.68, 0.2
    if night:
        sky.stars(canvas, 350, 0.65)
        _beam(canvas, x, top - 0.015)
    else:
        sky.cumulus(canvas, 0.3 * canvas.aspect, 0.55, 0.6, "fff8f0", "98a8c0", 60)
    sky.water(canvas, level, "16283c" if night else "2a6a86", 0.55, 0.03)
    rock = 0.98 - 0.5 * np.exp(-(((canvas.x[0] - x) / 0.33) ** 2))
    rock = rock + 0.1 * (profile(canvas.rng, canvas.columns, 10, 7) - 0.2)
    rock = np.maximum(rock, foot - 0.005)
    texture = canvas.noise(16, 16 * canvas.aspect, 6, 0.6)
    tone = mix(rgb("1a1c20"), rgb("3a4048") if night else rgb("8a7c6c"), texture)
    moss = smooth(0.1, 0.0, canvas.y - rock[None, :]) * (0.2 if night else 0.75)
    canvas.paint(mix(tone, rgb("4c6a38"), moss), canvas.below(rock))
    _tower(canvas, x, foot + 0.02, top, rgb(stripes), 0.45 if night else 1.0)
    if night:
        canvas.glow(rgb("ffe8a0"), canvas.halo(x, top - 0.015, 0.05, 1.2), 1.0)
    surf = canvas.noise(30, 20 * canvas.aspect, 4, 0.6)
    edge = smooth(0.07, 0.0, np.abs(canvas.y - 0.97)) * smooth(0.5, 0.7, surf)
    canvas.glow(rgb("ffffff"), edge, 0.3 if night else 0.8)
    canvas.vignette()


def _beam(canvas: Canvas, x: float, y: float) -> None:
    for side in (-1.0, 1.0):
        along = (canvas.x - x) * side
        off = np.abs(canvas.y - y + 0.12 * along) / (0.008 + 0.11 * np.maximum(along, 0))
        beam = np.exp(-(off**2)) * (along > 0) * np.exp(-1.1 * np.maximum(along, 0))
        canvas.glow(rgb("ffe9b0"), beam.astype(np.float32), 0.65)


def _tower(canvas: Canvas, x: float, foot: float, top: float, stripe: Array, dim: float) -> None:
    height = foot - top
    v = (canvas.y - top) / height
    half = 0.028 + 0.03 * np.clip(v, 0, 1)
    u = (canvas.x - x) / half
    inside = smooth(1.02, 0.96, np.abs(u)) * smooth(-0.01, 0.01, v) * (v < 1)
    shade = np.clip(0.95 - 0.45 * (u + 0.35) ** 2, 0.15, 1)
    band = smooth(-0.06, 0.06, np.sin(v * 15.7 + 0.12 * u * u))
    canvas.paint(mix(rgb("f6f2ea"), stripe, band) * (shade * dim)[..., None], inside)
    layer = canvas.layer()
    for t in (0.25, 0.5, 0.75):
        layer.polygon(
            [
                (x - 0.006, top + t * height),
                (x + 0.006, top + t * height),
                (x + 0.006, top + t * height + 0.025),
                (x - 0.006, top + t * height + 0.025),
            ],
            rgb("2a2a34"),
        )
    layer.polygon(
        [
            (x - 0.042, top + 0.004),
            (x + 0.042, top + 0.004),
            (x + 0.036, top + 0.016),
            (x - 0.036, top + 0.016),
        ],
        rgb("383c44") * dim,
    )
    layer.polygon(
        [(x - 0.02, top), (x + 0.02, top), (x + 0.02, top - 0.04), (x - 0.02, top - 0.04)],
        rgb("ffe9a8"),
    )
    for k in (-0.02, -0.007, 0.007, 0.02):
        layer.line([(x + k, top), (x + k, top - 0.04)], rgb("383c44") * dim, 0.003)
    layer.polygon(
        [(x - 0.028, top - 0.04), (x + 0.028, top - 0.04), (x, top - 0.075)], stripe * dim
    )
    canvas.lay(layer)


def bridge(canvas: Canvas, stops: list[Stop], steel: str, fog: str) -> None:
    """A suspension bridge, its far end lost in fog."""
    level = 0.74
    canvas.gradient(stops, 0, level)
    sky.clouds(canvas, stops[-1][1], stops[0][1], 0.45, 0.6, 3, 0.5)
    for i in range(2):
        line = 0.62 + 0.06 * i - 0.16 * (profile(canvas.rng, canvas.columns, 2.5, 8) - 0.4)
        canvas.paint(mix(rgb(fog), rgb("3a5060"), 0.3 + 0.3 * i), canvas.below(line))
    layer = canvas.layer()
    a = canvas.aspect
    _span(layer, a, rgb(steel))
    colour, alpha = canvas.flatten(layer)
    fade = (0.95 - 0.7 * smooth(0.35 * a, 1.0 * a, canvas.x))[..., None]
    canvas.rgb = canvas.rgb * (1 - alpha * fade) + colour * fade
    sky.water(canvas, level, "2c4a58", 0.45, 0.035)
    low = canvas.noise(7, 3 * a, 6, 0.55)
    bank = np.exp(-(((canvas.y - level + 0.02) / 0.09) ** 2)) * smooth(0.25, 0.8, low)
    canvas.paint(rgb(fog), bank, 0.9)
    canvas.vignette()


def _span(layer: Layer, a: float, steel: Array) -> None:
    def deck(x: float) -> float:
        return 0.66 - 0.1 * x / a

    towers = [(0.22 * a, 0.15, 0.026), (0.8 * a, 0.32, 0.016)]
    (x1, t1, _), (x2, t2, _) = towers
    spans = [(-0.35 * a, deck(0), x1, t1), (x1, t1, x2, t2), (x2, t2, 1.25 * a, 0.5)]
    for k, (xa, ya, xb, yb) in enumerate(spans):
        points = []
        for t in np.linspace(0, 1, 50):
            sag = (0.33 if k == 1 else 0.12) * 4 * t * (1 - t)
            points.append((xa + (xb - xa) * t, ya + (yb - ya) * t + sag))
        layer.line(points, steel * 0.9, 0.007)
        for px, py in points[1::1]:
            layer.line([(px, py), (px, deck(px))], steel * 0.8, 0.0022)
    layer.polygon(
        [(0, deck(0)), (a, deck(a)), (a, deck(a) + 0.018), (0, deck(0) + 0.032)], steel * 0.75
    )
    layer.line([(0, deck(0)), (a, deck(a))], np.minimum(steel * 1.25, 1), 0.006)
    for x, top, w in towers:
        for side in (-1, 1):
            cx = x + side * w * 1.3
            layer.polygon(
                [
                    (cx - w * 0.4, 0.8),
                    (cx - w * 0.32, top),
                    (cx + w * 0.32, top),
                    (cx + w * 0.4, 0.8),
                ],
                steel * (0.8 if side > 0 else 1.0),
            )
        for t in (0.02, 0.2, 0.38, 0.56, 0.74):
            y = top + t * (deck(x) - top)
            layer.polygon(
                [
                    (x - w * 1.4, y),
                    (x + w * 1.4, y),
                    (x + w * 1.4, y + w * 0.6),
                    (x - w * 1.4, y + w * 0.6),
                ],
                steel * 0.92,
            )


def iceberg(canvas: Canvas, stops: list[Stop], tint: str) -> None:
    """Icebergs with blue shadows in still polar water."""
    level = 0.58
    canvas.gradient(stops, 0, level)
    sky.clouds(canvas, "ffffff", stops[0][1], 0.55, level, 4, 0.7)
    facets = canvas.noise(9, 9 * canvas.aspect, 6, 0.6)
    for x, width, height in ((0.82, 0.2, 0.16), (0.4, 0.42, 0.4), (0.12, 0.14, 0.09)):
        u = (canvas.x[0] - x * canvas.aspect) / width
        hump = np.clip(1 - np.abs(u) ** 1.7, 0, 1) ** 0.55
        crest = (
            level
            + 0.015
            - height * hump * (0.45 + 0.75 * profile(canvas.rng, canvas.columns, 7, 6))
        )
        crest = np.where(hump > 0, crest, 2.0)
        slope = np.gradient(np.where(hump > 0, crest, level)) * canvas.rows / 2
        # Broad faces, not one for every jag of the outline.
        slope = np.convolve(slope, np.hanning(canvas.columns // 12), "same") / (canvas.columns / 24)
        side = smooth(-0.5, 0.7, slope)
        lit = np.clip(1.0 - 0.75 * side[None, :] + (facets - 0.5) * 1.2, 0, 1)
        ice = ramp(lit, [(0, "4a8ab0"), (0.45, "a8d4e8"), (0.8, "f4fafc"), (1, "ffffff")])
        canvas.paint(ice, canvas.below(crest) * (canvas.y < level + 0.004))
    sky.water(canvas, level, tint, 0.5, 0.014)
    deep = smooth(0.14, 0.0, canvas.y - level) * canvas.halo(0.4 * canvas.aspect, level, 0.36)
    canvas.glow(rgb("40c8d0"), deep * (canvas.y > level), 0.4)
    canvas.vignette()
