"""Skies and what is in them: sun, moon, stars, clouds, and their image in water."""

from __future__ import annotations

import numpy as np

from mini_pictures.canvas import Canvas
from mini_pictures.colour import Array, mix, ramp, rgb, smooth


def sun(
    canvas: Canvas, x: float, y: float, radius: float, core: str = "fff6dc", warm: str = "ffb060"
) -> None:
    """A sun with a wide warm halo."""
    canvas.glow(rgb(warm), canvas.halo(x, y, radius * 9, 1.0), 0.65)
    canvas.glow(rgb(warm), canvas.halo(x, y, radius * 2.5), 0.55)
    canvas.paint(rgb(core), canvas.disc(x, y, radius, radius * 0.15))


def moon(canvas: Canvas, x: float, y: float, radius: float, tint: str = "f4ecd8") -> None:
    """A full moon with grey seas and a pale halo."""
    canvas.glow(rgb(tint), canvas.halo(x, y, radius * 4, 1.0), 0.4)
    seas = smooth(0.45, 0.68, canvas.noise(7, 7 * canvas.aspect, 5, 0.55))
    face = mix(rgb(tint), rgb("b4ab9c"), seas * 0.55)
    rim = np.clip(np.hypot(canvas.x - x, canvas.y - y) / radius, 0, 1)
    canvas.paint(face * (1 - 0.18 * rim**4)[..., None], canvas.disc(x, y, radius))


def stars(canvas: Canvas, count: int, bottom: float = 1.0) -> None:
    """Stars of many sizes down to the height ``bottom``; a few have coloured light."""
    layer = canvas.layer()
    for _ in range(count):
        x, y = canvas.rng.random() * canvas.aspect, canvas.rng.random() ** 1.1 * bottom
        size = 0.0008 + 0.0022 * canvas.rng.random() ** 6
        tone = mix(rgb("cfe0ff"), rgb("ffe6c4"), float(canvas.rng.random()))
        layer.ellipse(x, y, size, size, tone, 0.35 + 0.65 * canvas.rng.random() ** 2)
    canvas.lay(layer)


