"""Marker segments of JPEG files, whole and cut."""

from __future__ import annotations

import pytest

from pass_dataset.archives.ensure import open_mini
from pass_dataset.images.jpeg_headers import FRAMES, SOS, JpegHeaderError, frame_size, segments


def test_every_cut_is_told_from_damage() -> None:
    """Until the scan, more bytes might help, wherever the file ends."""
    jpeg = open_mini()[0].jpeg
    whole = list(segments(jpeg))
    assert whole[-1].marker == SOS
    (frame,) = (segment for segment in whole if segment.marker in FRAMES)
    assert frame_size(jpeg[frame.start : frame.end]) == (500, 333)
    for end in range(2, whole[-1].end):
        with pytest.raises(JpegHeaderError) as caught:
            list(segments(jpeg[:end]))
        assert caught.value.is_truncated
    assert list(segments(jpeg[: whole[-1].end])) == whole


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (b"\xff\xd8\xff\xe0\x00\x01", "no length"),
        (b"\xff\xd8\xff\xd9\x00\x00", "marker FFD9 before any scan"),
    ],
)
def test_damage(headers: bytes, message: str) -> None:
    with pytest.raises(JpegHeaderError, match=message) as caught:
        list(segments(headers))
    assert not caught.value.is_truncated


@pytest.mark.parametrize(
    ("header", "message"),
    [(b"\x08\x00\x10", "too short"), (b"\x08\x00\x00\x00\x10\x03", "16×0 pixels")],
)
def test_frame_of_nothing(header: bytes, message: str) -> None:
    with pytest.raises(JpegHeaderError, match=message):
        frame_size(header)


def test_megabytes_of_fill_bytes() -> None:
    """Passed over at once, not one by one."""
    with pytest.raises(JpegHeaderError, match="ends before any scan"):
        list(segments(b"\xff\xd8" + b"\xff" * (1 << 22)))
