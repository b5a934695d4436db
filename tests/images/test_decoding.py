"""Pixels as OpenCV's `imread` gives them, and every file that gives none with its reason."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import threading
import tracemalloc
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")
ImageOps = pytest.importorskip("PIL.ImageOps")

from pass_dataset.images import decoding  # noqa: E402
from pass_dataset.images.decoding import MAX_PIXELS, SINGLE_COLOUR_RANGE, decode  # noqa: E402
from pass_dataset.images.outcomes import OUTCOMES  # noqa: E402

WIDTH, HEIGHT = 101, 67
RNG = np.random.default_rng(5)
COLOURS = RNG.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
GREYS = RNG.integers(0, 65536, (HEIGHT, WIDTH)).astype(np.uint16)


def encode(image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def picture(mode: str):
    """Noise: every mistake about order, levels or subsampling shows."""
    if mode == "I;16":
        return Image.fromarray(GREYS)
    image = Image.fromarray(COLOURS)
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.fromarray(COLOURS[:, :, 1]))
    return image.quantize(64) if mode == "P" else image.convert(mode)


def jpeg_of_scans(width: int, height: int, scans: int) -> bytes:
    """A progressive JPEG of one grey component: the averages, and scans that add nothing."""

    def segment(marker: int, content: bytes) -> bytes:
        return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content

    blocks = -(-width // 8) * -(-height // 8)
    assert 2**14 <= blocks < 2**15  # one run of empty blocks
    parts = [
        b"\xff\xd8",
        segment(0xDB, b"\0" + b"\1" * 64),
        segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"),
        segment(0xC4, b"\0" + b"\1" + b"\0" * 15 + b"\0"),
        segment(0xDA, b"\1\1\0\0\0\0") + bytes(-(-blocks // 8)),
        segment(0xC4, b"\x10" + b"\1" + b"\0" * 15 + b"\xe0"),
    ]
    bits = "0" + format(blocks - 2**14, "014b") + "1"
    run = int(bits, 2).to_bytes(2, "big").replace(b"\xff", b"\xff\0")
    parts += [segment(0xDA, b"\1\1\0\1\x3f\0") + run] * (scans - 1)
    return b"".join([*parts, b"\xff\xd9"])


def png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png_of(width: int, height: int) -> bytes:
    """The headers of a PNG of any size, and too little data."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


# --- pixels ---------------------------------------------------------------------------------------

KINDS = [
    *[("JPEG", mode, {}) for mode in ("RGB", "L", "CMYK")],
    ("JPEG", "RGB", {"progressive": True}),
    ("JPEG", "CMYK", {"progressive": True}),
    ("JPEG", "RGB", {"subsampling": 0}),
    ("JPEG", "RGB", {"subsampling": 1}),
    ("JPEG", "RGB", {"subsampling": 2, "quality": 30}),
    *[("PNG", mode, {}) for mode in ("RGB", "L", "RGBA", "LA", "1", "P", "I;16")],
    ("PNG", "P", {"bits": 2}),
    ("PNG", "P", {"transparency": bytes(range(64))}),
    ("PNG", "RGB", {"transparency": (1, 2, 3)}),
    *[("TIFF", mode, {}) for mode in ("RGB", "L", "RGBA", "LA", "1", "P", "CMYK", "I;16")],
    ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    *[("WEBP", mode, {}) for mode in ("RGB", "RGBA")],
    ("WEBP", "RGBA", {"lossless": True}),
    *[("GIF", mode, {}) for mode in ("P", "L")],
    *[("BMP", mode, {}) for mode in ("RGB", "RGBA", "L", "1", "P")],
    *[("PPM", mode, {}) for mode in ("RGB", "L", "1", "I;16")],
]


@pytest.mark.parametrize(("kind", "mode", "options"), KINDS, ids=str)
def test_pixels_are_those_of_opencv(kind: str, mode: str, options: dict) -> None:
    cv2 = pytest.importorskip("cv2")
    data = encode(picture(mode), kind, **options)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    found = decode(data)
    assert (found.outcome, found.message) == ("ok", "")
    assert (found.width, found.height) == (WIDTH, HEIGHT)
    assert found.pixels.dtype == np.uint8
    assert np.array_equal(found.pixels, expected)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(("suffix", "levels"), [(".png", 0), (".tif", 1)])
