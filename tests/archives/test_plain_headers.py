"""The short way through headers finds what the long way finds, and nothing else."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pass_dataset.archives.plain_headers import PlainHeaders
from pass_dataset.archives.streaming.held_headers import plain_images
from pass_dataset.archives.tar_listing import list_tar
from pass_dataset.archives.tars import HARD_LINK, image_hash, read_members
from pass_dataset.errors import ArchiveError
from tests.support.collection import jpeg, write_tar

NAMES = [f"PASS_dataset/0/{letter * 30}.jpg" for letter in "abcd"]


@pytest.fixture
def tar(tmp_path: Path) -> Path:
    path = tmp_path / "PASS.0.tar"
    write_tar(path, {name: jpeg(number, 600) for number, name in enumerate(NAMES)})
    return path


def the_long_way(path: Path) -> list[tuple[str, int, int]] | str:
    """Images of a tar, or what is wrong with it."""
    images = []
    try:
        for member in read_members(path):
            found = image_hash(member)
            if found is not None and member.kind != HARD_LINK:
                found.encode()
                images.append((found, member.offset, member.size_bytes))
    except UnicodeEncodeError:
        return "UnicodeEncodeError"
    except ArchiveError as error:
        return str(error)
    return images


def listed(path: Path) -> list[tuple[str, int, int]] | str:
    """The same by `list_tar`."""
    try:
        listing = list_tar(path)
    except ArchiveError as error:
        return "UnicodeEncodeError" if "no text in UTF-8" in str(error) else str(error)
    return list(zip(listing.hashes, listing.offsets, listing.sizes, strict=True))


def resealed(header: bytes) -> bytes:
    changed = bytearray(header)
    changed[148:156] = b" " * 8
    changed[148:156] = f"{sum(changed):06o}\0 ".encode()
    return bytes(changed)


def test_all_of_a_plain_tar(tar: Path) -> None:
    data, found = tar.read_bytes(), []

    def add(names: bytes, ends: Sequence[int], *places: Sequence[int]) -> None:
        starts = [0, *ends][:-1]
        hashes = [names[start:end].decode() for start, end in zip(starts, ends, strict=True)]
        found.extend(zip(hashes, *places, strict=True))

    start = the_long_way(tar)[0][1] - 512
    end = PlainHeaders(reader(data, []), len(data), add).skip(start)
    assert found == the_long_way(tar)
    assert not any(data[end:])


def reader(data: bytes, reads: list[int]) -> Callable[[tuple[memoryview], int], int]:
    """Reads from memory, and notes where."""

    def read_into(rooms: tuple[memoryview], position: int) -> int:
        reads.append(position)
        piece = data[position : position + len(rooms[0])]
        rooms[0][: len(piece)] = piece
        return len(piece)

    return read_into


def member(name: str, data: bytes = b"", kind: bytes = b"0", size: int | None = None) -> bytes:
    """A header, and what follows it; `size` where it says another than that of the data."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(data)
    header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    if size is not None:
        header[124:135] = b"%011o" % size
    return resealed(bytes(header)) + data + bytes(-len(data) % 512)


def odd_members(number: int) -> list[bytes]:
    """What may stand between images; the sizes of the last ones lead elsewhere."""
    name = f"x/{number:040}"
    long = f"x/{number:0120}.jpg".encode()
    pax = f"30 mtime={1e9 + number:.4f}123456\n".encode()[:29] + b"\n"
    image = member(f"{name}.jpg", jpeg(number))
    return [
        member(name, kind=b"5"),
        member(f"{name}.txt", b"text"),
        member(f"x/._{number:040}.jpg", b"sidecar"),
        member("././@LongLink", long + b"\0", b"L") + image,
        member("pax", pax, b"x") + image,
        member(f"{name}.jpg", kind=b"2", size=5000),
        member(f"{name}.jpg", kind=b"5", size=700),
        # An image whose bytes are headers, and whose size is elsewhere.
        member("pax", b"13 size=1024\n", b"x")
        + member(f"{name}.jpg", member("x/no.jpg", size=0) * 2, size=0),
    ]


def plain_run(data: bytes) -> tuple[list[tuple[bytes, int, int]], int]:
    """Images at the beginning, many headers at once, and where the first other header is."""
    found: list[tuple[bytes, int, int]] = []

    def add(names: bytes, ends: Sequence[int], *places: Sequence[int]) -> None:
        bounds = itertools.pairwise([0, *ends])
        hashes = [names[start:end] for start, end in bounds]
        found.extend(zip(hashes, *places, strict=True))

    return found, PlainHeaders(reader(data, []), len(data), add).skip(0)


def held_run(data: bytes) -> tuple[list[tuple[bytes, int, int]], int]:
    """The same one by one, as streams do it."""
    found: list[tuple[bytes, int, int]] = []

    def read(memory: bytearray, position: int) -> int:
        piece = data[position : position + len(memory)]
        memory[: len(piece)] = piece
        return len(piece)

    end = plain_images(read, len(data), lambda *image: found.append(image), 0)
    return found, end


def until_damage(path: Path) -> list[tuple[bytes, int, int]]:
    """Images by the long way, up to what is damaged."""
    images = []
    with contextlib.suppress(ArchiveError):
        for member in read_members(path):
            if (found := image_hash(member)) is not None:
                images.append((os.fsencode(found), member.offset, member.size_bytes))
    return images


