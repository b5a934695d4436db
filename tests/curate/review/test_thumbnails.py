"""Small pictures: size, the way up, what cannot be decoded; and the cache they are kept in."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")

from PIL import Image

from pass_dataset.curate.review.cache import ThumbnailCache
from pass_dataset.curate.review.thumbnails import small_picture
from pass_dataset.images.outcomes import BadImageError


def picture(size: tuple[int, int], kind: str = "JPEG", mode: str = "RGB", turned: int = 1) -> bytes:
    """Red on the left, blue on the right."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[:, : size[0] // 2, 0] = 250
    pixels[:, size[0] // 2 :, 2] = 250
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = turned
    Image.fromarray(pixels).convert(mode).save(buffer, kind, exif=exif)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((500, 375), (250, 188)),
        ((375, 500), (188, 250)),
        ((100, 60), (100, 60)),
        ((1, 1), (1, 1)),
        ((4000, 30), (256, 2)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_sizes(size: tuple[int, int], expected: tuple[int, int], kind: str) -> None:
    made = Image.open(io.BytesIO(small_picture(picture(size, kind))))
    assert made.format == "JPEG"
    assert max(made.size) <= 256
    if kind == "JPEG":
        assert np.allclose(made.size, expected, atol=1)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_modes(mode: str) -> None:
    made = Image.open(io.BytesIO(small_picture(picture((500, 375), mode=mode))))
    assert made.size == (250, 188) or mode == "CMYK"


def test_turned_as_its_camera_says() -> None:
    made = Image.open(io.BytesIO(small_picture(picture((500, 375), turned=6)))).convert("RGB")
    assert made.size == (188, 250)
    red, blue = made.getpixel((90, 10)), made.getpixel((90, 240))
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert red[0] > 200 > red[2]
    assert blue[2] > 200 > blue[0]


@pytest.mark.parametrize("data", [b"", b"no image", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"])
def test_what_cannot_be_decoded(data: bytes) -> None:
    with pytest.raises(BadImageError):
        small_picture(data)


def test_cache_keeps_what_fits(tmp_path: Path) -> None:
    cache = ThumbnailCache(tmp_path, 100, 4 << 20)
    large = bytes(400_000)
    for row in range(40):
        cache.put(row, large + bytes([row]))
    assert cache.get(39) == large + bytes([39])
    assert cache.get(0) is None  # 16 MB went through 4
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 6 << 20
    cache.close()
    again = ThumbnailCache(tmp_path, 100, 4 << 20)
    assert again.get(39) == large + bytes([39])
    again.close()


def test_cache_that_was_cut_off(tmp_path: Path) -> None:
    (tmp_path / "000001.pictures").write_bytes(b"not closed, so without an index")
    again = ThumbnailCache(tmp_path, 10, 1 << 20)
    assert again.get(3) is None
    again.put(3, b"")
    assert again.get(3) == b""
    again.close()
