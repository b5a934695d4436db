"""The canvas: a float picture drawn larger than needed and reduced at the end.

Lengths are in picture heights: y runs from 0 (top) to 1 (bottom), x from 0 to ``aspect``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from mini_pictures.colour import Array, Stop, bytes_of, ramp
from mini_pictures.noise import fractal

Point = tuple[float, float]


class Layer:
    """A transparent sheet with Pillow's drawing tools, twice as fine as the canvas."""

    def __init__(self, rows: int, columns: int) -> None:
        self.unit = rows * 2
        self.sheet = Image.new("RGBA", (columns * 2, rows * 2), (0, 0, 0, 0))
        self.pen = ImageDraw.Draw(self.sheet)

    def polygon(self, points: Sequence[Point], colour: Array, alpha: float = 1.0) -> None:
        """A filled polygon; points in picture heights."""
        self.pen.polygon(self._pixels(points), fill=(*bytes_of(colour), round(255 * alpha)))

    def line(
        self, points: Sequence[Point], colour: Array, width: float, alpha: float = 1.0
    ) -> None:
        """A line with round joints; width in picture heights."""
        fill = (*bytes_of(colour), round(255 * alpha))
        thick = max(1, round(width * self.unit))
        self.pen.line(self._pixels(points), fill=fill, width=thick, joint="curve")

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, colour: Array, alpha: float = 1.0
    ) -> None:
        """A filled upright ellipse."""
        box = self._pixels([(x - rx, y - ry), (x + rx, y + ry)])
        self.pen.ellipse([*box[0], *box[1]], fill=(*bytes_of(colour), round(255 * alpha)))

    def _pixels(self, points: Sequence[Point]) -> list[Point]:
        return [(float(x) * self.unit, float(y) * self.unit) for x, y in points]


