"""Woods and weather: conifers in fog, snow, birches in autumn, northern lights, waterfall."""

from __future__ import annotations

import numpy as np

from mini_pictures import sky
from mini_pictures.canvas import Canvas, Layer
from mini_pictures.colour import Array, Stop, mix, ramp, rgb, smooth
from mini_pictures.noise import profile


def conifer(
    layer: Layer,
    rng: np.random.Generator,
    foot: tuple[float, float],
    height: float,
    colour: Array,
    snow: float = 0.0,
) -> None:
    """One spruce: tiers of drooping boughs; ``snow`` (0..1) whitens their upper sides."""
    x, y = foot
    layer.polygon([(x - height * 0.012, y), (x + height * 0.012, y), (x, y - height)], colour * 0.7)
    tiers = 17
    for i in range(tiers):
        t = i / tiers
        width = height * 0.24 * (1 - t) ** 0.9 * (0.75 + 0.5 * rng.random())
        top = y - height * (0.12 + 0.88 * t) - height * 0.06
        drop = height * 0.1 * (1 - 0.4 * t)
        ragged = []
        for s in np.linspace(-1, 1, 11):
            droop = drop * (0.6 + 0.5 * abs(s)) + drop * 0.4 * rng.random()
            ragged.append((x + s * width, top + droop))
        shade = colour * (0.82 + 0.36 * rng.random())
        layer.polygon([(x, top - drop * 0.3), *ragged], shade)
        if snow:
            cap = [(px, py - drop * (0.25 + 0.3 * rng.random())) for px, py in ragged[1:-1]]
            layer.polygon([(x, top - drop * 0.3), *cap], mix(shade, rgb("eef4fc"), snow))


def fog_forest(canvas: Canvas, stops: list[Stop], near: str, beams: bool = False) -> None:
    """Rows of spruces that fade into morning fog."""
    canvas.gradient(stops)
    rng = canvas.rng
    fog = rgb(stops[-1][1])
    if beams:
        sky.sun(canvas, canvas.aspect * 0.68, 0.2, 0.05, "fffbe8", "ffe0a0")
    rows = 6
    for i in range(rows):
        t = i / (rows - 1)
        ground = 0.55 + 0.42 * t - 0.12 * profile(rng, canvas.columns, 2, 4)
        tone = mix(fog, rgb(near), 0.12 + 0.88 * t**1.3)
        layer = canvas.layer()
        for _ in range(round(46 - 32 * t)):
            x = rng.random() * canvas.aspect * 1.1 - 0.05 * canvas.aspect
            column = int(np.clip(x * canvas.rows, 0, canvas.columns - 1))
            height = (0.16 + 0.34 * t) * (0.6 + 0.7 * rng.random())
            conifer(layer, rng, (x, float(ground[column]) + 0.02), height, tone)
        canvas.lay(layer)
        canvas.paint(tone * 0.95, canvas.below(ground))
        veil = smooth(0.3, 0.75, canvas.noise(4, 2.5 * canvas.aspect, 5))
        low = smooth(0.3, 0.0, np.abs(canvas.y - ground[None, :] + 0.02))
        canvas.paint(mix(fog, np.ones(3, np.float32), 0.15), veil * low, 0.7 * (1 - 0.75 * t))
    if beams:
        angle = np.arctan2(canvas.y - 0.2, canvas.x - canvas.aspect * 0.68)
        rays = np.interp(angle, np.linspace(-3.2, 3.2, 200), rng.random(200) ** 2)
        reach = canvas.halo(canvas.aspect * 0.68, 0.2, 0.75, 1.5)
        canvas.glow(rgb("ffe9b8"), (rays * reach).astype(np.float32), 0.45)
    canvas.vignette()


