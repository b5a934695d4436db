"""Solids for the still lifes: signed distance functions of points (N × 3, table units)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mini_pictures.colour import Array, linear

Shape = Callable[[Array], Array]  # points (N × 3) -> distances (N,)
Skin = Callable[[Array], Array]  # points (N × 3) -> linear colours (N × 3)


def plain(code: str) -> Skin:
    """One colour all over."""
    colour = linear(code)
    return lambda p: np.broadcast_to(colour, p.shape)


@dataclass
class Solid:
    """A shape at a place, turned, with a skin."""

    shape: Shape
    radius: float  # of a ball round ``middle`` that holds the whole shape
    skin: Skin
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    middle: tuple[float, float, float] = (0.0, 0.0, 0.0)  # local
    turn: Array = field(default_factory=lambda: np.eye(3, dtype=np.float32))
    gloss: float = 0.3  # strength of reflections
    sharp: float = 60.0  # highlight exponent
    glass: bool = False
    bump: float = 0.0  # roughness of the surface, as slope
    grain: float = 30.0  # bumps per unit
    glow: float = 0.0  # light of its own
    soft: float = 0.0  # light that passes through (petals, wax)

    def local(self, points: Array) -> Array:
        """World points in the solid's own frame."""
        result: Array = (points - np.asarray(self.place, np.float32)) @ self.turn
        return result

    def distance(self, points: Array) -> Array:
        """Signed distance of world points (N × 3)."""
        result: Array = self.shape(self.local(points))
        return result

    def centre(self) -> Array:
        """The middle of the bounding ball, world."""
        result: Array = np.asarray(self.place, np.float32) + self.turn @ np.asarray(
            self.middle, np.float32
        )
        return result


def turned(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Array:
    """A rotation: roll about z first, then pitch about x, then yaw about y (degrees)."""
    y, x, z = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    result: Array = (about_y @ about_x @ about_z).astype(np.float32)
    return result


def ellipsoid(rx: float, ry: float, rz: float) -> Shape:
    """An ellipsoid (distance nearly exact close to the surface)."""
    radii = np.array([rx, ry, rz], np.float32)

    def distance(p: Array) -> Array:
        k0 = np.linalg.norm(p / radii, axis=1)
        k1 = np.linalg.norm(p / (radii * radii), axis=1) + 1e-6
        result: Array = k0 * (k0 - 1) / k1
        return result

    return distance


def box(hx: float, hy: float, hz: float, edge: float) -> Shape:
    """A box with rounded edges; half sizes."""
    half = np.array([hx - edge, hy - edge, hz - edge], np.float32)

    def distance(p: Array) -> Array:
        q = np.abs(p) - half
        result: Array = (
            np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(axis=1), 0) - edge
        )
        return result

    return distance


def capsule(
    a: tuple[float, float, float], b: tuple[float, float, float], ra: float, rb: float
) -> Shape:
    """A rod from a to b whose radius goes from ra to rb."""
    start, way = np.asarray(a, np.float32), np.asarray(b, np.float32) - np.asarray(a, np.float32)
    square = float(way @ way)

    def distance(p: Array) -> Array:
        t = np.clip((p - start) @ way / square, 0, 1)
        gap = p - start - t[:, None] * way
        result: Array = np.linalg.norm(gap, axis=1) - (ra + (rb - ra) * t)
        return result

    return distance


def ring(radius: float, tube: float, stretch: float = 1.0) -> Shape:
    """A ring in the x-y plane, ``stretch`` times as tall as wide."""

    def distance(p: Array) -> Array:
        across = np.hypot(p[:, 0], p[:, 1] / stretch) - radius
        result: Array = (np.hypot(across, p[:, 2]) - tube) * min(1.0, 1 / stretch)
        return result

    return distance


def union(*shapes: Shape, blend: float = 0.0) -> Shape:
    """All shapes together, their joints filled out by ``blend``."""

    def distance(p: Array) -> Array:
        total = shapes[0](p)
        for shape in shapes[1:]:
            other = shape(p)
            if blend:
                h = np.clip(0.5 + 0.5 * (other - total) / blend, 0, 1)
                total = other + (total - other) * h - blend * h * (1 - h)
            else:
                total = np.minimum(total, other)
        return total

    return distance


def moved(shape: Shape, x: float, y: float, z: float, turn: Array | None = None) -> Shape:
    """A shape put somewhere else inside its solid."""
    offset = np.array([x, y, z], np.float32)
    matrix = np.eye(3, dtype=np.float32) if turn is None else turn

    def distance(p: Array) -> Array:
        result: Array = shape((p - offset) @ matrix)
        return result

    return distance


def lathe(outline: Sequence[tuple[float, float]], curve: bool = True) -> Shape:
    """A body of revolution from its outline: points (radius, height), closed by the axis.

    ``curve`` rounds the outline (Catmull-Rom). The distance is read from a table.
    """
    points = np.asarray(outline, np.float64)
    if curve:
        points = _rounded(points)
    ring_points = np.vstack([points, points[-1:] * [0, 1], points[:1] * [0, 1]])
    low = points.min(axis=0) - 0.12
    high = points.max(axis=0) + 0.12
    low[0] = 0.0
    count = 220
    table = _table(ring_points, low, high, count)

    def distance(p: Array) -> Array:
        q = np.stack([np.hypot(p[:, 0], p[:, 2]), p[:, 1]], axis=1)
        inside = np.clip(q, low, high)
        at = (inside - low) / (high - low) * (count - 1.001)
        i = at.astype(np.int32)
        f = (at - i).astype(np.float32)
        a, b = i[:, 0], i[:, 1]
        left = table[a, b] * (1 - f[:, 1]) + table[a, b + 1] * f[:, 1]
        right = table[a + 1, b] * (1 - f[:, 1]) + table[a + 1, b + 1] * f[:, 1]
        near = left * (1 - f[:, 0]) + right * f[:, 0]
        result: Array = near + np.linalg.norm(q - inside, axis=1).astype(np.float32)
        return result

    return distance


def _rounded(points: Array) -> Array:
    padded = np.vstack([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, 6, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(
            0.5
            * (
                2 * b
                + (c - a) * t
                + (2 * a - 5 * b + 4 * c - d) * t**2
                + (3 * b - a - 3 * c + d) * t**3
            )
        )
    smooth_line = np.vstack([*pieces, points[-1:]])
    smooth_line[:, 0] = np.maximum(smooth_line[:, 0], 0)
    return smooth_line


def _table(outline: Array, low: Array, high: Array, count: int) -> Array:
    r = np.linspace(low[0], high[0], count)[:, None]
    y = np.linspace(low[1], high[1], count)[None, :]
    best = np.full((count, count), 1e9)
    inside = np.zeros((count, count), bool)
    for (ar, ay), (br, by) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if ar < 1e-9 and br < 1e-9:
            continue  # the axis is not a surface
        dr, dy = br - ar, by - ay
        t = np.clip(((r - ar) * dr + (y - ay) * dy) / (dr * dr + dy * dy + 1e-12), 0, 1)
        best = np.minimum(best, (r - ar - t * dr) ** 2 + (y - ay - t * dy) ** 2)
        if dy:
            crosses = ((ay > y) != (by > y)) & (r < ar + (y - ay) / dy * dr)
            inside ^= crosses
    table: Array = np.where(inside, -np.sqrt(best), np.sqrt(best)).astype(np.float32)
    return table