def test_sixteen_bits_a_colour(suffix: str, levels: int, channels: int) -> None:
    """Pillow drops the low byte; libtiff, which OpenCV uses, rounds."""
    cv2 = pytest.importorskip("cv2")
    colours = RNG.integers(0, 65536, (HEIGHT, WIDTH, channels)).astype(np.uint16)
    data = cv2.imencode(suffix, colours)[1]
    expected = cv2.imdecode(data, cv2.IMREAD_COLOR)
    found = decode(data.tobytes()).pixels
    assert np.abs(found.astype(int) - expected).max() <= levels


def test_lossless_formats_give_the_pixels_back() -> None:
    for kind in ("PNG", "TIFF", "BMP", "PPM"):
        assert np.array_equal(decode(encode(picture("RGB"), kind)).pixels, COLOURS[:, :, ::-1])


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0110] = "a camera of some name"
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(picture("RGB"), kind, exif=exif, **options)
    upright = decode(encode(picture("RGB"), kind, **options)).pixels
    expected = {
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[:, ::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[::-1],
    }.get(orientation, upright)
    found = decode(data)
    assert np.array_equal(found.pixels, expected)
    assert (found.height, found.width) == expected.shape[:2]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "MPO"])
def test_first_of_several(kind: str) -> None:
    mode = "P" if kind == "GIF" else "RGB"
    other = Image.new("RGB", (WIDTH, HEIGHT), "red").convert(mode)
    options = {"lossless": True} if kind == "WEBP" else {}
    alone = encode(picture(mode), "JPEG" if kind == "MPO" else kind, **options)
    both = encode(picture(mode), kind, save_all=True, append_images=[other], **options)
    assert np.array_equal(decode(both).pixels, decode(alone).pixels)


def test_transparent_gif_shows_its_background() -> None:
    cv2 = pytest.importorskip("cv2")
    data = encode(picture("P"), "GIF", transparency=3, background=5)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(decode(data).pixels, expected)


def test_photographs_are_those_of_opencv(photographs: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    for path in sorted(photographs.iterdir()):
        if not path.name.startswith("bad_"):
            found = decode(path.read_bytes())
            assert found.outcome == "ok", path.name
            assert np.array_equal(found.pixels, cv2.imread(str(path))), path.name


@pytest.mark.parametrize("orientation", [1, 6])
def test_inks_as_either_reader_gives_them(orientation: int) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 4)).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    Image.frombytes("CMYK", (60, 40), noise.tobytes()).save(stream, "JPEG", exif=exif)
    found = decode(stream.getvalue())
    with Image.open(stream) as file:
        expected = np.asarray(ImageOps.exif_transpose(file).convert("RGB"))[:, :, ::-1]
    assert np.array_equal(found.pixels_by("pillow"), expected)
    difference = np.abs(found.pixels_by("opencv").astype(int) - expected)
    assert 1 <= difference.max() <= 2


def test_photograph_is_the_same_for_either_reader() -> None:
    found = decode(encode(Image.new("RGB", (30, 20), (9, 99, 200)), "JPEG"))
    assert found.pixels_by("pillow") is found.pixels_by("opencv") is found.pixels


def test_metadata_do_not_matter() -> None:
    """Garbage where metadata should be, and between segments, is passed over as libjpeg does it."""
    data = encode(picture("RGB"), "JPEG")
    expected = decode(data).pixels
    exif = b"\xff\xe1\x00\x40Exif\0\0II*\0" + b"\xee" * 52
    mpf = b"\xff\xe2\x00\x10MPF\0" + b"\x01" * 10
    for extra in (exif, mpf, exif + mpf, b"\xff\xff\xff", b"garbage\xff\0", b"\xff\xd0"):
        changed = data[:2] + extra + data[2:] if extra[0] == 0xFF else data[:20] + extra + data[20:]
        assert np.array_equal(decode(changed).pixels, expected), extra


# --- reasons --------------------------------------------------------------------------------------

BROKEN = {
    "bad_empty.jpg": "empty",
    "bad_garbage_in_header.jpg": "not-an-image",
    "bad_html.jpg": "not-an-image",
    "bad_single_color.jpg": "single-colour",
    "bad_truncated.jpg": "truncated",
}