def snowfall(canvas: Canvas, stops: list[Stop], glow: str | None, flakes: int = 500) -> None:
    """A snowy clearing with white spruces, snow in the air; perhaps a lit cabin."""
    canvas.gradient(stops, 0, 0.7)
    rng = canvas.rng
    hill = 0.52 - 0.15 * profile(rng, canvas.columns, 2, 7)
    canvas.paint(mix(rgb(stops[-1][1]), rgb("6a7c98"), 0.45), canvas.below(hill))
    for t in (0.0, 0.5, 1.0):
        base = 0.66 + 0.14 * t - 0.06 * profile(rng, canvas.columns, 2, 3)
        layer = canvas.layer()
        for _ in range(round(26 - 19 * t)):
            x = rng.random() * canvas.aspect
            if t == 1.0:
                x = canvas.aspect * (rng.random() * 0.24 + (0.78 if rng.random() < 0.5 else -0.02))
            height = (0.2 + 0.42 * t) * (0.7 + 0.5 * rng.random())
            column = int(np.clip(x * canvas.rows, 0, canvas.columns - 1))
            tone = mix(
                mix(rgb(stops[-1][1]), rgb("283c48"), 0.45 + 0.5 * t), rgb("1c3030"), 0.3 * t
            )
            conifer(layer, rng, (x, float(base[column]) + 0.03), height, tone, 0.8)
        canvas.lay(layer)
        drift = np.clip((canvas.y - base[None, :]) / 0.3, 0, 1)
        ripple = canvas.noise(10, 3 * canvas.aspect, 4)
        white = mix(rgb("f2f6fc"), rgb("a8bcdc"), np.clip(drift * 0.8 + 0.5 * (ripple - 0.5), 0, 1))
        canvas.paint(white * (0.72 if glow else 1.0), canvas.below(base))
        if glow and t == 0.5:
            _cabin(canvas, 0.52 * canvas.aspect, 0.75, 0.22, rgb(glow))
    _flakes(canvas, flakes)
    canvas.vignette()


def _cabin(canvas: Canvas, x: float, y: float, size: float, light: Array) -> None:
    layer = canvas.layer()
    w, h = size * 0.8, size * 0.45
    layer.polygon(
        [(x - w / 2, y), (x + w / 2, y), (x + w / 2, y - h), (x - w / 2, y - h)], rgb("4a3020")
    )
    for i in range(7):
        layer.line([(x - w / 2, y - h * i / 7), (x + w / 2, y - h * i / 7)], rgb("2c1c14"), 0.003)
    for k in (-0.28, 0.14):
        left = x + k * w
        layer.polygon(
            [
                (left, y - h * 0.3),
                (left + w * 0.16, y - h * 0.3),
                (left + w * 0.16, y - h * 0.75),
                (left, y - h * 0.75),
            ],
            light,
        )
        layer.line(
            [(left + w * 0.08, y - h * 0.3), (left + w * 0.08, y - h * 0.75)], rgb("3a2418"), 0.004
        )
    layer.polygon(
        [
            (x - w * 0.62, y - h * 0.92),
            (x + w * 0.62, y - h * 0.92),
            (x + w * 0.4, y - h * 1.7),
            (x - w * 0.4, y - h * 1.7),
        ],
        rgb("dfe8f6") * 0.85,
    )
    layer.polygon(
        [
            (x + w * 0.2, y - h * 1.6),
            (x + w * 0.3, y - h * 1.6),
            (x + w * 0.3, y - h * 2.05),
            (x + w * 0.2, y - h * 2.05),
        ],
        rgb("5a4438"),
    )
    canvas.lay(layer)
    canvas.glow(light, canvas.halo(x, y - h * 0.4, size * 0.75, 1.3), 0.5)
    canvas.glow(light, canvas.halo(x, y + 0.05, size * 0.6, 2) * (canvas.y > y), 0.35)
    smoke = canvas.noise(7, 9 * canvas.aspect, 5)
    rise = np.clip((y - h * 2 - canvas.y) / 0.35, 0, 1)
    drift = x + w * 0.25 + rise * 0.12 + (smoke - 0.5) * 0.12 * rise
    plume = np.exp(-(((canvas.x - drift) / (0.012 + 0.05 * rise)) ** 2)) * (rise > 0) * (1 - rise)
    canvas.paint(rgb("c8ccd8"), plume.astype(np.float32), 0.55)


def _flakes(canvas: Canvas, count: int) -> None:
    for size, blur, share in ((0.003, 0.0, 0.7), (0.006, 0.002, 0.25), (0.014, 0.005, 0.05)):
        layer = canvas.layer()
        for _ in range(round(count * share)):
            x, y = canvas.rng.random() * canvas.aspect, canvas.rng.random()
            layer.ellipse(x, y, size * 0.8, size, rgb("ffffff"), 0.8)
        canvas.lay(layer, blur, 0.85)