def clouds(
    canvas: Canvas,
    light: str,
    shade: str,
    cover: float = 0.5,
    bottom: float = 0.6,
    stretch: float = 2.5,
    opacity: float = 0.95,
    scale: float = 3.0,
) -> None:
    """Drifting clouds above ``bottom``, flatter towards it, lit from above."""
    field = canvas.noise(scale * stretch, scale * canvas.aspect, 7, 0.52)
    shift = max(2, canvas.rows // 30)
    above = np.vstack([np.repeat(field[:1], shift, axis=0), field[:-shift]])
    lit = np.clip(0.5 + (field - above) * 2.2, 0, 1)
    mask = smooth(1 - cover - 0.13, 1 - cover + 0.16, field)
    mask = mask * smooth(bottom, bottom - 0.2, canvas.y)
    canvas.paint(mix(rgb(shade), rgb(light), lit), mask, opacity)


def cumulus(
    canvas: Canvas, x: float, y: float, width: float, light: str, shade: str, puffs: int = 60
) -> None:
    """One heap cloud with a flat base at ``y``; every puff is shaded like a ball."""
    rng = canvas.rng
    body = np.zeros((canvas.rows, canvas.columns), np.float32)
    tone = np.zeros_like(body)
    for _ in range(puffs):
        along = float(np.clip(rng.normal(0, 0.28), -0.5, 0.5))
        tall = (0.5 - abs(along)) * rng.random()
        radius = width * (0.05 + 0.1 * rng.random() * (1 - abs(along)))
        cx, cy = x + along * width, y - tall * width * 0.55 - radius * 0.4
        ball = canvas.halo(cx, cy, radius, 3)
        up = np.clip(0.62 - (canvas.y - cy) / radius * 0.35 - (canvas.x - cx) / radius * 0.18, 0, 1)
        tone = tone * (1 - ball) + up * ball
        body = np.maximum(body, ball)
    ragged = canvas.noise(14, 14 * canvas.aspect, 5, 0.6)
    mask = smooth(0.25, 0.75, body + (ragged - 0.5) * 0.8 * (body > 0.02))
    mask = mask * smooth(y + width * 0.05, y - width * 0.03, canvas.y + (ragged - 0.5) * 0.03)
    tone = np.clip(tone + (ragged - 0.5) * 0.35, 0, 1)
    canvas.paint(mix(rgb(shade), rgb(light), tone), mask)


def water(
    canvas: Canvas,
    level: float,
    tint: str,
    amount: float = 0.35,
    ripple: float = 0.02,
    bottom: float = 1.0,
) -> Array:
    """Mirror what lies above ``level`` into the rows below, broken by ripples.

    ``amount`` is the share of the water's own tint near the viewer. Returns the mask.
    """
    mask = (canvas.below(np.full(canvas.columns, level, np.float32))) * (canvas.y <= bottom)
    near = np.clip((canvas.y - level) / max(1 - level, 1e-3), 0, 1)
    # Waves look longer and flatter far away: sample the noise along 1/distance.
    waves = _perspective_noise(canvas, near)
    up = 2 * level - canvas.y - np.abs(waves) * ripple * (0.3 + 4 * near)
    across = canvas.x + waves * ripple * (0.15 + 0.8 * near)
    row = np.clip(up * canvas.rows, 0, canvas.rows - 1).astype(np.int32)
    column = np.clip(across * canvas.rows, 0, canvas.columns - 1).astype(np.int32)
    image = canvas.rgb[row, np.broadcast_to(column, row.shape)]
    image = image * (1 + waves[..., None] * 0.22)
    canvas.paint(mix(image, rgb(tint), amount * (0.35 + 0.65 * near) + 0 * waves), mask)
    return mask


def _perspective_noise(canvas: Canvas, near: Array) -> Array:
    tile = canvas.rng.random((256, 256)).astype(np.float32)
    total = np.zeros((canvas.rows, canvas.columns), np.float32)
    distance = 1 / (near + 0.035)
    for frequency, weight in ((9.0, 0.5), (19.0, 0.3), (41.0, 0.2)):
        v = distance * frequency * 1.4
        u = (canvas.x - canvas.aspect / 2) * distance * frequency * 0.35 + 500
        total += weight * _tiled(tile, v + 0 * u, u)
    result: Array = (total - 0.5) * 2
    return result


def _tiled(tile: Array, v: Array, u: Array) -> Array:
    r, c = np.floor(v).astype(np.int32), np.floor(u).astype(np.int32)
    fr, fc = v - r, u - c
    fr, fc = fr * fr * (3 - 2 * fr), fc * fc * (3 - 2 * fc)
    r, c, s, d = r % 256, c % 256, (r + 1) % 256, (c + 1) % 256
    upper = tile[r, c] * (1 - fc) + tile[r, d] * fc
    result: Array = upper * (1 - fr) + (tile[s, c] * (1 - fc) + tile[s, d] * fc) * fr
    return result


def glitter(canvas: Canvas, x: float, level: float, colour: str, strength: float = 0.8) -> None:
    """The path of light that a low sun or moon at ``x`` lays on the water."""
    near = np.clip((canvas.y - level) / max(1 - level, 1e-3), 0, 1)
    waves = _perspective_noise(canvas, near)
    spread = 0.03 + 0.16 * near
    path = np.exp(-(((canvas.x - x) / spread) ** 2)) * (canvas.y > level)
    sparks = smooth(0.05, 0.45, waves + 0.25 * (1 - near))
    canvas.glow(rgb(colour), (path * (0.25 + sparks)).astype(np.float32), strength)


def aurora(canvas: Canvas, low: str, high: str, bands: int = 3, base: float = 0.55) -> None:
    """Curtains of northern light hanging over wavy lines."""
    rng = canvas.rng
    for band in range(bands):
        phase = rng.random(4) * 6.28
        u = canvas.x / canvas.aspect
        foot = (
            base - 0.13 * band + 0.07 * np.sin(u * 5 + phase[0]) + 0.04 * np.sin(u * 11 + phase[1])
        )
        rays = np.interp(
            np.arange(canvas.columns),
            np.linspace(0, canvas.columns, 90),
            0.35 + 0.65 * rng.random(90),
        )[None, :]
        height = 0.12 + 0.22 * rays
        up = (foot - canvas.y) / height
        veil = np.where(up > 0, np.exp(-up * 2.2), np.exp(up * 26)) * rays
        veil = veil * (0.55 + 0.45 * np.sin(u * 4 + phase[2]))
        tone = ramp(np.clip(up, 0, 1.6) / 1.6, [(0, low), (0.45, low), (1, high)])
        canvas.glow(tone, veil.astype(np.float32), 0.8 - 0.18 * band)