def test_broken_files_have_their_reason(photographs: Path) -> None:
    paths = sorted(photographs.glob("bad_*"))
    assert {path.name: decode(path.read_bytes()).outcome for path in paths} == BROKEN


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.97])
def test_truncated(kind: str, share: float) -> None:
    data = encode(picture("P" if kind == "GIF" else "RGB"), kind)
    found = decode(data[: int(len(data) * share)])
    assert found.outcome == "truncated"
    assert found.message
    assert found.pixels is None


def test_jpeg_that_only_lacks_its_end() -> None:
    data = encode(picture("RGB"), "JPEG")
    found = decode(data[:-2])
    assert (found.outcome, found.width, found.height) == ("truncated", WIDTH, HEIGHT)
    assert decode(data + b"more").outcome == "ok"


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (b"", "empty"),
        (b"\xff\xd8", "truncated"),
        (b"\xff\xd8\xff", "truncated"),
        (b"\xff\xd8\xff\xd9", "damaged"),
        (b"\xff\xd8\xff\xda\0\x08" + b"\0" * 20, "damaged"),
        (b"<!DOCTYPE html><html>", "not-an-image"),
        (b"{}", "not-an-image"),
        (b"\0" * 5000, "not-an-image"),
        (b"BM, said the poet, and wrote no bitmap", "not-an-image"),
        (b"8BPS\0\1", "unsupported"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "unsupported"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "damaged"),
        (b"GIF89a\1\0\1\0\0\0\0;", "damaged"),
        (png_of(10, 10).replace(b"IDAT", b"IDAX"), "damaged"),
        (png_of(0, 10), "damaged"),
    ],
)
def test_reasons(data: bytes, outcome: str) -> None:
    found = decode(data)
    assert found.outcome == outcome
    assert found.message
    assert not found.is_ok