def birches(canvas: Canvas, stops: list[Stop], leaves: list[str], count: int = 13) -> None:
    """White birch trunks in autumn (or spring) leaf."""
    canvas.gradient(stops)
    rng = canvas.rng
    for depth in (0.0, 0.5, 1.0):
        layer = canvas.layer()
        for _ in range(round(1100 - 500 * depth)):
            x, y = rng.random() * canvas.aspect, rng.beta(1.2, 1.9)
            tone = rgb(leaves[int(rng.integers(len(leaves)))]) * (0.7 + 0.4 * rng.random())
            size = (0.008 + 0.016 * depth) * (0.5 + rng.random())
            layer.ellipse(
                x,
                y * 0.95,
                size,
                size * 0.75,
                np.minimum(mix(rgb(stops[0][1]), tone, 0.45 + 0.5 * depth), 1),
                0.85,
            )
        canvas.lay(layer, 0.012 * (1 - depth))
        if depth == 0.0:
            floor = 0.8 - 0.05 * profile(rng, canvas.columns, 3, 4)
            speck = canvas.noise(60, 40 * canvas.aspect, 3, 0.8)
            tone = mix(rgb(leaves[0]) * 0.55, rgb(leaves[-1]), speck)
            canvas.paint(tone, canvas.below(floor))
        for _ in range(round(count * (0.3 + 0.35 * depth))):
            _trunk(
                canvas,
                rng.random() * canvas.aspect,
                0.8 + 0.16 * depth,
                0.012 + 0.03 * depth,
                0.55 + 0.45 * depth,
                rgb(stops[0][1]),
            )
    canvas.vignette(0.35)


def _trunk(canvas: Canvas, x: float, foot: float, width: float, clear: float, air: Array) -> None:
    rng = canvas.rng
    lean, bend = rng.normal(0, 0.04), rng.normal(0, 0.02)
    v = foot - canvas.y
    centre = x + lean * v + bend * np.sin(v * 5)
    half = width * (0.5 + 0.12 * np.clip(1 - v * 6, 0, 1) - 0.12 * np.clip(v, 0, 1))
    u = (canvas.x - centre) / half
    mask = smooth(1.05, 0.9, np.abs(u)) * (v > 0)
    bark = np.clip(0.98 - 0.4 * (u - 0.4) ** 2, 0.25, 1)
    marks = canvas.noise(70, 16 * canvas.aspect, 2, 0.5)
    bark = bark * (1 - 0.75 * smooth(0.68, 0.78, marks) * smooth(0.1, 0.6, np.abs(u)))
    tone = rgb("f2ece2") * bark[..., None]
    canvas.paint(mix(air, tone, clear), mask)


def northern_lights(canvas: Canvas, stops: list[Stop], low: str, high: str, bands: int = 3) -> None:
    """Northern lights above spruces and a frozen lake that mirrors them."""
    level = 0.76
    canvas.gradient(stops, 0, level)
    sky.stars(canvas, 520, level)
    sky.aurora(canvas, low, high, bands)
    line = 0.7 - 0.15 * (profile(canvas.rng, canvas.columns, 3, 8) - 0.35)
    canvas.paint(mix(rgb("0c1826"), rgb(low), 0.08), canvas.below(line))
    layer = canvas.layer()
    for _ in range(60):
        x = canvas.rng.random() * canvas.aspect
        height = 0.05 + 0.15 * canvas.rng.random() ** 2
        conifer(layer, canvas.rng, (x, level + 0.005), height, rgb("060d14"))
    canvas.lay(layer)
    sky.water(canvas, level, "081420", 0.25, 0.012)
    canvas.bloom(0.6, 0.03, 0.3)
    canvas.vignette(0.3)


def waterfall(canvas: Canvas, rock: str, leaf: str, pool: str) -> None:
    """A tall waterfall between mossy cliffs, with a pool and spray."""
    a = canvas.aspect
    canvas.gradient([(0, "dfeaf0"), (1, "b0c8c8")])
    stone = canvas.noise(9, 14 * a, 7, 0.6)
    steps = canvas.noise(5, 18 * a, 5, 0.6)
    cliff = mix(rgb(rock) * 0.35, rgb(rock) * 1.2, np.clip(stone * 0.7 + steps * 0.4, 0, 1))
    green = smooth(0.5, 0.72, canvas.noise(7, 6 * a, 6, 0.6))
    cliff = mix(cliff, rgb(leaf) * (0.5 + stone[..., None]), green * 0.85)
    rim = 0.14 + 0.1 * (profile(canvas.rng, canvas.columns, 4, 6) - 0.5)
    rim = rim - 0.12 * smooth(0.1 * a, 0.45 * a, np.abs(canvas.x[0] - a * 0.5))
    canvas.paint(cliff, canvas.below(rim))
    layer = canvas.layer()
    for _ in range(34):
        x = canvas.rng.random() * a
        if abs(x - 0.5 * a) > 0.13 * a:
            y = float(rim[int(np.clip(x * canvas.rows, 0, canvas.columns - 1))]) + 0.03
            conifer(layer, canvas.rng, (x, y), 0.07 + 0.12 * canvas.rng.random(), rgb(leaf) * 0.45)
    canvas.lay(layer)
    fall = np.clip((canvas.y - 0.13) / 0.65, 0, 1)
    middle = 0.5 * a + 0.012 * np.sin(fall * 7)
    half = 0.055 + 0.06 * fall
    strands = canvas.noise(1.6, 75 * a, 3, 0.6)
    veil = smooth(1.15, 0.5, np.abs(canvas.x - middle) / half + (strands - 0.5) * 0.8)
    veil = veil * smooth(0.1, 0.14, canvas.y) * smooth(0.82, 0.76, canvas.y)
    canvas.paint(mix(rgb("9cc0cc"), rgb("ffffff"), smooth(0.25, 0.7, strands)), veil, 0.95)
    level = 0.78
    sky.water(canvas, level, pool, 0.6, 0.03)
    spray = canvas.noise(5, 5 * a, 5)
    cloud = np.exp(-(((canvas.x - 0.5 * a) / (0.3 * a)) ** 2) - ((canvas.y - level) / 0.075) ** 2)
    canvas.paint(rgb("f4fafa"), (cloud * (0.5 + 0.8 * spray)).clip(0, 1).astype(np.float32), 0.9)
    _boulders(canvas, rgb(rock), rgb(leaf))
    canvas.vignette(0.4)


