from __future__ import annotations

import struct

from hypothesis import example, given
from hypothesis import strategies as st

from pass_dataset.images.containers import read_frame
from pass_dataset.images.exif import EXIF_START
from pass_dataset.images.jpeg_headers import APP0, APP1, SOS, JpegHeaderError, segments
from pass_dataset.images.orientation import exif_orientation
from pass_dataset.images.outcomes import OUTCOMES, BadImageError
from pass_dataset.reports.stats.cameras import camera_of
from pass_dataset.reports.stats.headers import read_header
from tests.properties.damage import damaged

FRAME = 0xC0
sides = st.integers(1, 0xFFFF)
#: Markers of segments that may stand before the frame.
markers = st.sampled_from([APP0, APP1, 0xED, 0xEE, 0xFE, 0xDB, 0xC4])
contents = st.lists(st.tuples(markers, st.binary(max_size=50)), max_size=5)
orientations = st.integers(1, 8)
texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg(width: int, height: int, before: list[tuple[int, bytes]], components: int = 3) -> bytes:
    """A JPEG's headers, an empty scan and its end."""
    frame = struct.pack(">BHHB", 8, height, width, components) + b"\1\x11\0" * components
    parts = [segment(marker, content) for marker, content in before]
    scan = segment(SOS, b"\1\1\0\0\x3f\0")
    return b"".join([b"\xff\xd8", *parts, segment(FRAME, frame), scan, b"\xff\xd9"])


def exif(order: str, make: str, orientation: int) -> bytes:
    """EXIF data with a maker and an orientation; `order` is of `struct`."""
    text = make.encode() + b"\0\0\0\0"
    head = b"II*\0" if order == "<" else b"MM\0*"
    directory = struct.pack(f"{order}IH", 8, 2)
    directory += struct.pack(f"{order}HHII", 0x010F, 2, len(text), 8 + 2 + 24 + 4)
    directory += struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return head + directory + bytes(4) + text


@given(sides, sides, contents, st.integers(1, 4))
def test_jpeg(width: int, height: int, before: list[tuple[int, bytes]], components: int) -> None:
    data = jpeg(width, height, before, components)
    found = list(segments(data))
    told = [(one.marker, data[one.start : one.end]) for one in found if one.marker != SOS]
    assert told[:-1] == before
    assert found[-1].marker == SOS
    header = read_header(data)
    assert (header.width, header.height, header.components) == (width, height, components)
    frame = read_frame(data)
    assert not isinstance(frame, str)
    assert (frame.width, frame.height, frame.channels) == (width, height, components)


@given(st.sampled_from("<>"), texts, orientations)
def test_exif(order: str, make: str, orientation: int) -> None:
    tiff = exif(order, make, orientation)
    assert exif_orientation(tiff) == orientation
    assert camera_of(tiff).make == make
    data = jpeg(10, 20, [(APP1, EXIF_START + tiff)])
    assert read_header(data).camera.make == make
    frame = read_frame(data)
    assert not isinstance(frame, str)
    assert frame.orientation == orientation


def check(data: bytes) -> None:
    """Whatever the bytes: headers, or an error of ours."""
    try:
        frame = read_frame(data)
    except BadImageError as error:
        assert error.outcome in OUTCOMES
    else:
        assert isinstance(frame, str) or frame.width >= 0
        assert isinstance(frame, str) or len(frame.stream) <= len(data)
    try:
        header = read_header(data)
    except JpegHeaderError:
        pass
    else:
        assert header.width > 0


WEBP = b"RIFF\0\0\0\0WEBP"
starts = st.sampled_from(
    [
        *(b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", WEBP, WEBP + b"VP8X"),
        *(b"II*\0", b"BM", b"P6\n", b"\0\0\0\x18ftypavif", b""),
    ]
)


@given(starts, st.binary(max_size=300))
@example(b"\xff\xd8\xff", b"")
@example(b"\xff\xd8\xff", b"\xc0\0\x02\xff\xd9")
@example(b"GIF89a", b"\0" * 7 + b"!")
@example(b"\x89PNG\r\n\x1a\n", b"\0\0\0\x0dIHDR")
def test_any_bytes(start: bytes, rest: bytes) -> None:
    check(start + rest)


@given(st.data(), sides, sides, contents)
def test_damaged_jpeg(
    data: st.DataObject, width: int, height: int, before: list[tuple[int, bytes]]
) -> None:
    check(data.draw(damaged(jpeg(width, height, before))))


@given(st.data(), st.sampled_from("<>"), texts, orientations)
def test_damaged_exif(data: st.DataObject, order: str, make: str, orientation: int) -> None:
    tiff = data.draw(damaged(exif(order, make, orientation)))
    assert 1 <= exif_orientation(tiff) <= 8
    assert camera_of(tiff).make != ""


@given(scans=st.integers(1, 40), progressive=st.booleans(), components=st.sampled_from([1, 3]))
@example(scans=600, progressive=True, components=3)
def test_scans_are_counted(scans: int, progressive: bool, components: int) -> None:
    data = jpeg(10, 20, [], components)
    if progressive:
        data = data.replace(b"\xff\xc0", b"\xff\xc2", 1)
    scan = data.index(b"\xff\xda")
    more = data[:-2] + data[scan:-2] * (scans - 1) + b"\xff\xd9"
    in_first = data[scan + 4]
    expected = scans if progressive or in_first < components else 1
    frame = read_frame(more)
    assert not isinstance(frame, str)
    assert frame.scans == expected
