"""JPEG files: the frame, the orientation, and a stream that holds nothing else.

Walking the markers here rather than in Pillow tells a truncated file from a damaged one whatever
Pillow's global settings are, knows the size before anything is allocated, skips what libjpeg
skips, and keeps Pillow from parsing metadata, about which it warns. It takes some 10 µs a file.
"""

from __future__ import annotations

from pass_dataset.images.exif import EXIF_START
from pass_dataset.images.frames import Frame
from pass_dataset.images.jpeg_headers import (
    APP0,
    APP1,
    FRAMES,
    SOS,
    JpegHeaderError,
    frame_size,
    segments,
)
from pass_dataset.images.orientation import UPRIGHT, exif_orientation
from pass_dataset.images.outcomes import BadImageError, Outcome

__all__ = ["read_jpeg"]

_APP14, _APP15, _COM = 0xEE, 0xEF, 0xFE
#: JFIF and Adobe segments say what the components mean; no other application segment matters.
_DROPPED = (frozenset(range(APP0, _APP15 + 1)) - {APP0, _APP14}) | {_COM}
#: Marker and length of a segment, before its content.
_SEGMENT_HEADER_BYTES = 4
#: Frames whose coefficients come in several scans, bit by bit.
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})


def read_jpeg(data: bytes) -> Frame:
    """Size and orientation of a JPEG file, and a stream without its metadata.

    Raises:
      BadImageError: truncated or damaged.
    """
    kept = [data[:2]]
    size: tuple[int, int] | None = None
    channels = 0
    is_progressive = False
    in_first_scan = 0
    exif: bytes | None = None
    end = 2
    try:
        for marker, start, end in segments(data):
            if marker in FRAMES and size is None:
                header = data[start:end]
                size, channels = frame_size(header), header[5]
                is_progressive = marker in _PROGRESSIVE
            if marker == SOS and start < end:
                in_first_scan = data[start]
            if marker == APP1 and exif is None:
                # OpenCV looks at the first only, and not at what it begins with.
                exif = data[start + len(EXIF_START) : end]
            if marker not in _DROPPED:
                kept.append(data[start - _SEGMENT_HEADER_BYTES : end])
    except JpegHeaderError as error:
        outcome: Outcome = "truncated" if error.is_truncated else "damaged"
        raise BadImageError(outcome, str(error), *(size or ())) from error
    if size is None:
        raise BadImageError("damaged", "JPEG with a scan but no frame header")
    # Within coded data FF is followed by 00 or a restart, so this can only be the end marker.
    if data.rfind(b"\xff\xd9", end) < 0:
        raise BadImageError("truncated", "JPEG without an end marker", *size)
    kept.append(data[end:])
    orientation = UPRIGHT if exif is None else exif_orientation(exif)
    # Within coded data no marker of a scan can be. Where all is in one, a decoder stops after it.
    has_several = is_progressive or in_first_scan < channels
    scans = 1 + data.count(bytes([0xFF, SOS]), end) if has_several else 1
    return Frame("JPEG", *size, orientation, b"".join(kept), channels, scans)