def test_many_at_once_and_one_by_one(tmp_path: Path) -> None:
    """Neither way takes for a plain image's what the long way finds to be something else."""
    plain, path = member(f"x/{1:040}.jpg", jpeg(1)), tmp_path / "PASS.0.tar"
    chance, others = random.Random(7), odd_members(2)
    values = (0, *b" -./078_", None)
    for _ in range(1000):
        header = bytearray(plain[:512])
        for _ in range(chance.choice((1, 1, 2))):
            place = chance.choice((chance.randrange(512), chance.randrange(156), 345))
            value = chance.choice(values)
            header[place] = chance.randrange(256) if value is None else value
        changed = resealed(bytes(header)) if chance.random() < 0.8 else bytes(header)
        others.append(changed + plain[512:])
    taken = {plain_run: 0, held_run: 0}
    for other in others:
        data = plain + other + plain + bytes(1024)
        path.write_bytes(data)
        expected = until_damage(path)
        for way in taken:
            found, _ = way(data)
            assert found == expected[: len(found)], (way, other[:512])
            taken[way] += len(found) > 1
    assert all(300 < count < 900 for count in taken.values()), taken


@pytest.mark.parametrize("share", [0.001, 0.03, 0.5])
def test_odd_members_among_thousands(tmp_path: Path, share: float) -> None:
    """Wherever they stand: the same images, and no header read over and over."""
    chance, members, path = random.Random(share), [], tmp_path / "PASS.0.tar"
    image = jpeg(1, 600)
    for number in range(2500):
        members.append(member(f"PASS_dataset/0/{number:032x}.jpg", image[: chance.randrange(600)]))
        if chance.random() < share:
            members.append(chance.choice(odd_members(number)))
    data = b"".join(members) + bytes(1024)
    path.write_bytes(data)
    assert listed(path) == the_long_way(path)
    assert len(listed(path)) >= 2500
    path.write_bytes(data[: -len(members[-1]) - 1024 + 300])
    assert listed(path) == the_long_way(path)
    assert "truncated" in listed(path)
    reads: list[int] = []
    headers = PlainHeaders(reader(data, reads), len(data), lambda *images: None)
    position = 0
    for place in itertools.accumulate(map(len, members), initial=0):
        if place >= position:
            position = headers.skip(place)
    assert len(reads) < 25 * (len(members) - 2500) + 2 * 2500


@pytest.mark.parametrize("sealed", [True, False])
def test_whatever_a_header_says(tar: Path, sealed: bool) -> None:
    """Any change of the second image's header: the same images, or the same complaint."""
    data, chance = tar.read_bytes(), random.Random(int(sealed))
    start = the_long_way(tar)[1][1] - 512
    telling = [*range(60), *range(96, 101), *range(124, 160), *range(257, 266), *range(343, 350)]
    for number in range(150):
        header = bytearray(data[start : start + 512])
        for _ in range(chance.choice([1, 1, 2])):
            header[chance.choice(telling)] = chance.choice(b"\0 .//_017\x80\xff")
        changed = resealed(bytes(header)) if sealed else bytes(header)
        tar.write_bytes(data[:start] + changed + data[start + 512 :])
        assert listed(tar) == the_long_way(tar), (number, changed)


@pytest.mark.parametrize(
    "name",
    ["/a.jpg", "../a.jpg", "x/../a.jpg", "x/._a.jpg", ".jpg", "x/.jpg", "a.jpg.jpg", "x..y/a.jpg"],
)
def test_names(tar: Path, name: str) -> None:
    write_tar(tar, {name: jpeg(1), NAMES[0]: jpeg(2)})
    assert listed(tar) == the_long_way(tar)


@pytest.mark.parametrize("cut", [100, 512, 700, 1024, 1100])
def test_cut(tar: Path, cut: int) -> None:
    start = the_long_way(tar)[2][1] - 512
    tar.write_bytes(tar.read_bytes()[: start + cut])
    assert listed(tar) == the_long_way(tar)
    assert "truncated" in str(listed(tar))


def test_checksums_as_others_write_them(tar: Path) -> None:
    """Spaces before and behind, zeros, no ending: numbers are numbers."""
    data = tar.read_bytes()
    start = the_long_way(tar)[1][1] - 512
    for field in (b"%6o\0 ", b"%06o \0", b"%07o\0", b"%08o", b"%o"):
        header = bytearray(data[start : start + 512])
        header[148:156] = b" " * 8
        header[148:156] = (field % sum(header)).ljust(8, b"\0")
        tar.write_bytes(data[:start] + header + data[start + 512 :])
        assert [name for name, *_ in listed(tar)] == [name[-34:-4] for name in NAMES]
    with tarfile.open(tar) as reader:
        assert len(reader.getmembers()) >= 4


def test_a_name_that_fills_its_field(tar: Path) -> None:
    """Behind it no zero has to come, and what the rest of the header holds is not its name."""
    data = tar.read_bytes()
    start = the_long_way(tar)[1][1] - 512
    header = bytearray(data[start : start + 512])
    header[:100] = b"a" * 96 + b".jpg"
    header[507:511] = b".jpg"
    tar.write_bytes(data[:start] + resealed(bytes(header)) + data[start + 512 :])
    assert listed(tar) == the_long_way(tar)
    assert "a" * 96 in {found[0] for found in the_long_way(tar) if isinstance(found, tuple)}
