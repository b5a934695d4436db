"""Cacti in clay pots."""

from __future__ import annotations

import numpy as np

from mini_pictures.canvas import Canvas
from mini_pictures.colour import Array, linear, mix, smooth
from mini_pictures.flowers import flower
from mini_pictures.solid import (
    Shape,
    Skin,
    Solid,
    capsule,
    ellipsoid,
    lathe,
    plain,
    turned,
    union,
)
from mini_pictures.studio import Cover, Set, Studio
from mini_pictures.ware import banded


def cactus(
    canvas: Canvas,
    skins: list[str],
    pot: str,
    trim: str,
    cover: Cover,
    wall: tuple[str, str],
    round_one: bool,
) -> None:
    """A cactus in a clay pot, tall with arms or a round one in bloom."""
    scene = Set(cover, wall, eye=(0.0, 1.6, 6.0), look=(0.0, 1.1, 0.0), zoom=2.0)
    if canvas.aspect < 1:
        scene.zoom = 2.5
    clay = lathe(
        [
            (0.0, 0.0),
            (0.42, 0.0),
            (0.56, 0.62),
            (0.64, 0.62),
            (0.66, 0.86),
            (0.6, 0.87),
            (0.57, 0.74),
            (0.0, 0.74),
        ],
        False,
    )
    earth = lathe([(0.0, 0.5), (0.57, 0.5), (0.57, 0.79), (0.0, 0.83)], False)
    solids = [
        Solid(
            clay,
            0.95,
            banded(pot, trim, 0.66, 0.82),
            middle=(0, 0.43, 0),
            gloss=0.15,
            sharp=15,
            bump=0.04,
            grain=40,
        ),
        Solid(earth, 0.66, plain("4a3a2c"), middle=(0, 0.65, 0), gloss=0.0, bump=0.8, grain=40),
    ]
    if round_one:
        solids.append(_ribbed(ellipsoid(0.62, 0.58, 0.62), 0.7, (0.0, 1.28, 0.0), skins[0], 15))
        for k in range(3):
            solids += flower(
                0.2 * np.cos(2.1 * k),
                1.84,
                0.2 * np.sin(2.1 * k) + 0.08,
                0.26,
                turned(90 - 120.0 * k, 25),
                "e85a90",
                "f8d860",
                11,
                2,
            )
        solids += [_ribbed(ellipsoid(0.26, 0.26, 0.26), 0.3, (0.62, 0.98, 0.3), skins[0], 11)]
    else:
        solids.append(
            _ribbed(
                capsule((0, 0, 0), (0, 1.35, 0), 0.3, 0.26),
                1.1,
                (0.0, 0.85, 0.0),
                skins[0],
                13,
                0.7,
            )
        )
        for side, low, top in ((1.0, 1.25, 0.62), (-1.0, 1.55, 0.42)):
            arm = union(
                capsule((0, 0, 0), (0.5 * side, 0.06, 0), 0.15, 0.15),
                capsule((0.5 * side, 0.06, 0), (0.54 * side, top, 0), 0.15, 0.13),
                blend=0.1,
            )
            solids.append(
                Solid(
                    arm,
                    0.85,
                    _spiny(skins[0], 0.0),
                    (0, low, 0),
                    (0.3 * side, top / 2, 0),
                    gloss=0.15,
                    soft=0.1,
                )
            )
        solids += flower(0.0, 2.44, 0.04, 0.2, turned(0, 15), "f0a0b8", "f8e080", 9, 2)
    for k in range(14):
        angle, r = 2.4 * k, 0.42 + 0.08 * np.sin(k)
        solids.append(
            Solid(
                ellipsoid(0.05, 0.035, 0.045),
                0.06,
                plain(("a8a098", "d0c8b8", "887c70")[k % 3]),
                (float(r * np.cos(angle)), 0.83, float(r * np.sin(angle))),
            )
        )
    Studio(canvas, scene, solids).render()
    canvas.vignette(0.3)


def _ribbed(
    core: Shape,
    radius: float,
    place: tuple[float, float, float],
    code: str,
    ribs: int,
    middle: float = 0.0,
) -> Solid:
    def shape(p: Array) -> Array:
        angle = np.arctan2(p[:, 2], p[:, 0])
        result: Array = (core(p) + 0.05 * (1 - np.abs(np.cos(angle * ribs / 2)) ** 0.8)) * 0.75
        return result

    return Solid(
        shape, radius, _spiny(code, ribs), place, (0, middle, 0), gloss=0.15, sharp=20, soft=0.1
    )


def _spiny(code: str, ribs: float) -> Skin:
    tone, dark, white = linear(code), linear(code) * 0.35, linear("f4f0dc")

    def colours(p: Array) -> Array:
        angle = np.arctan2(p[:, 2], p[:, 0])
        crest = np.abs(np.cos(angle * ribs / 2)) if ribs else 0.8 + 0 * angle
        body = mix(dark, tone, crest)
        row = np.abs(np.sin(p[:, 1] * 26))
        spots = (
            smooth(0.985, 0.995, crest) * smooth(0.8, 0.95, row)
            if ribs
            else smooth(
                0.5, 0.7, np.sin(p[:, 0] * 45) * np.sin(p[:, 1] * 45) * np.sin(p[:, 2] * 45 + 1.57)
            )
        )
        return mix(body, white, spots)

    return colours
