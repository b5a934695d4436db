"""Photographs, and what people do to them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SHARED = Path(__file__).resolve().parents[4] / "shared" / "images"


def photographs(count: int, offset: int = 0) -> list[Path]:
    """Different photographs."""
    paths = sorted((SHARED / "labelled").rglob("*.jpg"))
    return paths[offset :: max(1, len(paths) // count)][:count]


def encoded(image: Image.Image, quality: int = 90, kind: str = "JPEG") -> bytes:
    """An image's file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=quality)
    return buffer.getvalue()


def made_anew(path: Path) -> Iterator[tuple[str, bytes]]:
    """A photograph made anew in many ways, each with its name."""
    image = Image.open(path).convert("RGB")
    values = np.asarray(image).astype(np.float64)
    random = np.random.default_rng(len(path.name))

    def of(changed: np.ndarray) -> Image.Image:
        return Image.fromarray(np.clip(changed, 0, 255).round().astype(np.uint8))

    yield "quality 95", encoded(image, 95)
    yield "quality 30", encoded(image, 30)
    yield "half size", encoded(image.resize((image.width // 2, image.height // 2)))
    yield "blur", encoded(image.filter(ImageFilter.GaussianBlur(2)))
    yield "gamma", encoded(of(255 * (values / 255) ** 1.4))
    yield "noise", encoded(of(values + random.normal(0, 12, values.shape)))
    yield "brightness", encoded(of(values * 1.2))
    yield "PNG", encoded(image, kind="PNG")
    yield "WebP", encoded(image, 80, "WEBP")
    marked = image.copy()
    ImageDraw.Draw(marked, "RGBA").text(
        (image.width * 0.55, image.height * 0.85),
        "(c) a photographer",
        fill=(255, 255, 255, 160),
        font_size=image.height // 16,
    )
    yield "watermark", encoded(marked)
