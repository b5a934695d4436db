"""From the bytes of an image file to the pixels that the published code saw.

That code used OpenCV's ``imread(path, IMREAD_COLOR)``. Pillow and simplejpeg give the same pixels,
all being built on libjpeg-turbo with its accurate integer DCT and smooth chroma upsampling: no
pixel of 17 JPEG photographs differs (Pillow 13.0 with libjpeg-turbo 3.2, OpenCV 5.0 with 3.1), nor
between Pillow and simplejpeg (1.8.2, 1.9.0) of 9,000 small JPEGs of all qualities, subsamplings and
orientations, some of them damaged. What differs is done here as OpenCV does it: CMYK, orientation,
transparency, 16 bits.

simplejpeg is for speed: `decode` takes 0.78 ms of one core for a 500×375 JPEG of 65 KB with it, and
1.02 ms with Pillow alone. Whatever it objects to is left to Pillow.
"""

from __future__ import annotations

import functools
import importlib
import io
import threading
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pass_dataset.extras import require
from pass_dataset.images.containers import read_frame
from pass_dataset.images.depths import with_eight_bits
from pass_dataset.images.frames import Frame
from pass_dataset.images.orientation import UPRIGHT, turn
from pass_dataset.images.outcomes import BadImageError, DecodedImage

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

__all__ = ["MAX_PIXELS", "SINGLE_COLOUR_RANGE", "decode", "installed_simplejpeg"]

#: Default limit, 67 million: more than the photographs of nearly all cameras; the face detector
#: needs some 3 GB of memory for an image of this size.
MAX_PIXELS = 1 << 26

#: Scans of a JPEG. Encoders make 10 of a photograph, and those that look for the smallest file less
#: than 100; libjpeg-turbo's own tests against hostile files stop at 500.
_MAX_SCANS = 500
#: Pixels that all scans together go over, where these are more than an image of the default size
#: may have: an empty scan of 67 million pixels takes 5 ms or more, one that refines 0.1 s.
_MAX_SCANNED_PIXELS = 1 << 31
_ALWAYS_SCANS = 32

#: An image is of a single colour if no channel's values span more than this.
#:
#: An exactly even image stays so as a JPEG of any quality. Noise too faint to see, of standard
#: deviation 0.5, comes out of JPEGs of quality 50 to 95 spanning 7 levels at most (60 colours each,
#: with and without chroma subsampling); the photograph of least contrast at hand spans 187.
SINGLE_COLOUR_RANGE = 8

#: Pixels that are compared side by side.
_ABREAST = 1024

