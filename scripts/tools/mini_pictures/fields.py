"""Farm land and fair weather: flower fields, windmills, balloons, clouds, rainbow."""

from __future__ import annotations

import numpy as np

from mini_pictures import sky
from mini_pictures.canvas import Canvas, Layer
from mini_pictures.colour import Array, Stop, mix, ramp, rgb, smooth
from mini_pictures.noise import profile


def rows(
    canvas: Canvas, top: float, colours: list[str], leaf: str, vanish: float, pace: float
) -> None:
    """Flower beds below ``top`` running to a vanishing point at ``vanish`` (0..1 across)."""
    near = np.clip((canvas.y - top) / (1 - top), 0.004, 1)
    across = (canvas.x - vanish * canvas.aspect) / (near + 0.02)
    bed = across * pace
    index = np.floor(bed).astype(int)
    inside = np.abs(bed - index - 0.5) * 2
    codes = np.stack([rgb(code) for code in colours])
    tone = codes[index % len(colours)]
    # Blossoms get coarser towards the viewer: blend three grains of noise by distance.
    far, mid, close = (canvas.noise(n, n * canvas.aspect, 2, 0.8) for n in (190, 90, 42))
    grain = np.where(near < 0.25, far, np.where(near < 0.6, mid, close))
    tone = tone * (0.62 + 0.62 * grain)[..., None]
    green = rgb(leaf) * (0.45 + 0.7 * grain)[..., None]
    gap = smooth(0.68, 0.85, inside + (grain - 0.5) * 0.7)
    speck = smooth(0.34, 0.22, grain) * smooth(0.1, 0.4, near)
    ground = mix(mix(tone, green, speck), green * 0.8, gap)
    ground = mix(ground, rgb("d8dccc"), 0.4 * smooth(0.2, 0.0, near))
    canvas.paint(ground, canvas.below(np.full(canvas.columns, top, np.float32)))


def tulips(
    canvas: Canvas, stops: list[Stop], colours: list[str], mill: bool, vanish: float = 0.5
) -> None:
    """Striped tulip fields, with or without a windmill."""
    top = 0.5
    canvas.gradient(stops, 0, top)
    sky.cumulus(
        canvas, canvas.aspect * (0.25 if vanish > 0.4 else 0.7), 0.33, 0.5, "ffffff", "a4b4cc", 50
    )
    sky.clouds(canvas, "ffffff", stops[0][1], 0.36, 0.3, 4, 0.6)
    _tree_line(canvas, top + 0.004, rgb("4a6648"))
    rows(canvas, top, colours, "4c7a34", vanish, 4.5)
    if mill:
        windmill(canvas, canvas.aspect * 0.68, 0.56, 0.4, 0.4)
    canvas.vignette()


def _tree_line(canvas: Canvas, y: float, colour: Array) -> None:
    layer = canvas.layer()
    for _ in range(240):
        x = canvas.rng.random() * canvas.aspect
        clump = 0.5 + 0.5 * np.sin(x * 9 + 1.3) * np.sin(x * 23)
        r = 0.006 + 0.012 * canvas.rng.random() * clump
        tone = mix(colour * (0.75 + 0.5 * canvas.rng.random()), rgb("c8d4dc"), 0.25)
        layer.ellipse(x, y - r * 0.6 - 0.018 * clump * canvas.rng.random(), r, r, tone)
    canvas.lay(layer)


