"""The short way through headers finds what the long way finds, and nothing else."""

from __future__ import annotations

import random
import tarfile
from pathlib import Path

import pytest

from pass_dataset.archives.plain_headers import plain_images
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

    def read_into(room: bytearray, position: int) -> int:
        piece = data[position : position + len(room)]
        room[: len(piece)] = piece
        return len(piece)

    start = the_long_way(tar)[0][1] - 512
    end = plain_images(read_into, len(data), lambda *image: found.append(image), start)
    assert [(name.decode(), *place) for name, *place in found] == the_long_way(tar)
    assert not any(data[end:])


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