#: Module and class of Pillow by name of format.
_OPENERS = {
    "AVIF": ("AvifImagePlugin", "AvifImageFile"),  # since Pillow 11.3
    "BMP": ("BmpImagePlugin", "BmpImageFile"),
    "GIF": ("GifImagePlugin", "GifImageFile"),
    "JPEG": ("JpegImagePlugin", "JpegImageFile"),
    "JPEG2000": ("Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "PNG": ("PngImagePlugin", "PngImageFile"),
    "PPM": ("PpmImagePlugin", "PpmImageFile"),
    "TIFF": ("TiffImagePlugin", "TiffImageFile"),
    "WEBP": ("WebPImagePlugin", "WebPImageFile"),
}

# Tags of TIFF 6.0.
_TILE_WIDTH, _TILE_LENGTH, _EXTRA_SAMPLES = 322, 323, 338

#: Warnings are silenced for the whole process, so one thread at a time may do it.
_SILENCED = threading.Lock()


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> DecodedImage:
    """The pixels of an image file as OpenCV's ``imread`` gives them, or why there are none.

    Of a file with several images, the first. Reads JPEG, PNG, GIF, WebP, TIFF, BMP, PPM, and JPEG
    2000 and AVIF where Pillow has them. Never raises because of what `data` holds.

    Args:
      data: the whole file.
      max_pixels: width times height that are decoded at most; the default is `MAX_PIXELS`.

    Raises:
      MissingExtraError: Pillow is not installed.
      MemoryError: there is no room for an image within the limit.
    """
    require("PIL", feature="Decoding images", extra="passify")
    try:
        pixels, pillow_pixels = _decode(data, max_pixels)
    except BadImageError as bad:
        return DecodedImage(bad.outcome, None, bad.width, bad.height, str(bad))
    height, width = pixels.shape[:2]
    if is_single_colour(pixels):
        blue, green, red = (int(value) for value in pixels[0, 0])
        message = f"every pixel is about red {red}, green {green}, blue {blue}"
        return DecodedImage("single-colour", pixels, width, height, message)
    return DecodedImage("ok", pixels, width, height, "", pillow_pixels)


def is_single_colour(pixels: np.ndarray[Any, Any]) -> bool:
    """True if every pixel is the same but for noise.

    Args:
      pixels: H×W×3 uint8.
    """
    # Some pixels tell it of nearly every photograph, in a hundredth of the time.
    for part in (pixels[::16, ::16], pixels):
        if (_over_all(np.max, part) - _over_all(np.min, part)).max() > SINGLE_COLOUR_RANGE:
            return False
    return True


def _over_all(extreme: Callable[..., Any], pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The highest or lowest value of each channel."""
    flat = pixels.reshape(-1, 3)
    # Many pixels side by side first: three values a row take twenty times as long.
    rows = len(flat) // _ABREAST
    wide = extreme(flat[: rows * _ABREAST].reshape(rows, -1), axis=0) if rows else flat[:0]
    found: np.ndarray[Any, Any] = extreme(
        np.concatenate([wide.reshape(-1, 3), flat[rows * _ABREAST :]]), axis=0
    )
    return found


def _decode(
    data: bytes, max_pixels: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
    """Pixels as OpenCV's reader gives them, and as Pillow's does if those are others."""
    found = read_frame(data)
    orientation = UPRIGHT
    if isinstance(found, Frame):
        _check_size(found.format, found.width, found.height, max_pixels)
        _check_scans(found)
        orientation = found.orientation
        if found.channels in (1, 3) and (sound := _sound_jpeg(found)) is not None:
            return turn(sound, orientation), None
        image = _open(found.format, found.stream)
    elif found == "TIFF":
        with _SILENCED, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = _open(found, data)
            _check_size(found, *image.size, max_pixels)
            _check_tiles(image, max_pixels)
            return _pixels(found, image), None
    else:
        image = _open(found, _as_avif(data) if found == "AVIF" else data)
        _check_size(found, *image.size, max_pixels)
    pixels = turn(_pixels(image.format or "", image), orientation)
    if image.mode == "CMYK" and image.format == "JPEG":
        return pixels, turn(_in_bgr_order(image.convert("RGB")), orientation)
    return pixels, None


def _as_avif(data: bytes) -> bytes:
    """An AVIF file with a major brand that Pillow knows it by."""
    return data[:8] + b"avif" + data[12:]


def _sound_jpeg(frame: Frame) -> np.ndarray[Any, Any] | None:
    """The pixels of a JPEG of colours or of grey to which libjpeg-turbo has no objection.

    None for all others, which are Pillow's; it also finds out what is wrong with them.
    """
    simplejpeg = installed_simplejpeg()
    if simplejpeg is None:
        return None

    pixels = np.empty((frame.height, frame.width, 3), np.uint8)
    try:
        found = simplejpeg.decode_jpeg(frame.stream, "BGR", buffer=pixels, strict=True)
    except ValueError as error:
        # libjpeg's JWRN_HIT_MARKER, which it meets by filling the rest with grey: the file was cut,
        # and whatever cut it has put an end marker behind.
        if "premature end of data segment" in str(error):
            raise BadImageError(
                "truncated",
                "JPEG whose coded data ends before the image does",
                frame.width,
                frame.height,
            ) from error
        return None
    return pixels if found.shape == pixels.shape else None


@functools.cache
def installed_simplejpeg() -> Any:
    """simplejpeg, or None if it is not installed: Pillow gives the same pixels, more slowly."""
    try:
        return importlib.import_module("simplejpeg")
    except ImportError:
        return None


def _check_size(name: str, width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise BadImageError(
            "too-large",
            f"{name} of {width:,}×{height:,} pixels: more than the limit of {max_pixels:,}",
            width,
            height,
        )


def _check_scans(frame: Frame) -> None:
    """Each scan of a JPEG may go over all of its pixels, and takes but some bytes of the file."""
    most = min(_MAX_SCANS, max(_ALWAYS_SCANS, _MAX_SCANNED_PIXELS // (frame.width * frame.height)))
    if frame.scans > most:
        raise BadImageError(
            "too-large",
            f"JPEG of {frame.width:,}×{frame.height:,} pixels in {frame.scans:,} scans: more than "
            f"the limit of {most:,}",
            frame.width,
            frame.height,
        )


def _check_tiles(image: ImageFile, max_pixels: int) -> None:
    """A TIFF may state tiles larger than the image, which libtiff would allocate."""
    tags: Any = image.tag_v2  # type: ignore[attr-defined]
    width, height = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_LENGTH, 0)
    if not (isinstance(width, int) and isinstance(height, int)):
        raise BadImageError("damaged", "TIFF with tiles of no size", *image.size)
    if width * height > max_pixels:
        raise BadImageError(
            "too-large",
            f"TIFF in tiles of {width:,}×{height:,} pixels: more than the limit of {max_pixels:,}",
            *image.size,
        )


def _open(name: str, stream: bytes) -> ImageFile:
    """Pillow's view of the file; no pixels yet.

    The classes of the formats are named: ``Image.open`` would try others, and check the size by a
    limit of its own.
    """
    try:
        return _opener(name)(io.BytesIO(stream))
    except (MemoryError, BadImageError):
        raise
    except Exception as error:
        raise _damaged(name, error) from error


@functools.cache
def _opener(name: str) -> Callable[[io.BytesIO], ImageFile]:
    module, opener = _OPENERS[name]
    try:
        return cast("type[ImageFile]", getattr(importlib.import_module(f"PIL.{module}"), opener))
    except ImportError as error:
        raise BadImageError("unsupported", f"this Pillow does not read {name}") from error


def _damaged(name: str, error: Exception) -> BadImageError:
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError) and "truncated" in text:
        return BadImageError("truncated", f"{name}: {text}")
    if isinstance(error, SyntaxError) and text.startswith(("unknown", "cannot handle")):
        return BadImageError("unsupported", f"{name}: {text}")
    return BadImageError("damaged", f"{name}: {text}")


def _pixels(name: str, image: ImageFile) -> np.ndarray[Any, Any]:
    try:
        image.load()
        return _bgr(name, image)
    except (MemoryError, BadImageError):
        raise
    except Exception as error:
        bad = _damaged(name, error)
        bad.width, bad.height = image.size
        raise bad from error


def _bgr(name: str, image: Any) -> np.ndarray[Any, Any]:
    """H×W×3 uint8 BGR of a loaded image, by OpenCV's rules."""
    image = with_eight_bits(image, name)
    mode = image.mode
    if mode == "CMYK" and name == "JPEG":
        return _from_adobe_cmyk(np.asarray(image))
    if mode == "RGBA" and name == "TIFF" and image.tag_v2.get(_EXTRA_SAMPLES, (0,))[0]:
        # libtiff, which OpenCV asks for colours, multiplies by the transparency (`BuildMapUaToAa`).
        rgba = np.asarray(image).astype(np.uint32)
        return ((rgba[:, :, 2::-1] * rgba[:, :, 3:] + 127) // 255).astype(np.uint8)
    if mode == "P" and name == "GIF":
        image = _on_background(image)
    if mode == "LA":
        image = image.getchannel(0)
    if image.mode not in ("RGB", "RGBA", "RGBX"):
        image = image.convert("RGB")
    return _in_bgr_order(image)


def _in_bgr_order(image: Any) -> np.ndarray[Any, Any]:
    # Unlike asarray, this reorders while it copies.
    flat = np.frombuffer(image.tobytes("raw", "BGR"), np.uint8)
    return flat.reshape(image.height, image.width, 3)


def _on_background(image: Any) -> Any:
    """A GIF whose transparent pixels have the background colour, as OpenCV paints it."""
    transparent = image.info.pop("transparency", None)
    background = image.info.get("background")
    if transparent is None or background is None:
        return image
    return image.point([background if i == transparent else i for i in range(256)])


def _from_adobe_cmyk(inks: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """BGR from the inks of a JPEG, H×W×4 uint8, as Pillow gives them.

    OpenCV's arithmetic (``icvCvt_CMYK2BGR_8u_C4C3R``) on inks as stored, which Adobe inverts and
    Pillow has turned round. Pillow's own conversion differs by a level or two.
    """
    stored = 255 - inks.astype(np.int32)
    black = stored[:, :, 3:]
    bgr = black - (((255 - stored[:, :, 2::-1]) * black) >> 8)
    return bgr.astype(np.uint8)