class Canvas:
    """A picture in the making: ``rgb`` is rows × columns × 3, float32 sRGB in 0..1."""

    def __init__(self, width: int, height: int, seed: int, oversample: int = 2) -> None:
        self.size = (width, height)
        self.rows, self.columns = height * oversample, width * oversample
        self.aspect = width / height
        self.rng = np.random.default_rng(seed)
        self.rgb: Array = np.zeros((self.rows, self.columns, 3), np.float32)
        self.y: Array = ((np.arange(self.rows, dtype=np.float32) + 0.5) / self.rows)[:, None]
        self.x: Array = ((np.arange(self.columns, dtype=np.float32) + 0.5) / self.rows)[None, :]

    def gradient(self, stops: Sequence[Stop], top: float = 0.0, bottom: float = 1.0) -> None:
        """Fill everything with a vertical gradient; stops at 0 (top) to 1 (bottom)."""
        self.rgb[:] = ramp((self.y - top) / (bottom - top), stops)

    def paint(self, colour: Array, mask: Array | float, opacity: float = 1.0) -> None:
        """Cover with a colour, (3,) or rows × columns × 3, where the mask is 1."""
        share = (np.asarray(mask, np.float32) * opacity)[..., None]
        self.rgb = self.rgb + (colour - self.rgb) * share

    def glow(self, colour: Array, mask: Array, strength: float = 1.0) -> None:
        """Add light (screen blend, so that it never clips hard)."""
        light = np.clip(colour * (mask * strength)[..., None], 0, 1)
        self.rgb = 1 - (1 - np.clip(self.rgb, 0, 1)) * (1 - light)

    def below(self, line: Array) -> Array:
        """Mask of what lies below a line y(x), shape (columns,), with soft edges."""
        return np.clip((self.y - line[None, :]) * self.rows + 0.5, 0, 1)

    def halo(self, x: float, y: float, radius: float, power: float = 2.0) -> Array:
        """Round falloff from 1 at the centre; ``radius`` is where it is about 1/3."""
        distance = np.hypot(self.x - x, self.y - y) / radius
        result: Array = np.exp(-(distance**power)).astype(np.float32)
        return result

    def disc(self, x: float, y: float, radius: float, soft: float = 0.0) -> Array:
        """Mask of a disc with edges ``soft`` wide."""
        edge = max(soft, 1.0 / self.rows)
        distance = np.hypot(self.x - x, self.y - y)
        result: Array = np.clip((radius - distance) / edge + 0.5, 0, 1)
        return result

    def noise(self, rows: float, columns: float, octaves: int = 5, gain: float = 0.5) -> Array:
        """Fractal noise over the canvas; the arguments count coarse cells."""
        return fractal(self.rng, self.rows, self.columns, rows, columns, octaves, gain)

    def layer(self) -> Layer:
        """A fresh transparent sheet."""
        return Layer(self.rows, self.columns)

    def lay(self, layer: Layer, blur: float = 0.0, opacity: float = 1.0) -> None:
        """Put a sheet on the picture, blurred by ``blur`` picture heights."""
        colour, alpha = self.flatten(layer, blur)
        self.rgb = self.rgb * (1 - alpha * opacity) + colour * opacity

    def flatten(self, layer: Layer, blur: float = 0.0) -> tuple[Array, Array]:
        """A sheet's premultiplied colour (rows × columns × 3) and alpha (… × 1)."""
        sheet = layer.sheet.convert("RGBa").reduce(2)
        if blur:
            sheet = _blurred_premultiplied(sheet, blur * self.rows)
        data = np.asarray(sheet, np.float32) / 255
        return data[..., :3], data[..., 3:]

    def blur(self, field: Array, radius: float) -> Array:
        """Gaussian blur of a rows × columns field in 0..1, radius in picture heights."""
        picture = Image.fromarray((np.clip(field, 0, 1) * 255).astype(np.uint8))
        soft = picture.filter(ImageFilter.GaussianBlur(radius * self.rows))
        return np.asarray(soft, np.float32) / 255

    def soften(self, radius: float, mask: Array | float = 1.0) -> None:
        """Blur the picture itself where the mask is 1 (haze, depth of field)."""
        channels = [self.blur(self.rgb[..., i], radius) for i in range(3)]
        self.paint(np.stack(channels, axis=-1), mask)

    def bloom(self, threshold: float = 0.8, radius: float = 0.03, strength: float = 0.6) -> None:
        """Let the brightest parts bleed light around them."""
        bright = np.clip(self.rgb - threshold, 0, 1) / (1 - threshold)
        soft = np.stack([self.blur(bright[..., i], radius) for i in range(3)], axis=-1)
        self.rgb = 1 - (1 - np.clip(self.rgb, 0, 1)) * (1 - np.clip(soft * strength, 0, 1))

    def vignette(self, amount: float = 0.25) -> None:
        """Darken the corners a little."""
        u = self.x / self.aspect - 0.5
        v = self.y - 0.5
        self.rgb = self.rgb * (1 - amount * 2 * (u * u + v * v))[..., None]

    def image(self, grain: float = 0.006) -> Image.Image:
        """The finished RGB picture in its final size, with a trace of film grain."""
        full = Image.fromarray((np.clip(self.rgb, 0, 1) * 255 + 0.5).astype(np.uint8))
        small = full.resize(self.size, Image.Resampling.LANCZOS)
        data: Array = np.asarray(small, np.float32)
        data = data + self.rng.normal(0, 255 * grain, (*data.shape[:2], 1))
        return Image.fromarray(np.clip(data + 0.5, 0, 255).astype(np.uint8))


def _blurred_premultiplied(sheet: Image.Image, radius: float) -> Image.Image:
    # Pillow's blur refuses RGBa: blur the four bands one by one.
    kernel = ImageFilter.GaussianBlur(radius)
    data = np.asarray(sheet)
    bands = [np.asarray(Image.fromarray(data[..., i]).filter(kernel)) for i in range(4)]
    return Image.fromarray(np.stack(bands, axis=-1), "RGBA")