def windmill(canvas: Canvas, x: float, foot: float, size: float, turn: float) -> None:
    """A tower mill with four lattice sails; ``size`` is its height, ``turn`` in radians."""
    v = (foot - canvas.y) / (size * 0.62)
    half = size * (0.15 - 0.065 * np.clip(v, 0, 1))
    u = (canvas.x - x) / half
    body = smooth(1.03, 0.97, np.abs(u)) * (v > 0) * (v < 1)
    round_light = np.clip(0.95 - 0.5 * (u + 0.4) ** 2, 0.2, 1)
    brick = mix(rgb("8a5238"), rgb("a86a48"), canvas.noise(80, 60 * canvas.aspect, 2))
    canvas.paint(brick * round_light[..., None], body)
    layer = canvas.layer()
    top = foot - size * 0.62
    cap = [
        (x + size * 0.1 * np.cos(t), top - size * 0.13 * np.sin(t))
        for t in np.linspace(0, 3.1416, 16)
    ]
    layer.polygon(cap, rgb("3c4a44"))
    layer.polygon(
        [
            (x - size * 0.2, foot - size * 0.25),
            (x + size * 0.2, foot - size * 0.25),
            (x + size * 0.19, foot - size * 0.23),
            (x - size * 0.19, foot - size * 0.23),
        ],
        rgb("e8e0d0"),
    )
    for wx, wy in ((0.0, 0.1), (-0.05, 0.36), (0.05, 0.48)):
        _box(layer, x + wx * size, foot - wy * size, size * 0.02, size * 0.035, rgb("f0e8d8"))
        _box(layer, x + wx * size, foot - wy * size, size * 0.014, size * 0.028, rgb("2a3038"))
    hub = (x - size * 0.01, top - size * 0.05)
    for k in range(4):
        _sail(layer, hub, size * 0.5, turn + k * 1.5708)
    layer.ellipse(hub[0], hub[1], size * 0.018, size * 0.018, rgb("2a2420"))
    canvas.lay(layer)


def _box(layer: Layer, x: float, y: float, w: float, h: float, colour: Array) -> None:
    layer.polygon([(x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h)], colour)


def _sail(layer: Layer, hub: tuple[float, float], length: float, angle: float) -> None:
    c, s = float(np.cos(angle)), float(np.sin(angle))

    def at(r: float, w: float) -> tuple[float, float]:
        return hub[0] + length * (c * r - s * w), hub[1] + length * (s * r + c * w)

    layer.polygon([at(0.2, 0.02), at(1, 0.02), at(1, 0.2), at(0.2, 0.17)], rgb("ece2cc"), 0.92)
    for r in np.linspace(0.2, 1, 9):
        layer.line([at(r, -0.04), at(r, 0.2)], rgb("6a5038"), length * 0.012)
    for w in (0.1, 0.2):
        layer.line([at(0.2, w), at(1, w)], rgb("6a5038"), length * 0.01)
    layer.line([at(0, 0), at(1, 0)], rgb("4a3424"), length * 0.032)


def lavender(canvas: Canvas, stops: list[Stop], colours: list[str], leaf: str) -> None:
    """Curving rows of one crop at the end of the day, a lone tree on the rise."""
    top = 0.52
    canvas.gradient(stops, 0, top)
    sky.clouds(canvas, stops[-1][1], stops[0][1], 0.5, 0.5, 3.6, 0.7)
    sky.sun(canvas, canvas.aspect * 0.3, top - 0.06, 0.032, "fff4d0", "ff9a60")
    line = top - 0.05 * profile(canvas.rng, canvas.columns, 2, 6)
    canvas.paint(mix(rgb(stops[-1][1]), rgb("5a4a78"), 0.55), canvas.below(line))
    rows(canvas, top + 0.01, colours, leaf, 0.62, 3.2)
    _lone_tree(canvas, canvas.aspect * 0.66, top + 0.02, 0.2)
    warm = canvas.halo(canvas.aspect * 0.3, top, 0.5, 1.4)
    canvas.glow(rgb("ff9a50"), warm, 0.35)
    canvas.vignette(0.35)


