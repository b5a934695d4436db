"""Landscapes of stone and sand: mountain ranges, peaks, dunes, canyons, islands, rivers."""

from __future__ import annotations

import numpy as np

from mini_pictures import sky, terrain
from mini_pictures.canvas import Canvas
from mini_pictures.colour import Array, Stop, mix, ramp, rgb, smooth
from mini_pictures.noise import fractal, profile, ridged

MAP = 700


def ranges(
    canvas: Canvas,
    stops: list[Stop],
    far: str,
    near: str,
    sun: tuple[float, float] | None = None,
    layers: int = 7,
) -> None:
    """Mountain ranges one behind another, paler with distance, mist between them."""
    canvas.gradient(stops, 0, 0.75)
    sky.clouds(canvas, stops[-1][1], stops[0][1], 0.42, 0.5, 3.5, 0.45)
    if sun:
        sky.sun(canvas, sun[0] * canvas.aspect, sun[1], 0.035)
    for i in range(layers):
        t = i / (layers - 1)
        swell = 0.24 - 0.06 * t
        line = 0.42 + 0.46 * t - swell * (profile(canvas.rng, canvas.columns, 2 + 2.5 * t, 8) - 0.3)
        depth = np.clip((canvas.y - line[None, :]) / (0.1 + 0.12 * t), 0, 1)
        body = mix(rgb(far), rgb(near), t**0.85)
        mist = mix(body, mix(rgb(far), rgb(stops[-1][1]), 0.5), 0.75 * (1 - t) * depth)
        canvas.paint(mist, canvas.below(line))
    canvas.vignette()


def peaks(
    canvas: Canvas, stops: list[Stop], haze: str, light: float = 1.0, lake: bool = True
) -> None:
    """Snowy mountains in low sun above woods, with or without a lake that mirrors them."""
    canvas.gradient(stops, 0, 0.55)
    sky.clouds(canvas, "ffffff", stops[0][1], 0.4, 0.42, 3, 0.6)
    z = np.linspace(0, 1, MAP, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, MAP, dtype=np.float32)[None, :]
    rocks = ridged(canvas.rng, MAP, 3) * (0.5 + 0.6 * smooth(0.0, 0.6, np.abs(x - 0.1)))
    heights = rocks * smooth(0.35, 0.85, z + 0 * rocks) * 0.62
    heights = heights + 0.05 * fractal(canvas.rng, MAP, MAP, 5, 5, 7) - 0.015

    def ground(height: Array, steep: Array, texture: Array) -> Array:
        low = ramp(height + 0.04 * texture, [(0, "4c5a34"), (0.07, "33472f"), (0.15, "5b5a4c")])
        rock = mix(rgb("6e6660"), rgb("8b8078"), texture)
        stone = mix(low, rock, smooth(0.08, 0.16, height))
        snow = smooth(0.13, 0.22, height + 0.06 * texture) * smooth(0.62, 0.4, steep)
        return mix(stone, rgb("f8f8fc"), snow)

    view = terrain.View(0.09, 0.5, 1.05, light, 1.3, haze, 0.35, "7c90bc", 0.42)
    terrain.draw(canvas, heights, ground, view, 0.012 if lake else None)
    if lake:
        level = 0.62
        sky.water(canvas, level, "1f3a4a", 0.4, 0.012)
        line = 0.93 - 0.05 * profile(canvas.rng, canvas.columns, 3, 7)
        canvas.paint(rgb("1c2a1c"), canvas.below(line + 0.03))
    canvas.vignette()


def dunes(canvas: Canvas, stops: list[Stop], lit: str, dark: str, light: float = 1.0) -> None:
    """Desert dunes with knife-sharp crests in low light."""
    canvas.gradient(stops, 0, 0.45)
    rng = canvas.rng
    z = np.linspace(0, 1, MAP, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, MAP, dtype=np.float32)[None, :]
    bend = fractal(rng, MAP, MAP, 2, 2, 3)
    phase = x * 3.4 + z * 4.5 + bend * 3.2
    saw = phase - np.floor(phase)
    crest = np.where(saw < 0.72, saw / 0.72, (1 - saw) / 0.28)
    crest = crest**1.35 * (0.35 + 0.8 * fractal(rng, MAP, MAP, 3, 3, 3))
    ripples = 0.0012 * np.sin((x * 1.2 + z * 2.4 + bend * 0.5) * 240)
    # A blurred crest, or the slip face would show the steps of the map.
    for axis in (0, 1):
        crest = np.mean([np.roll(crest, k, axis) for k in range(-3, 4)], axis=0)
    heights = 0.16 * crest + 0.05 * bend + ripples * smooth(0.5, 0.1, z)

    def ground(height: Array, steep: Array, texture: Array) -> Array:
        return mix(rgb(dark), rgb(lit), np.clip(0.55 + 2 * height + 0.12 * texture, 0, 1))

    view = terrain.View(0.27, 0.3, 1.0, light, 0.34, stops[-1][1], 0.5, "7a4a6a")
    terrain.draw(canvas, heights, ground, view)
    canvas.rgb = canvas.rgb * 1.18
    canvas.vignette()


