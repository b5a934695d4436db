"""Maker and model in EXIF data, whole and damaged."""

from __future__ import annotations

import pytest

from pass_dataset.reports.stats.cameras import NO_CAMERA, camera_of
from tests.reports.stats.headers import exif


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("make", "model"),
    [("Canon", "Canon EOS 400D"), ("HP", "C 1"), (None, "X-Pro1"), ("NIKON", None), (None, None)],
)
def test_names(order, make: str | None, model: str | None) -> None:
    assert camera_of(exif(make, model, order)) == (make, model)


def test_names_are_tidied() -> None:
    found = camera_of(exif("  SONY \n ", "x" * 500))
    assert found == ("SONY", "x" * 64)
    assert camera_of(exif("   ", "a\x07b")) == (None, "a b")
    assert camera_of(exif("Caf\xe9", None)).make == "Caf��"


def test_pillow_writes_the_same() -> None:
    image = pytest.importorskip("PIL.Image")
    data = image.Exif()
    data[0x10F], data[0x110] = "Panasonic", "DMC-FZ8"
    assert camera_of(data.tobytes().removeprefix(b"Exif\0\0")) == ("Panasonic", "DMC-FZ8")


def test_damage_names_no_camera() -> None:
    """No cut and no wild number makes an error, or is taken for a name."""
    whole = exif("Canon", "Canon EOS 400D")
    for end in range(len(whole)):
        make, model = camera_of(whole[:end])
        assert "Canon".startswith(make or "")
        assert "Canon EOS 400D".startswith(model or "")
    assert camera_of(b"") == NO_CAMERA
    assert camera_of(b"II*\0\xff\xff\xff\xff") == NO_CAMERA
    assert camera_of(whole.replace(b"II*\0", b"II+\0")) == NO_CAMERA
    # A name of another type, and one that lies beyond the data.
    assert camera_of(whole.replace(b"\x0f\x01\x02", b"\x0f\x01\x03")).make is None
    assert camera_of(whole[:18] + b"\xff\xff\xff\x7f" + whole[22:]).make is None
