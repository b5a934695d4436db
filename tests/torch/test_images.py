from __future__ import annotations

import io
import random

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile, ImageOps

from pass_dataset.images.outcomes import BadImageError
from pass_dataset.torch.images import Decoder


def jpeg(mode: str = "RGB", size: tuple[int, int] = (120, 90)) -> bytes:
    bands = len(Image.new(mode, (1, 1)).getbands())
    noise = random.Random(0).randbytes(size[0] * size[1] * bands)
    file = io.BytesIO()
    Image.frombytes(mode, size, noise).save(file, "JPEG", quality=95)
    return file.getvalue()


def test_kinds_have_the_same_pixels() -> None:
    data = jpeg()
    image = Decoder("pil")(data)
    assert (image.mode, image.size) == ("RGB", (120, 90))
    tensor = Decoder("tensor")(data)
    assert (tensor.dtype, tensor.shape) == (torch.uint8, (3, 90, 120))
    assert tensor.is_contiguous()
    assert np.array_equal(tensor.permute(1, 2, 0).numpy(), np.asarray(image))
    assert Decoder("bytes")(data) is data


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colours_become_rgb(mode: str) -> None:
    assert Decoder("pil")(jpeg(mode)).mode == "RGB"
    assert Decoder("tensor")(jpeg(mode)).shape == (3, 90, 120)


@pytest.mark.parametrize(
    ("min_side_px", "size"),
    [
        (91, (120, 90)),
        (90, (120, 90)),
        (46, (120, 90)),
        (45, (60, 45)),
        (22, (30, 23)),
        (11, (15, 12)),
        (1, (15, 12)),
    ],
)
def test_reduced_as_far_as_asked_and_no_further(min_side_px: int, size: tuple[int, int]) -> None:
    assert Decoder("pil", min_side_px)(jpeg()).size == size
    assert Decoder("tensor", min_side_px)(jpeg()).shape == (3, size[1], size[0])


def test_reduced_image_looks_like_the_whole_one() -> None:
    gradient = np.linspace(0, 255, 160, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.tile(gradient, (120, 1))).convert("RGB").save(file, "JPEG", quality=95)
    small = np.asarray(Decoder("pil", 60)(file.getvalue()), np.int16)
    whole = np.asarray(Decoder("pil")(file.getvalue()).resize((80, 60), Image.Resampling.BOX))
    assert small.shape == whole.shape == (60, 80, 3)
    assert np.abs(small - whole).max() <= 4


@pytest.mark.parametrize("fill_in", [False, True])
def test_broken_images_raise(fill_in: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", fill_in)
    data = jpeg()
    for broken in (data[: len(data) // 2], b"", b"hello", data[:20]):
        with pytest.raises(Exception):  # noqa: B017  (whatever Pillow has for it)
            Decoder("pil")(broken)


def test_filling_in_takes_nothing_from_other_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    """What many trainings tell Pillow: a whole file of another format is none the worse for it."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    image = Image.fromarray(np.tile(np.arange(60, dtype=np.uint8), (40, 1))).convert("RGB")
    for kind in ("PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "ICO", "TGA"):
        file = io.BytesIO()
        image.save(file, kind)
        assert Decoder("pil")(file.getvalue()).mode == "RGB", kind
        if kind in ("PNG", "WEBP"):  # of others nobody knows where they end
            with pytest.raises(BadImageError):
                Decoder("pil")(file.getvalue()[: len(file.getvalue()) // 2])


def test_wrong_settings_say_what_is_expected() -> None:
    with pytest.raises(ValueError, match="'pil', 'tensor', 'bytes' or 'jpeg', found 'numpy'"):
        Decoder("numpy")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="min_side_px: expected 1 or more, found 0"):
        Decoder("pil", 0)
    with pytest.raises(ValueError, match="cannot be reduced"):
        Decoder("bytes", 10)
    with pytest.raises(ValueError, match="cannot be reduced"):
        Decoder("jpeg", 10)


def oriented(orientation: int) -> bytes:
    """A picture of 16×8 pixels with a light corner."""
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:4, :8] = 250
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", exif=exif, quality=95)
    return data.getvalue()


@pytest.mark.parametrize("orientation", range(10))
def test_images_are_upright(orientation: int) -> None:
    jpeg = oriented(orientation)
    stored = Image.open(io.BytesIO(jpeg))
    expected = ImageOps.exif_transpose(stored)
    assert np.array_equal(np.array(Decoder()(jpeg)), np.array(expected))
    tensor = Decoder("tensor")(jpeg)
    assert np.array_equal(tensor.permute(1, 2, 0).numpy(), np.array(expected))
    assert np.array_equal(np.array(Decoder(upright=False)(jpeg)), np.array(stored))
    assert Decoder("bytes")(jpeg) == jpeg


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow asks it for the resolution
def test_exif_that_is_damaged_turns_nothing() -> None:
    jpeg = oriented(6)
    place = jpeg.index(b"Exif")
    damaged = jpeg[: place + 6] + b"MM\0*" + b"\xff" * 8 + jpeg[place + 18 :]
    assert Decoder()(damaged).size == (16, 8)