def canyon(canvas: Canvas, stops: list[Stop], light: float = -1.0) -> None:
    """A canyon of layered red rock with a river on its floor."""
    canvas.gradient(stops, 0, 0.4)
    sky.clouds(canvas, "ffffff", "c8b8b8", 0.42, 0.35, 3, 0.7)
    rng = canvas.rng
    z = np.linspace(0, 1, MAP, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, MAP, dtype=np.float32)[None, :]
    rough = fractal(rng, MAP, MAP, 5, 5, 7)
    course = 0.1 * np.sin(z * 8 + 1) + 0.05 * np.sin(z * 17)
    wall = np.abs(x - course) * 1.9 + (rough - 0.5) * 0.55
    rise = np.clip(wall - 0.1, 0, 0.62)
    steps = np.floor(rise * 9) / 9
    part = (rise - steps) * 9
    heights = 0.52 * (steps + np.clip(part * 3 - 2, 0, 1) / 9) + 0.03 * rough

    def ground(height: Array, steep: Array, texture: Array) -> Array:
        bands = 0.5 + 0.5 * np.sin(height * 130 + 2 * np.sin(height * 47))
        rock = mix(rgb("a4502c"), rgb("e2a26a"), bands)
        rock = mix(rock, rgb("f0c090"), smooth(0.3, 0.36, height) * 0.6)
        shrub = smooth(0.5, 0.1, steep) * (texture > 0.72)
        rock = mix(rock, rgb("6a6a3a"), shrub * 0.7)
        return mix(rock, rgb("4a8a8a"), smooth(0.032, 0.026, height))

    view = terrain.View(0.46, 0.3, 1.0, light, 0.6, "d8b8b0", 0.7, "6a4a6a")
    terrain.draw(canvas, heights, ground, view)
    canvas.rgb = canvas.rgb * 1.2
    canvas.vignette()


def islands(canvas: Canvas, stops: list[Stop], shallow: str, deep: str, haze: str) -> None:
    """Green islands with pale beaches in a shallow sea, seen from high up."""
    canvas.gradient(stops, 0, 0.3)
    sky.clouds(canvas, "ffffff", "b8c8d8", 0.5, 0.3, 3, 0.9)
    rng = canvas.rng
    field = fractal(rng, MAP, MAP, 4, 4, 8, 0.52)
    heights = np.clip(field - 0.56, -0.6, 1) * 0.55

    def ground(height: Array, steep: Array, texture: Array) -> Array:
        sea = ramp(height, [(-0.14, deep), (-0.04, shallow), (-0.004, "d8efe0")])
        land = ramp(
            height + 0.012 * texture,
            [
                (0.0, "f2e6c0"),
                (0.012, "e6d6a0"),
                (0.02, "6f9a48"),
                (0.06, "2f6a38"),
                (0.12, "5a6a50"),
            ],
        )
        return mix(sea, land, smooth(-0.002, 0.002, height))

    flat = np.where(heights > 0, heights, 0.0)
    view = terrain.View(0.36, 0.2, 1.0, 1.0, 0.8, haze, 0.55, "4a6a8a")
    terrain.draw(canvas, flat, lambda h, s, t: ground(heights, s, t), view)
    canvas.rgb = canvas.rgb * 1.15
    canvas.vignette()


def river(canvas: Canvas, stops: list[Stop], grass: str, woods: str, haze: str) -> None:
    """A river winding through a wide valley, mirroring the sky."""
    canvas.gradient(stops, 0, 0.45)
    sky.clouds(canvas, "fff4e0", stops[0][1], 0.5, 0.42, 3.2, 0.8)
    upper = canvas.rgb.copy()
    rng = canvas.rng
    z = np.linspace(0, 1, MAP, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, MAP, dtype=np.float32)[None, :]
    rough = fractal(rng, MAP, MAP, 6, 6, 7)
    course = 0.16 * np.sin(z * 13 + 0.6) * (0.25 + z)
    bank = np.abs(x - course) - 0.028 - 0.02 * (1 - z)
    hills = smooth(0.05, 0.9, np.abs(x - 0.5 * course) * 1.5 + 0.35 * z * z) * (0.3 + rough)
    trees = np.clip(rng.random((MAP, MAP)) - 0.4, 0, 1) * (rough > 0.5) * smooth(0.02, 0.07, bank)
    heights = 0.2 * hills * smooth(0.0, 0.3, bank) + 0.022 * trees

    def ground(height: Array, steep: Array, texture: Array) -> Array:
        green = mix(rgb(grass), rgb(grass) * 0.75, rough)
        green = mix(green, rgb(woods), smooth(0.0, 0.2, trees))
        return mix(green, rgb("c8b890"), smooth(0.015, 0.003, bank) * 0.7)

    view = terrain.View(0.23, 0.38, 1.0, 1.0, 0.45, haze, 0.75, "3a4a5a")
    covered = terrain.draw(canvas, heights, ground, view)
    water = np.where(bank < 0, 1.0, 0.0)[..., None] * np.ones(3, np.float32)
    stencil = Canvas(*canvas.size, 0)
    terrain.draw(
        stencil,
        heights,
        lambda h, s, t: water,
        terrain.View(0.23, 0.38, 1.0, 1.0, 9.0, "000000", 0),
    )
    wet = smooth(0.25, 0.6, stencil.rgb.max(axis=2)) * covered
    rows = np.clip(1.02 - canvas.y[:, 0], 0, 1) * canvas.rows
    mirror = upper[np.clip(rows * 0.8, 0, canvas.rows - 1).astype(int)]
    canvas.paint(mirror * 0.95, wet)
    canvas.rgb = canvas.rgb * 1.12
    canvas.vignette()