def _boulders(canvas: Canvas, rock: Array, moss: Array) -> None:
    texture = canvas.noise(30, 30 * canvas.aspect, 5, 0.6)
    for x, y, r in ((0.05, 0.95, 0.17), (0.93, 0.97, 0.2), (0.28, 1.0, 0.11), (0.7, 0.93, 0.06)):
        u = (canvas.x - x * canvas.aspect) / r
        v = (canvas.y - y) / (r * 0.72)
        inside = smooth(1.03, 0.97, np.hypot(u, v) + (texture - 0.5) * 0.12)
        lit = np.clip(0.55 - 0.5 * v - 0.2 * u + (texture - 0.5) * 0.7, 0.08, 1.2)
        top = smooth(-0.1, -0.7, v + (texture - 0.5))
        canvas.paint(mix(rock, moss, top * 0.8) * lit[..., None], inside)


def storm(canvas: Canvas, stops: list[Stop], field: str) -> None:
    """A shower on the plain: dark clouds, slanting curtains of rain, a lit field."""
    canvas.gradient(stops, 0, 0.62)
    clouds = canvas.noise(4, 2.4 * canvas.aspect, 7, 0.55)
    mask = smooth(0.62, 0.1, canvas.y + (clouds - 0.5) * 0.35)
    canvas.paint(ramp(clouds, [(0.15, "20262e"), (0.55, "5a6470"), (0.95, "b8bcc0")]), mask, 0.95)
    slant = canvas.noise(1.3, 30 * canvas.aspect, 3, 0.6)
    shifted = np.take_along_axis(
        slant,
        (
            (np.arange(canvas.columns)[None, :] + (canvas.y * canvas.rows * 0.25).astype(int))
            % canvas.columns
        ),
        axis=1,
    )
    curtain = smooth(0.2, 0.6, canvas.noise(0.6, 1.6 * canvas.aspect, 2))
    drop = curtain * smooth(0.15, 0.35, canvas.y) * smooth(0.68, 0.6, canvas.y)
    canvas.paint(mix(rgb("48525c"), rgb("98a4ac"), shifted), drop, 0.75)
    line = 0.64 - 0.02 * profile(canvas.rng, canvas.columns, 4, 6)
    near = np.clip((canvas.y - line[None, :]) / 0.38, 0, 1)
    blades = canvas.noise(60, 30 * canvas.aspect, 3, 0.8)
    bands = canvas.noise(9, 1.2 * canvas.aspect, 3)
    tone = mix(
        rgb(field) * 0.55, rgb(field) * 1.1, np.clip(0.6 * bands + 0.4 * blades * near + 0.1, 0, 1)
    )
    canvas.paint(tone, canvas.below(line))
    layer = canvas.layer()
    for k in range(9):
        x = canvas.aspect * (0.04 + 0.11 * k + 0.05 * canvas.rng.random())
        for _ in range(26):
            r = 0.012 * (0.5 + canvas.rng.random())
            layer.ellipse(
                x + canvas.rng.normal(0, 0.018),
                0.625 - abs(canvas.rng.normal(0, 0.018)),
                r,
                r * 0.9,
                rgb("26322a") * (0.7 + 0.6 * canvas.rng.random()),
            )
    canvas.lay(layer)
    canvas.vignette(0.4)