def _lone_tree(canvas: Canvas, x: float, y: float, size: float) -> None:
    layer = canvas.layer()
    rng = canvas.rng
    layer.polygon(
        [
            (x - size * 0.035, y),
            (x + size * 0.035, y),
            (x + size * 0.015, y - size * 0.5),
            (x - size * 0.015, y - size * 0.5),
        ],
        rgb("2c2020"),
    )
    for _ in range(420):
        angle, r = rng.random() * 6.28, np.sqrt(rng.random())
        px, py = np.cos(angle) * r, np.sin(angle) * r
        tone = mix(
            rgb("1e2c1c"),
            rgb("8a8a3c"),
            float(np.clip(0.45 - 0.5 * px - 0.4 * py + 0.3 * rng.random() - 0.15, 0, 1)),
        )
        dot = size * (0.02 + 0.04 * rng.random())
        layer.ellipse(
            x + px * size * 0.42, y - size * 0.72 + py * size * 0.34, dot, dot * 0.85, tone
        )
    canvas.lay(layer)


def balloons(canvas: Canvas, stops: list[Stop], hues: list[list[str]], hills: str) -> None:
    """Hot-air balloons drifting over misty hills at sunrise."""
    canvas.gradient(stops, 0, 0.8)
    sky.clouds(canvas, "fff2e0", stops[0][1], 0.42, 0.7, 3.5, 0.6)
    for i in range(4):
        t = i / 3
        line = 0.72 + 0.2 * t - 0.12 * (profile(canvas.rng, canvas.columns, 2 + t, 7) - 0.4)
        body = mix(rgb(stops[-1][1]), rgb(hills), 0.3 + 0.6 * t)
        depth = np.clip((canvas.y - line[None, :]) / 0.15, 0, 1)
        canvas.paint(mix(body, rgb(stops[-1][1]), depth * 0.6 * (1 - t)), canvas.below(line))
    a = canvas.aspect
    places = [
        (0.83, 0.62, 0.03),
        (0.1, 0.5, 0.04),
        (0.57, 0.56, 0.045),
        (0.74, 0.27, 0.085),
        (0.33, 0.32, 0.16),
    ]
    for k, (x, y, size) in enumerate(places):
        # In a tall picture the balloons need not shrink: spread them less instead.
        _balloon(canvas, x * a, y, size * min(1.0, 0.55 + 0.45 * a), hues[k % len(hues)])
    canvas.vignette()


def _balloon(canvas: Canvas, x: float, y: float, size: float, hues: list[str]) -> None:
    v = (canvas.y - y) / size
    width = np.where(
        v < 0, np.sqrt(np.clip(1 - v * v, 0, 1)), np.cos(np.clip(v / 1.5, 0, 1) * 1.28) ** 0.9
    )
    u = (canvas.x - x) / size / np.maximum(width, 1e-3)
    inside = smooth(1.0 + 0.012, 1.0 - 0.03, np.abs(u)) * (v > -1) * (v < 1.32)
    gore = np.arcsin(np.clip(u, -1, 1)) / 3.1416 * 12
    index = np.floor(gore + 60.0).astype(int)
    codes = np.stack([rgb(code) for code in hues])
    zig = np.floor((v + 0.25 * np.abs(gore - np.floor(gore) - 0.5)) * 3.2).astype(int)
    tone = codes[(index + np.where(zig == 0, 1, 0)) % len(hues)]
    seam = 1 - 0.22 * smooth(0.42, 0.5, np.abs(gore - np.floor(gore) - 0.5))
    bulge = 0.92 + 0.16 * np.cos((gore - np.floor(gore) - 0.5) * 3.1)
    lit = np.clip(0.9 - 0.42 * u - 0.2 * v, 0.3, 1.25) * seam * bulge
    canvas.paint(np.minimum(tone * lit[..., None], 1), inside)
    layer = canvas.layer()
    foot = y + size * 1.3
    for k in (-1, -0.4, 0.4, 1):
        layer.line(
            [(x + k * size * 0.26, foot), (x + k * size * 0.11, foot + size * 0.28)],
            rgb("4a3a30"),
            size * 0.014,
        )
    layer.polygon(
        [
            (x - size * 0.13, foot + size * 0.27),
            (x + size * 0.13, foot + size * 0.27),
            (x + size * 0.11, foot + size * 0.46),
            (x - size * 0.11, foot + size * 0.46),
        ],
        rgb("7a5230"),
    )
    layer.line(
        [(x - size * 0.13, foot + size * 0.28), (x + size * 0.13, foot + size * 0.28)],
        rgb("c09060"),
        size * 0.03,
    )
    canvas.lay(layer)


