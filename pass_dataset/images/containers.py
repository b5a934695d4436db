"""Other formats: which one a file has, and how large its first image is.

The size has to be known before Pillow is asked wherever Pillow allocates on opening.
"""

from __future__ import annotations

import re

from pass_dataset.images.exif import EXIF_START
from pass_dataset.images.frames import Frame
from pass_dataset.images.jpeg import read_jpeg
from pass_dataset.images.orientation import UPRIGHT, exif_orientation
from pass_dataset.images.outcomes import BadImageError
from pass_dataset.images.png import SIGNATURE as PNG_SIGNATURE
from pass_dataset.images.png import read_png

__all__ = ["read_frame"]

_GIF_SIGNATURES = (b"GIF87a", b"GIF89a")
_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JPEG_2000_SIGNATURES = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
#: Brands of ISO base media files. Those of HEIF itself (mif1, msf1, miaf) say nothing of the
#: coding: what does is among the compatible ones (AV1 Image File Format 1.1, section 6).
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"miaf"})
#: Files name a handful of brands; a box that claims more is not read on.
_MOST_BRAND_BYTES = 1024
_MOST_PPM_HEADER_BYTES = 1 << 16
_PPM_SIZE = re.compile(rb"P[1-6](?:(?:\s|#[^\r\n]*[\r\n])+\d+){2}")
_BMP_HEADER_BYTES = (12, 16, 40, 52, 56, 64, 108, 124)
#: Images all the same, and not to be called anything else.
_UNSUPPORTED = {
    b"8BPS": "Photoshop",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"\0\0\1\0": "Windows icon",
    b"\x76\x2f\x31\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"<svg": "SVG",
    b"%!PS": "PostScript",
    b"%PDF": "PDF",
}


def read_frame(data: bytes) -> Frame | str:
    """The first image of a file; or only its format, where Pillow may open it to find out.

    Raises:
      BadImageError: empty, of no or no supported format, truncated or damaged.
    """
    if not data:
        raise BadImageError("empty", "no bytes")
    if data.startswith(b"\xff\xd8\xff"):
        return read_jpeg(data)
    if data.startswith(PNG_SIGNATURE):
        return read_png(data)
    if data.startswith(_GIF_SIGNATURES):
        return _read_gif(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _read_webp(data)
    if data.startswith(_TIFF_SIGNATURES):
        return "TIFF"
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in (
        12,
        16,
        *range(40, 125),
    ):
        return "BMP"
    if data[:1] == b"P" and data[1:2] in b"123456" and data[2:3].isspace():
        # Pillow reads a comment byte by byte, which takes half a minute for one of 20 MB.
        if len(data) > _MOST_PPM_HEADER_BYTES and not _PPM_SIZE.match(
            data, 0, _MOST_PPM_HEADER_BYTES
        ):
            raise BadImageError(
                "damaged", f"PPM whose size is not in its first {_MOST_PPM_HEADER_BYTES:,} bytes"
            )
        return "PPM"
    if data.startswith(_JPEG_2000_SIGNATURES):
        return "JPEG2000"
    if _AVIF_BRANDS.intersection(_brands(data)):
        return "AVIF"
    raise _unknown(data)


def _brands(data: bytes) -> list[bytes]:
    """The brands of an ISO base media file, the major one first; none of other files."""
    if data[4:8] != b"ftyp":
        return []
    # Major brand, version, compatible brands.
    box = data[8 : min(int.from_bytes(data[:4], "big"), _MOST_BRAND_BYTES)]
    return [box[:4], *(box[start : start + 4] for start in range(8, len(box), 4))]


def _unknown(data: bytes) -> BadImageError:
    names = [name for signature, name in _UNSUPPORTED.items() if data.startswith(signature)]
    if _HEIF_BRANDS.intersection(_brands(data)):
        names.append("HEIF")
    if names:
        return BadImageError("unsupported", f"the format {names[0]} is not decoded here")
    # Headers go first when a download breaks off, so a very short file has no format to tell.
    if len(data) < 4 and any(
        known.startswith(data) for known in (b"\xff\xd8\xff", PNG_SIGNATURE, b"GIF8", b"RIFF")
    ):
        return BadImageError("truncated", f"only {len(data)} bytes")
    return BadImageError("not-an-image", f"begins with {data[:16]!r}, as no image format does")


def _read_gif(data: bytes) -> Frame:
    screen = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    position = 13 + _palette_bytes(data[10:11])
    while True:
        block = data[position : position + 1]
        if block == b"!":
            position += 2
            while length := data[position : position + 1]:
                position += 1 + length[0]
                if length == b"\0":
                    break
        elif block == b",":
            left, top, width, height = (
                int.from_bytes(data[position + at : position + at + 2], "little")
                for at in (1, 3, 5, 7)
            )
            if position + 10 > len(data):
                raise BadImageError("truncated", "GIF without any image", *screen)
            # An image that reaches over the screen makes it larger, in Pillow.
            size = max(screen[0], left + width), max(screen[1], top + height)
            if not (width and height):
                raise BadImageError("damaged", f"GIF of {width}×{height} pixels", *size)
            return Frame("GIF", *size, UPRIGHT, data)
        elif not block:
            raise BadImageError("truncated", "GIF without any image", *screen)
        elif block == b"\0":
            position += 1  # Padding, which decoders pass over.
        else:
            raise BadImageError("damaged", "GIF without any image", *screen)


def _palette_bytes(flags: bytes) -> int:
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _read_webp(data: bytes) -> Frame:
    kind = data[12:16]
    if len(data) < 30:
        raise BadImageError("truncated", "WebP that ends within its headers")
    orientation = UPRIGHT
    if kind == b"VP8 ":
        width = int.from_bytes(data[26:28], "little") & 0x3FFF
        height = int.from_bytes(data[28:30], "little") & 0x3FFF
    elif kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    elif kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        orientation = _webp_orientation(data)
    else:
        raise BadImageError("damaged", f"WebP that begins with a chunk named {kind!r}")
    if len(data) < int.from_bytes(data[4:8], "little") + 8:
        raise BadImageError("truncated", "WebP without its end", width, height)
    return Frame("WEBP", width, height, orientation, data)


def _webp_orientation(data: bytes) -> int:
    position = 12
    while position + 8 <= len(data):
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        if data[position : position + 4] == b"EXIF":
            exif = data[position + 8 : position + 8 + length]
            return exif_orientation(exif.removeprefix(EXIF_START))
        position += 8 + length + length % 2
    return UPRIGHT
