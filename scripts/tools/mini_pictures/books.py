"""Still lifes with old books."""

from __future__ import annotations

import numpy as np

from mini_pictures.canvas import Canvas
from mini_pictures.colour import Array, linear
from mini_pictures.fruit import apple, pear
from mini_pictures.solid import (
    Solid,
    box,
    moved,
    turned,
    union,
)
from mini_pictures.studio import Cover, Set, Studio


def books(
    canvas: Canvas, codes: list[str], cover: Cover, wall: tuple[str, str], upright: bool
) -> None:
    """A stack of old books with an apple on top, or a row of them with a pear."""
    scene = Set(cover, wall, eye=(0.4, 1.75, 5.2), look=(0.0, 0.72, 0.0), zoom=2.0)
    if not upright:
        scene.look = (0.0, 1.0, 0.0)
    solids: list[Solid] = []
    if upright:
        x = -1.55
        for k, code in enumerate(codes):
            thick, tall = 0.13 + 0.06 * ((k * 7) % 4), 0.68 + 0.09 * ((k * 5) % 4)
            lean = 0.0 if k < len(codes) - 1 else 13.0
            x += thick + (0.02 if not lean else 0.22)
            # A book's local frame: y is its thickness, x from spine to fore edge, z its height.
            stand = turned(0, 0, -lean) @ turned(0, -90, 0) @ turned(0, 0, 90)
            solids.append(_book(x, tall * 0.99, -0.1, (0.55, thick, tall), stand, code))
            x += thick
        solids += pear(1.25, 0.7, 0.0, 0.36)
    else:
        y = 0.0
        for k, code in enumerate(codes):
            half = 0.11 + 0.05 * ((k * 5) % 3)
            size = (0.78 - 0.05 * k, half, 1.1 - 0.07 * k)
            yaw = 90 + 17 * np.sin(4.3 * k + 1)
            solids.append(_book(0.06 * np.sin(3 * k), y + half, 0.0, size, turned(yaw), code))
            y += 2 * half
        solids += apple(0.05, 0.0, y, 0.3)
    Studio(canvas, scene, solids).render()
    canvas.vignette(0.4)


def _book(
    x: float, y: float, z: float, half: tuple[float, float, float], turn: Array, code: str
) -> Solid:
    hx, hy, hz = half
    board = 0.028
    covers = union(
        moved(box(hx, board, hz, 0.015), 0, hy - board, 0),
        moved(box(hx, board, hz, 0.015), 0, -hy + board, 0),
        moved(box(board, hy, hz, 0.02), -hx + board, 0, 0),
    )
    shape = union(covers, box(hx - 0.05, hy - board, hz - 0.05, 0.01))
    leather, gold, page = linear(code), linear("d8b050"), linear("efe4c8")

    def skin(p: Array) -> Array:
        paper = (np.abs(p[:, 1]) < hy - 2 * board + 0.004) & (p[:, 0] > -hx + 0.07)
        lines = 0.85 + 0.15 * np.sin(p[:, 1] * 420)
        spine = p[:, 0] < -hx + 0.03
        along = p[:, 2] / hz
        bands = np.minimum(np.abs(np.abs(along) - 0.72), np.abs(np.abs(along) - 0.45))
        title = (np.abs(along) < 0.28) & (np.abs(p[:, 1]) < hy * 0.35) & (np.sin(along * 75) > -0.3)
        gilt = spine & ((bands < 0.02) | title)
        worn = np.sin(p[:, 0] * 31 + 2 * np.sin(p[:, 2] * 23)) * np.sin(p[:, 2] * 37)
        tone = leather * (0.92 + 0.12 * worn)[:, None]
        tone = np.where(gilt[:, None], gold, tone)
        result: Array = np.where(paper[:, None], page * lines[:, None], tone)
        return result

    return Solid(
        shape,
        float(np.sqrt(hx * hx + hy * hy + hz * hz)),
        skin,
        (x, y, z),
        turn=turn,
        gloss=0.22,
        sharp=35,
    )