def heaps(canvas: Canvas, stops: list[Stop], meadow: str, light: str, shade: str) -> None:
    """Towering heap clouds over a rolling meadow."""
    canvas.gradient(stops, 0, 0.75)
    sky.clouds(canvas, light, stops[0][1], 0.35, 0.4, 3, 0.5)
    a = canvas.aspect
    for x, y, w, n in ((0.9, 0.62, 0.5, 40), (0.12, 0.6, 0.5, 50), (0.52, 0.58, 0.95, 120)):
        sky.cumulus(canvas, x * a, y, w * min(1, a), light, shade, n)
    for i in range(3):
        line = 0.72 + 0.09 * i - 0.07 * profile(canvas.rng, canvas.columns, 1.5, 3)
        blades = canvas.noise(50, 30 * a, 3, 0.8)
        patch = canvas.noise(5, 2 * a, 4)
        tone = rgb(meadow) * (0.55 + 0.4 * patch + 0.3 * blades)[..., None]
        canvas.paint(mix(tone, rgb(stops[-1][1]), 0.5 - 0.25 * i), canvas.below(line))
    _tree_line(canvas, 0.735, rgb(meadow) * 0.5)
    canvas.vignette()


def rainbow(canvas: Canvas, stops: list[Stop], meadow: str) -> None:
    """A rainbow against a departing shower, sunlit wheat in front."""
    canvas.gradient(stops, 0, 0.7)
    a = canvas.aspect
    sky.clouds(canvas, "8c98a8", "46525f", 0.55, 0.75, 3, 0.8)
    radius = np.hypot(canvas.x - a * 0.55, canvas.y - 0.95)
    t = (radius - 0.62) / 0.06
    bow = ramp(
        t,
        [
            (0, "8040c0"),
            (0.2, "4060e0"),
            (0.42, "30b060"),
            (0.62, "f0e040"),
            (0.8, "f09030"),
            (1, "e03030"),
        ],
    )
    band = smooth(-0.15, 0.2, t) * smooth(1.15, 0.8, t)
    canvas.glow(bow, (band * smooth(-0.2, 0.4, canvas.y)).astype(np.float32), 0.8)
    canvas.glow(rgb("ffffff"), smooth(0.62, 0.4, radius) * 0.6, 0.18)
    line = 0.7 - 0.04 * profile(canvas.rng, canvas.columns, 2, 4)
    canvas.paint(
        rgb("3c4c34"), canvas.below(line - 0.012 * profile(canvas.rng, canvas.columns, 30, 3))
    )
    near = np.clip((canvas.y - 0.68) / 0.32, 0, 1)
    stalks = canvas.noise(7, 110 * a, 3, 0.7)
    tone = mix(
        rgb(meadow) * 0.6,
        np.minimum(rgb(meadow) * 1.25, 1),
        np.clip(stalks * (0.4 + near) + 0.2, 0, 1),
    )
    canvas.paint(tone, canvas.below(line))
    layer = canvas.layer()
    for _ in range(260):
        x, y = canvas.rng.random() * a, 0.74 + 0.28 * canvas.rng.random()
        size = 0.02 + 0.13 * (y - 0.7)
        tip = (x + canvas.rng.normal(0, 0.2) * size, y - size)
        layer.line([(x, y + size), tip], rgb(meadow) * 0.8, 0.0018)
        layer.ellipse(
            tip[0],
            tip[1],
            size * 0.06,
            size * 0.26,
            np.minimum(rgb(meadow) * (0.9 + 0.4 * canvas.rng.random()), 1),
        )
    canvas.lay(layer)
    canvas.vignette(0.3)
