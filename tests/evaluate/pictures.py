"""Small labelled pictures: each class has a colour."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

COLOURS = {"blue": (40, 60, 200), "green": (40, 180, 60), "red": (200, 50, 40)}


def picture(name: str, seed: int) -> bytes:
    """A JPEG of 40×30 in about the colour of its class."""
    image = pytest.importorskip("PIL.Image")
    random = np.random.default_rng(seed)
    pixels = np.clip(np.array(COLOURS[name]) + random.normal(0, 60, (30, 40, 3)), 0, 255)
    buffer = io.BytesIO()
    image.fromarray(pixels.astype(np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def make_labelled(folder: Path, train: int = 6, test: int = 4) -> Path:
    """A folder of classes, with so many pictures of each."""
    seed = 0
    for split, number in (("train", train), ("test", test)):
        for name in COLOURS:
            (folder / split / name).mkdir(parents=True)
            for position in range(number):
                seed += 1
                (folder / split / name / f"{position}.jpg").write_bytes(picture(name, seed))
    return folder