def test_damaged_chunk_of_png() -> None:
    data = bytearray(encode(picture("RGB"), "PNG"))
    data[len(data) // 2] ^= 0x10
    assert decode(bytes(data)).outcome == "damaged"


# --- limits ---------------------------------------------------------------------------------------


def bombs() -> dict[str, bytes]:
    gif = b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\0\0\0"
    gif_frame = b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x08\x01\0\0;"
    webp = b"VP8X" + struct.pack("<I", 10) + b"\0" * 4 + b"\xff\x3f\0" * 2 + b"\0" * 50
    bmp = struct.pack("<IiiHHIIiiII", 40, 30000, -30000, 1, 24, 0, 0, 0, 0, 0, 0)
    entries = [(256, 4, 30000), (257, 4, 30000), (258, 3, 8), (262, 3, 1), (273, 4, 8), (279, 4, 9)]
    tiff = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    jpeg = bytearray(encode(picture("RGB"), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 60000, 60000)
    return {
        "png": png_of(30000, 30000),
        "largest png": png_of(2**31 - 1, 2**31 - 1),
        "jpeg": bytes(jpeg),
        "gif": gif + gif_frame,
        "gif frame": gif.replace(b"\xff\xff\xff\xff", b"\1\0\1\0") + gif_frame,
        "webp": b"RIFF" + struct.pack("<I", len(webp) + 4) + b"WEBP" + webp,
        "bmp": b"BM" + struct.pack("<IHHI", 100, 0, 0, 54) + bmp + b"\0" * 50,
        "tiff": b"II*\0" + struct.pack("<IH", 8, len(entries)) + tiff + b"\0" * 4,
        "ppm": b"P6 30000 30000 255\n" + b"\0" * 50,
    }


@pytest.mark.parametrize("name", bombs())
def test_bomb_is_refused_unexploded(name: str) -> None:
    data = bombs()[name]
    decode(data)  # What is imported does not count.
    tracemalloc.start()
    try:
        found = decode(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.outcome == "too-large"
    assert f"more than the limit of {MAX_PIXELS:,}" in found.message
    assert found.width * found.height > MAX_PIXELS
    assert peak < 1e6


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells it so")
def test_bombs_take_no_memory_of_the_process() -> None:
    """`tracemalloc` does not see what libraries allocate; the system does."""
    code = """
from pathlib import Path
from tests.images.test_decoding import bombs, decode, encode, picture

def most():
    # Kilobytes, of this process alone: `getrusage` begins with what its parent had.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))

for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM"):
    decode(encode(picture("P" if kind == "GIF" else "RGB"), kind))
files = bombs().values()
before = most()
assert all(decode(data).outcome == "too-large" for data in files)
print(most() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 20_000  # kilobytes


def test_real_png_of_900_million_pixels_is_refused() -> None:
    """One that would decode: 12 MB that stand for 2.7 GB."""
    # Ten rows, which stand as they are anywhere in the stream: after a full flush nothing is known.
    squeeze = zlib.compressobj(1, wbits=-15)
    rows = squeeze.compress(b"\0" * 90_001 * 10) + squeeze.flush(zlib.Z_FULL_FLUSH)
    sum_of_zeros = struct.pack(">HH", 90_001 * 30_000 % 65_521, 1)  # RFC 1950, Adler-32
    data = b"\x78\x01" + rows * 3000 + b"\x03\0" + sum_of_zeros
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    file = b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)
    found = decode(file)
    assert (found.outcome, found.width, found.height) == ("too-large", 30_000, 30_000)


def test_tiff_with_giant_tiles() -> None:
    data = bombs()["tiff"].replace(struct.pack("<HHII", 256, 4, 1, 30000), b"\0" * 12)
    entries = [(256, 10), (257, 10), (258, 8), (262, 1), (322, 60000), (323, 60000), (324, 8)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + b"\0" * 4
    found = decode(data)
    assert found.outcome == "too-large"
    assert "tiles of 60,000×60,000" in found.message


def test_limit_is_the_callers() -> None:
    data = encode(picture("RGB"), "JPEG")
    assert decode(data, max_pixels=WIDTH * HEIGHT).is_ok
    assert decode(data, max_pixels=WIDTH * HEIGHT - 1).outcome == "too-large"


# --- a single colour ------------------------------------------------------------------------------


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_single_colour(quality: int) -> None:
    even = np.full((120, 160, 3), (120, 30, 60), np.uint8)
    noisy = np.rint(even + np.random.default_rng(quality).normal(0, 0.5, even.shape))
    for pixels in (even, noisy.astype(np.uint8)):
        found = decode(encode(Image.fromarray(pixels), "JPEG", quality=quality))
        assert found.outcome == "single-colour"
        assert "about red 1" in found.message
        assert found.pixels.shape == even.shape


def test_bound_of_a_single_colour() -> None:
    pixels = np.full((40, 50, 3), 100, np.uint8)
    pixels[33, 7, 2] += SINGLE_COLOUR_RANGE
    assert decode(encode(Image.fromarray(pixels), "PNG")).outcome == "single-colour"
    pixels[33, 7, 2] += 1
    assert decode(encode(Image.fromarray(pixels), "PNG")).outcome == "ok"


def test_one_pixel() -> None:
    found = decode(encode(Image.new("RGB", (1, 1), "red"), "PNG"))
    assert (found.outcome, found.width, found.height) == ("single-colour", 1, 1)


# --- whatever comes -------------------------------------------------------------------------------


def damaged(data: bytes, rng: random.Random) -> bytes:
    """The file with some bytes changed, cut, moved or put in."""
    changed = bytearray(data)
    # Headers are where most can go wrong.
    area = rng.choice([len(changed), 200, 50])
    for _ in range(rng.choice([1, 1, 3, 20])):
        at = rng.randrange(min(area, len(changed)) or 1)
        match rng.randrange(5):
            case 0:
                changed[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                changed[at : at + 4] = rng.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"])
            case 2:
                del changed[at : at + rng.randrange(1, 30)]
            case 3:
                changed[at:at] = rng.randbytes(rng.randrange(1, 30))
            case _:
                del changed[rng.randrange(len(changed) + 1) :]
        if not changed:
            break
    return bytes(changed)


def fuzzed() -> dict[str, bytes]:
    Image.init()
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker"
    small = Image.fromarray(COLOURS[:30, :40])
    files = {
        "JPEG": encode(small, "JPEG", exif=exif),
        "progressive": encode(small, "JPEG", progressive=True),
        "CMYK": encode(small.convert("CMYK"), "JPEG"),
        "MPO": encode(small, "MPO", save_all=True, append_images=[small]),
        "PNG": encode(small, "PNG", exif=exif, transparency=(1, 2, 3)),
        "APNG": encode(small, "PNG", save_all=True, append_images=[small.rotate(90)]),
        "palette": encode(small.quantize(64), "PNG", transparency=bytes(range(64))),
        "GIF": encode(small.quantize(64), "GIF", transparency=4, background=2),
        "WEBP": encode(small, "WEBP", exif=exif),
        "lossless": encode(small.convert("RGBA"), "WEBP", lossless=True),
        "TIFF": encode(small, "TIFF", exif=exif),
        "LZW": encode(small, "TIFF", compression="tiff_lzw"),
        "BMP": encode(small, "BMP"),
        "PPM": encode(small, "PPM"),
    }
    for kind in ("JPEG2000", "AVIF"):
        if kind in Image.SAVE:
            files[kind] = encode(small, kind)
    return files


def test_nothing_gets_through(capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever the bytes: a named outcome, no error, no warning, nothing on the terminal."""
    rng = random.Random(2021)
    seen = set()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind, data in fuzzed().items():
            for _ in range(1000):
                found = decode(damaged(data, rng), max_pixels=1 << 20)
                assert found.outcome in OUTCOMES
                assert (found.pixels is None) == (found.outcome not in ("ok", "single-colour"))
                assert bool(found.message) != found.is_ok
                seen.add(found.outcome)
            # libtiff speaks of damage on its own, past Pillow.
            out, err = capfd.readouterr()
            assert (out, err if kind not in ("TIFF", "LZW") else "") == ("", "")
    assert seen >= set(OUTCOMES) - {"empty", "single-colour"}


def test_damaged_photographs(photographs: Path) -> None:
    rng = random.Random(7)
    for path in sorted(photographs.iterdir()):
        data = path.read_bytes()
        for _ in range(6):
            assert decode(damaged(data, rng) if data else data).outcome in OUTCOMES


def test_settings_of_pillow_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import ImageFile

    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for kind in ("JPEG", "PNG"):
        data = encode(picture("RGB"), kind)
        assert decode(data[: len(data) // 2]).outcome == "truncated"
        assert decode(data).is_ok


def test_many_threads() -> None:
    """Also those formats for which warnings are silenced."""
    files = [encode(picture("RGB"), kind) for kind in ("TIFF", "PNG", "JPEG", "BMP")] * 5
    expected = [decode(data).pixels for data in files]
    failures: list[int] = []
    filters = warnings.filters[:]

    def work() -> None:
        for position, data in enumerate(files):
            if not np.array_equal(decode(data).pixels, expected[position]):
                failures.append(position)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert warnings.filters == filters


# --- both decoders of JPEGs -----------------------------------------------------------------------


def jpegs(count: int) -> Iterator[bytes]:
    """Small JPEGs of all kinds; two of three are cut, stretched or otherwise damaged."""
    chance = random.Random(5)
    smooth = Image.effect_noise((160, 160), 90).resize((640, 640), Image.Resampling.BICUBIC)
    colours = Image.merge("RGB", [smooth.rotate(angle) for angle in (0, 90, 180)])
    for number in range(count):
        width, height = chance.randint(1, 90), chance.randint(1, 90)
        left, top = chance.randint(0, 500), chance.randint(0, 500)
        image = colours.crop((left, top, left + width, top + height))
        exif = Image.Exif()
        exif[0x0112] = chance.randint(1, 8)
        stream = io.BytesIO()
        image.convert(chance.choice(["RGB", "RGB", "L", "CMYK"])).save(
            stream,
            "JPEG",
            quality=chance.randint(1, 100),
            subsampling=chance.choice([0, 1, 2]),
            progressive=chance.random() < 0.3,
            exif=exif,
        )
        data = bytearray(stream.getvalue())
        if number % 3 == 1:
            del data[chance.randrange(len(data)) :]
            data += chance.choice([b"", b"\xff\xd9"])
        elif number % 3 == 2:
            for _ in range(chance.choice([1, 3, 20])):
                data[chance.randrange(len(data) // 3, len(data))] = chance.randrange(256)
        yield bytes(data)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_cut_jpeg_with_an_end_marker_behind_is_truncated(progressive: bool) -> None:
    pytest.importorskip("simplejpeg")
    whole = encode(picture("RGB"), "JPEG", progressive=progressive)
    for share in (0.5, 0.8):
        found = decode(whole[: int(len(whole) * share)] + b"\xff\xd9")
        assert found.outcome == "truncated"
        assert (found.width, found.height) == (WIDTH, HEIGHT)
        assert "coded data ends before the image does" in found.message


@pytest.mark.parametrize("brand", [b"avif", b"avis", b"mif1", b"msf1", b"miaf"])
def test_avif_is_known_by_any_of_its_brands(brand: bytes) -> None:
    if "AVIF" not in Image.SAVE:
        pytest.skip("this Pillow has no AVIF")
    file = encode(picture("RGB"), "AVIF")
    assert b"avif" in file[16:40]  # among the compatible brands
    found = decode(file[:8] + brand + file[12:])
    assert found.outcome == "ok", found.message
    assert found.pixels is not None
    assert np.array_equal(found.pixels, decode(file).pixels)
    size = int.from_bytes(file[:4], "big")
    heic = file[:8] + b"mif1" + file[12:16] + b"mif1heic".ljust(size - 16, b"\0") + file[size:]
    assert "HEIF" in decode(heic).message


def test_simplejpeg_and_pillow_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """On pixels, and on what is wrong with a file."""
    pytest.importorskip("simplejpeg")
    outcomes = set()
    for data in jpegs(450):
        found = decode(data)
        with monkeypatch.context() as patch:
            patch.setattr(decoding, "installed_simplejpeg", lambda: None)
            by_pillow = decode(data)
        outcomes.add(found.outcome)
        if "coded data ends before" in found.message:
            # Pillow does not pass on what libjpeg warns of.
            assert found.outcome == "truncated"
            assert by_pillow.outcome == "ok"
            continue
        assert found.outcome == by_pillow.outcome
        assert found.message == by_pillow.message
        for one, other in (
            (found.pixels, by_pillow.pixels),
            (found.pillow_pixels, by_pillow.pillow_pixels),
        ):
            assert (one is None) == (other is None)
            assert one is None or np.array_equal(one, other)
    assert {"ok", "truncated", "damaged"} <= outcomes


def test_jpeg_of_thousands_of_scans() -> None:
    """Some bytes each, and each has a decoder go over all pixels."""
    found = decode(jpeg_of_scans(1024, 1032, 501))
    assert found.outcome == "too-large"
    assert (found.width, found.height) == (1024, 1032)
    assert "in 501 scans: more than the limit of 500" in found.message
    assert decode(jpeg_of_scans(1024, 1032, 500)).outcome == "single-colour"


def test_scans_of_large_images_count_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_MAX_SCANNED_PIXELS", 100 * 1024 * 1032)
    assert decode(jpeg_of_scans(1024, 1032, 100)).outcome == "single-colour"
    assert decode(jpeg_of_scans(1024, 1032, 101)).outcome == "too-large"


def test_scans_of_a_sequential_jpeg_that_repeat() -> None:
    """Without the first scan's being of all components, libjpeg waits for more of them."""
    data = encode(Image.fromarray(COLOURS), "JPEG", subsampling=0)
    scan = data.index(b"\xff\xda")
    length = int.from_bytes(data[scan + 2 : scan + 4], "big")
    first = data[scan + 5 : scan + 7]
    of_one = b"\xff\xda\0\x08\x01" + first + b"\0\x3f\0" + data[scan + 2 + length : -2]
    assert decode(data[:scan] + of_one * 600 + b"\xff\xd9").outcome == "too-large"


def test_photographs_in_scans_are_decoded() -> None:
    for options in ({"progressive": True}, {"progressive": True, "quality": 98}, {}):
        assert decode(encode(picture("RGB"), "JPEG", **options)).outcome == "ok"


def test_ppm_with_a_long_comment() -> None:
    comment = b"P6 #" + b"x" * (1 << 20)
    found = decode(comment + b"\n2 2 255\n" + bytes(12))
    assert (found.outcome, found.message[:18]) == ("damaged", "PPM whose size is ")
    rows = COLOURS.tobytes()
    short = b"P6 # %b\n%d # b\n %d 255\n" % (b"y" * 60_000, WIDTH, HEIGHT) + rows * 4
    assert decode(short).outcome == "ok"


def test_single_colour_of_any_shape() -> None:
    """Pixels are compared many side by side; none may be left out."""
    for shape in ((1, 2), (1, 1023), (1024, 1), (1, 1025), (7, 1500), (3000, 3)):
        pixels = np.full((*shape, 3), 100, np.uint8)
        assert decoding.is_single_colour(pixels)
        for place in (0, shape[0] * shape[1] - 1, shape[0] * shape[1] // 2):
            for channel in range(3):
                other = pixels.copy()
                other.reshape(-1, 3)[place, channel] += SINGLE_COLOUR_RANGE + 1
                assert not decoding.is_single_colour(other)
