"""The studio: still lifes of solids on a table, traced with soft light and shadow.

World units: the table is the plane y = 0, x to the right, z towards the viewer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mini_pictures.canvas import Canvas
from mini_pictures.colour import (
    Array,
    linear,
    mix,
    smooth,
    to_linear,
    to_srgb,
)
from mini_pictures.solid import Solid

Cover = Callable[[Array, Array], Array]  # table x and z (N,) -> linear colours (N × 3)


@dataclass
class Set:
    """Everything round the solids."""

    table: Cover
    wall: tuple[str, str] = ("b8a890", "5a5048")  # near the light, far from it
    light: tuple[float, float, float] = (-0.62, 0.7, 0.42)  # towards the lamp
    lamp: str = "fff2dc"
    power: float = 1.15
    fill: str = "8fa0b8"
    gain: float = 0.5
    eye: tuple[float, float, float] = (0.0, 1.75, 5.2)
    look: tuple[float, float, float] = (0.0, 0.62, 0.0)
    zoom: float = 1.9
    edge: float = -2.6  # where the table ends
    polish: float = 0.0  # reflections in the table
    lamps: list[tuple[float, float, float]] = field(default_factory=list)  # candle flames


class Studio:
    """Renders a list of solids on a set."""

    def __init__(self, canvas: Canvas, scene: Set, solids: list[Solid]) -> None:
        self.canvas, self.scene = canvas, scene
        self.solids = [s for s in solids if not s.glass]
        self.glasses = [s for s in solids if s.glass]
        light = np.asarray(scene.light, np.float32)
        self.light: Array = light / np.linalg.norm(light)
        self._camera()

    def _camera(self) -> None:
        eye = np.asarray(self.scene.eye, np.float32)
        ahead = np.asarray(self.scene.look, np.float32) - eye
        ahead = ahead / np.linalg.norm(ahead)
        right = np.cross(ahead, np.array([0, 1, 0], np.float32))
        right = right / np.linalg.norm(right)
        self.eye: Array = eye
        self.basis: Array = np.stack([right, np.cross(right, ahead), ahead]).astype(np.float32)

    def render(self) -> None:
        """Fill the canvas (sRGB)."""
        c = self.canvas
        zoom = self.scene.zoom * min(1.0, c.aspect**0.85)
        x = np.broadcast_to((c.x - c.aspect / 2) / zoom, (c.rows, c.columns)).ravel()
        y = np.broadcast_to((0.5 - c.y) / zoom, (c.rows, c.columns)).ravel()
        rays = np.stack([x, y, np.ones_like(x)], axis=1).astype(np.float32) @ self.basis
        rays = rays / np.linalg.norm(rays, axis=1, keepdims=True)
        starts = np.broadcast_to(self.eye, rays.shape)
        light = self.radiance(starts, rays, True)
        image = light.reshape(c.rows, c.columns, 3)
        for solid in self.glasses:
            image = self._glaze(image, starts, rays, solid)
        image = image / (1 + 0.18 * image)
        c.rgb = to_srgb(image)

    def project(self, point: tuple[float, float, float]) -> tuple[float, float]:
        """Where a world point is on the canvas (picture heights)."""
        zoom = self.scene.zoom * min(1.0, self.canvas.aspect**0.85)
        p = self.basis @ (np.asarray(point, np.float32) - self.eye)
        return float(p[0] / p[2] * zoom + self.canvas.aspect / 2), float(0.5 - p[1] / p[2] * zoom)

    def radiance(self, starts: Array, rays: Array, mirror: bool) -> Array:
        """Linear light (N × 3) arriving along rays."""
        depth, index = self._trace(starts, rays)
        colours = self._background(starts, rays, index < 0, mirror)
        for k, solid in enumerate(self.solids):
            hit = np.flatnonzero(index == k)
            if hit.size:
                points = starts[hit] + rays[hit] * depth[hit, None]
                colours[hit] = self._shade(solid, points, rays[hit])
        return colours

    def _trace(self, starts: Array, rays: Array) -> tuple[Array, Array]:
        depth = np.full(len(rays), 1e9, np.float32)
        down = rays[:, 1] < -1e-4
        table = np.where(down, -starts[:, 1] / np.where(down, rays[:, 1], -1), 1e9)
        index = np.full(len(rays), -1, np.int32)
        for k, solid in enumerate(self.solids):
            hit, t = march(solid, starts, rays)
            closer = (t < depth[hit]) & (t < table[hit] + 1e-3)
            depth[hit[closer]] = t[closer]
            index[hit[closer]] = k
        return depth, index

    def _background(self, starts: Array, rays: Array, mask: Array, mirror: bool) -> Array:
        scene = self.scene
        colours = np.zeros((len(rays), 3), np.float32)
        which = np.flatnonzero(mask)
        ray, start = rays[which], starts[which]
        wall_z = scene.edge - 1.5
        t = (wall_z - start[:, 2]) / np.minimum(ray[:, 2], -1e-3)
        spot = start + ray * t[:, None]
        far = np.clip(np.hypot(spot[:, 0] + 1.6, spot[:, 1] - 2.4) / 5.5, 0, 1)
        wall = mix(linear(scene.wall[0]), linear(scene.wall[1]), smooth(0, 1, far))
        drop = -start[:, 1] / np.minimum(ray[:, 1], -1e-4)
        ground = start + ray * drop[:, None]
        # The table's far edge is out of focus: it melts into the wall.
        share = smooth(scene.edge - 0.25, scene.edge + 0.25, ground[:, 2]) * (ray[:, 1] < -1e-3)
        colours[which] = wall
        on = np.flatnonzero(share > 0)
        if on.size:
            points = ground[on]
            up = np.broadcast_to(np.array([0, 1, 0], np.float32), points.shape)
            base = scene.table(points[:, 0], points[:, 2])
            shown = self._lit(points, up, base, None)
            if scene.polish and mirror:
                bounce = ray[on] * np.array([1, -1, 1], np.float32)
                seen = self.radiance(points + up * 1e-3, bounce, False)
                fresnel = scene.polish * (0.15 + 0.85 * (1 - bounce[:, 1]) ** 4)
                shown = shown + (seen - 0.3 * shown) * fresnel[:, None]
            colours[which[on]] = mix(wall[on], shown, share[on])
        return colours

    def _shade(self, solid: Solid, points: Array, rays: Array) -> Array:
        normal = normals(solid, points)
        local = solid.local(points)
        if solid.bump:
            normal = _bumped(normal, local, solid.bump, solid.grain)
        base = solid.skin(local).astype(np.float32)
        if solid.glow:
            glowing: Array = base * solid.glow
            return glowing
        light = self._lit(points, normal, base, solid)
        facing = np.clip(-(normal * rays).sum(axis=1), 0, 1)
        bounce = rays + 2 * facing[:, None] * normal
        fresnel = solid.gloss * (0.08 + 0.92 * (1 - facing) ** 5)
        shine = np.clip((bounce * self.light).sum(axis=1), 0, 1) ** solid.sharp
        light = light + self._room(bounce) * fresnel[:, None]
        result: Array = light + (solid.gloss * shine)[:, None] * linear(self.scene.lamp)
        return result

    def _room(self, rays: Array) -> Array:
        """What a shiny thing mirrors: a bright window at the left, a dim room elsewhere."""
        scene = self.scene
        dim = mix(
            linear(scene.wall[1]), linear(scene.wall[0]), np.clip(rays[:, 1] * 0.5 + 0.5, 0, 1)
        )
        across = rays @ np.array([0.75, 0, 0.66], np.float32)
        window = smooth(0.32, 0.26, np.abs(across + 0.15)) * smooth(0.25, 0.3, rays[:, 1])
        window = window * smooth(0.9, 0.85, rays[:, 1]) * (rays @ self.light > 0.2)
        bar = smooth(0.012, 0.03, np.abs(across + 0.15))
        result: Array = dim * 0.6 + (window * bar * 3.0)[:, None] * linear(scene.lamp)
        return result

    def _lit(self, points: Array, normal: Array, base: Array, solid: Solid | None) -> Array:
        scene = self.scene
        soft = solid.soft if solid else 0.0
        facing: Array = normal @ self.light
        facing = np.clip((facing + soft) / (1 + soft), 0, 1)
        lift = points + normal * 0.012
        sun = facing * self._shadow(lift)
        open_sky = self._openness(points, normal)
        sky = (0.55 + 0.45 * normal[:, 1]) * open_sky
        bounce = np.clip(0.4 - 0.5 * normal[:, 1], 0, 1) * open_sky * 0.35
        light = scene.power * sun[:, None] * linear(scene.lamp)
        light = light + scene.gain * sky[:, None] * linear(scene.fill)
        light = light + bounce[:, None] * linear(scene.wall[0])
        for lamp in scene.lamps:
            way = np.asarray(lamp, np.float32) - points
            gap = np.linalg.norm(way, axis=1)
            towards = np.clip((normal * way).sum(axis=1) / gap + 0.25 + soft, 0, 1)
            light = light + (0.8 * towards / (0.5 + gap * gap))[:, None] * linear("ffb060")
        result: Array = base * light
        return result

    def _shadow(self, points: Array) -> Array:
        clear: Array = np.ones(len(points), np.float32)
        for solid in self.solids + self.glasses:
            if solid.glow:
                continue
            seen = solid_shadow(solid, points, self.light)
            clear = clear * (0.55 + 0.45 * seen if solid.glass else seen)
        return clear

    def _openness(self, points: Array, normal: Array) -> Array:
        clear: Array = np.ones(len(points), np.float32)
        for solid in self.solids:
            if solid.glow:
                continue
            gap = np.linalg.norm(points - solid.centre(), axis=1) - solid.radius
            near = np.flatnonzero(gap < 0.6)
            lost = np.zeros(near.size, np.float32)
            for step in (0.06, 0.16, 0.34, 0.6):
                d = solid.distance(points[near] + normal[near] * step)
                lost += np.clip(step - d, 0, step) / step * 0.24
            clear[near] *= np.clip(1 - lost, 0, 1)
        return clear

    def _glaze(self, image: Array, starts: Array, rays: Array, solid: Solid) -> Array:
        # Glass bends what is behind it: look the picture up at shifted places.
        c = self.canvas
        hit, t = march(solid, starts, rays)
        depth, _ = self._trace(starts[hit], rays[hit])
        keep = t < depth
        hit, t = hit[keep], t[keep]
        if not hit.size:
            return image
        points = starts[hit] + rays[hit] * t[:, None]
        normal = normals(solid, points)
        facing = np.clip(-(normal * rays[hit]).sum(axis=1), 0, 1)
        rim = 1 - facing
        view = normal @ self.basis.T
        row, column = np.divmod(hit, c.columns)
        shift = c.rows * 0.09 * rim**2
        row = np.clip(row + view[:, 1] * shift, 0, c.rows - 1).astype(int)
        column = np.clip(column - view[:, 0] * shift, 0, c.columns - 1).astype(int)
        tint = solid.skin(solid.local(points))
        behind = image[row, column] * tint ** (0.55 + 1.6 * rim**2)[:, None]
        bounce = rays[hit] + 2 * facing[:, None] * normal
        fresnel = 0.06 + 0.7 * rim**4
        shine = np.clip((bounce * self.light).sum(axis=1), 0, 1) ** 220
        glass = behind + self._room(bounce) * fresnel[:, None] * 0.7 + shine[:, None] * 1.5
        glazed: Array = image.copy()
        glazed.reshape(-1, 3)[hit] = glass
        return glazed


def march(solid: Solid, starts: Array, rays: Array) -> tuple[Array, Array]:
    """Rays that meet a solid: their indices and the distances along them."""
    way = starts - solid.centre()
    b = (way * rays).sum(axis=1)
    reach = b * b - (way * way).sum(axis=1) + solid.radius**2
    index = np.flatnonzero((reach > 0) & (b < solid.radius))
    root = np.sqrt(reach[index])
    t, end = np.maximum(-b[index] - root, 0), -b[index] + root
    hits, depths = [], []
    for _ in range(70):
        if not index.size:
            break
        d = solid.distance(starts[index] + rays[index] * t[:, None])
        done = d < 0.0015
        hits.append(index[done])
        depths.append(t[done])
        t = t + d * 0.9
        live = ~done & (t < end)
        index, t, end = index[live], t[live], end[live]
    if not hits:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    return np.concatenate(hits), np.concatenate(depths)


def solid_shadow(solid: Solid, points: Array, light: Array) -> Array:
    """How much of a wide lamp the points (N × 3) see past one solid: 0..1."""
    way = points - solid.centre()
    b = way @ light
    off = np.sqrt(np.maximum((way * way).sum(axis=1) - b * b, 0))
    wide = solid.radius + 0.22 * np.maximum(-b, 0)
    near = np.flatnonzero((off < wide) & (b < solid.radius))
    clear = np.ones(len(points), np.float32)
    t = np.maximum(-b[near] - wide[near], 0.012)
    end = -b[near] + solid.radius
    least = np.ones(near.size, np.float32)
    for _ in range(26):
        live = t < end
        if not live.any():
            break
        d = solid.distance(points[near] + light * t[:, None])
        least = np.where(live, np.minimum(least, 0.5 + 0.5 * d / (0.075 * t + 0.004)), least)
        t = t + np.clip(np.abs(d) * 0.8, 0.012, 0.25)
    clear[near] = smooth(0.0, 1.0, np.clip(least, 0, 1))
    return clear


def normals(solid: Solid, points: Array) -> Array:
    """Outward unit normals of a solid at surface points (N × 3)."""
    step = 0.006
    total = np.zeros_like(points, dtype=np.float32)
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        way = np.asarray(corner, np.float32)
        total += solid.distance(points + way * step)[:, None] * way
    result: Array = total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-9)
    return result


def _bumped(normal: Array, local: Array, amount: float, grain: float) -> Array:
    q = local * grain
    slope = np.stack(
        [
            np.sin(q[:, 1] + 1.7 * np.sin(q[:, 2])),
            np.sin(q[:, 2] + 1.7 * np.sin(q[:, 0])),
            np.sin(q[:, 0] + 1.7 * np.sin(q[:, 1])),
        ],
        axis=1,
    )
    tilted = normal + amount * slope
    result: Array = (tilted / np.linalg.norm(tilted, axis=1, keepdims=True)).astype(np.float32)
    return result


def cloth(first: str, second: str, pace: float = 0.0) -> Cover:
    """A table cloth: plain weave, or stripes ``pace`` wide."""

    def colours(x: Array, z: Array) -> Array:
        weave = 0.5 + 0.25 * np.sin(x * 90) + 0.25 * np.sin(z * 90)
        share = 0.15 * weave
        if pace:
            share = share + 0.85 * smooth(-0.15, 0.15, np.sin(x / pace * 3.1416))
        return mix(linear(first), linear(second), share)

    return colours


def checks(first: str, second: str, pace: float) -> Cover:
    """A gingham cloth."""

    def colours(x: Array, z: Array) -> Array:
        a = smooth(-0.1, 0.1, np.sin(x / pace * 3.1416))
        b = smooth(-0.1, 0.1, np.sin(z / pace * 3.1416))
        return mix(linear(first), linear(second), (a + b) / 2)

    return colours


def planks(first: str, second: str, width: float = 0.55) -> Cover:
    """Wooden boards along x with grain and dark joints."""

    def colours(x: Array, z: Array) -> Array:
        board = np.floor(z / width)
        across = z / width - board
        own = np.sin(board * 12.9898) * 43758.5453
        own = own - np.floor(own)
        wave = z * 26 + 2.2 * np.sin(x * 1.1 + own * 40) + 0.8 * np.sin(x * 3.1 + own * 17)
        lines = 0.5 + 0.3 * np.sin(wave) + 0.2 * np.sin(wave * 2.7 + x * 2)
        tone = mix(linear(first), linear(second), np.clip(0.55 * lines + 0.45 * own, 0, 1))
        joint = smooth(0.5, 0.485, np.abs(across - 0.5))
        return tone * (0.25 + 0.75 * joint)[:, None]

    return colours


def sand(first: str, second: str) -> Cover:
    """Rippled sand."""

    def colours(x: Array, z: Array) -> Array:
        ripple = np.sin(z * 14 + 1.2 * np.sin(x * 1.7) + 0.5 * np.sin(x * 4.3 + z * 2))
        fine = np.sin(x * 171 + 3 * np.sin(z * 133)) * np.sin(z * 157 + 3 * np.sin(x * 119))
        return mix(linear(first), linear(second), np.clip(0.5 + 0.3 * ripple + 0.2 * fine, 0, 1))

    return colours


def flame(studio: Studio, wick: tuple[float, float, float], size: float) -> None:
    """A candle flame with its glow, painted over the finished picture."""
    c = studio.canvas
    x, foot = studio.project(wick)
    _, top = studio.project((wick[0], wick[1] + size, wick[2]))
    tall = foot - top
    v = (foot - c.y) / tall
    half = tall * 0.2 * np.sqrt(np.clip(v, 0, 1)) * np.clip(1.05 - v, 0, 1) * 1.9
    body = smooth(1.1, 0.55, np.abs(c.x - x) / np.maximum(half, 1e-4)) * (v > 0) * (v < 1.05)
    c.glow(to_srgb(linear("ff9030")), c.halo(x, foot - tall * 0.5, tall * 2.0, 1.0), 0.3)
    tone = mix(
        to_srgb(to_linear(np.array([1, 0.62, 0.18], np.float32))),
        np.array([1, 0.97, 0.8], np.float32),
        smooth(0.0, 0.45, v + 0 * c.x),
    )
    c.paint(tone, body, 0.97)
    c.glow(np.array([0.2, 0.35, 1], np.float32), c.halo(x, foot, tall * 0.12), 0.5)
