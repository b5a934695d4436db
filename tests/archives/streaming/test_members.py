"""However a tar is cut into stretches, each member is found in one of them."""

from __future__ import annotations

import io
import itertools
import random
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pass_dataset.archives.streaming import members
from pass_dataset.archives.streaming.members import members_between
from pass_dataset.archives.tars import image_hash, read_members
from pass_dataset.errors import ArchiveError
from tests.support.collection import image_hash as hash_of
from tests.support.collection import jpeg


@dataclass
class Bytes:
    """Bytes of a tar in memory; `wrong` are positions that come wrong once.

    Only a search that begins anew, at the earliest of all positions, goes back.
    """

    data: bytes
    wrong: set[int] = field(default_factory=set)
    forgotten: int = 0
    distrusted: int = 0
    earliest: int = 1 << 60
    searches: int = 0

    def read(self, size_bytes: int, position: int) -> bytes:
        if position < self.earliest and self.searches < 10:
            self.searches += 1
            self.earliest = self.forgotten = position
        assert position >= self.forgotten, "asked for what it had said to forget"
        piece = bytearray(self.data[position : position + size_bytes])
        for at in self.wrong:
            if position <= at < position + len(piece):
                piece[at - position] ^= 0xFF
        return bytes(piece)

    def read_held(self, memory: bytearray, position: int) -> int:
        if random.Random(position).randrange(3) == 0:
            return 0  # as where not all came at once
        piece = self.read(len(memory), position)
        memory[: len(piece)] = piece
        return len(piece)

    def forget(self, position: int) -> None:
        self.forgotten = max(self.forgotten, position)

    def distrust(self) -> None:
        self.distrusted += 1
        self.wrong.clear()


def make_tar(
    path: Path, bodies: Iterable[bytes], style: int = tarfile.USTAR_FORMAT, folder: str = "P/0"
) -> list[str]:
    """A tar of these images; returns their hashes."""
    hashes = []
    with tarfile.open(path, "w", format=style) as tar:
        info = tarfile.TarInfo("P")
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
        for number, body in enumerate(bodies):
            hashes.append(hash_of(number))
            info = tarfile.TarInfo(f"{folder}/{hashes[-1]}.jpg")
            info.size, info.mtime = len(body), 1.5 if style == tarfile.PAX_FORMAT else 1
            tar.addfile(info, io.BytesIO(body))
    return hashes


def found(data: bytes, cuts: list[int], known: Iterable[str]) -> list[str]:
    """Hashes found in the stretches between the cuts, each read as by a worker of its own."""
    hashes = []
    for start, stop in itertools.pairwise(cuts):
        tar = Bytes(data)
        for member in members_between(tar, "t.tar", len(data), start, stop, set(known)):
            assert start <= member.start < stop
            name = image_hash(member)
            if name is not None:
                hashes.append(name)
                tar.read(member.size_bytes, member.offset)
    return hashes


STYLES = {
    "ustar": (tarfile.USTAR_FORMAT, "P/0"),
    "gnu": (tarfile.GNU_FORMAT, "P/0"),
    "gnu long names": (tarfile.GNU_FORMAT, "P/" + "a" * 120),
    "pax": (tarfile.PAX_FORMAT, "P/0"),
    "pax long names": (tarfile.PAX_FORMAT, "P/" + "b" * 300),
}


@pytest.fixture
def small_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The measures of the search, fit for images of a few hundred bytes."""
    monkeypatch.setattr(members, "_CHAIN_BYTES", 4096)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("look_back_bytes", [3072, 256 << 10])
def test_every_cut(
    style: str,
    look_back_bytes: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    small_chain: None,
) -> None:
    monkeypatch.setattr(members, "_LOOK_BACK_BYTES", look_back_bytes)
    bodies = [jpeg(number, 300 + 397 * number % 3000) for number in range(40)]
    hashes = make_tar(tmp_path / "t.tar", bodies, *STYLES[style])
    data = (tmp_path / "t.tar").read_bytes()
    assert found(data, [0, len(data)], hashes) == hashes
    for width in (512, 700, 5000, 20_011):
        cuts = [*range(0, len(data), width), len(data)]
        assert found(data, cuts, hashes) == hashes, width
    for seed in range(10):
        rng = random.Random(seed)
        cuts = sorted({0, len(data), *(rng.randrange(len(data)) for _ in range(12))})
        assert found(data, cuts, hashes) == hashes, cuts


def test_a_tar_inside_an_image_deceives_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_chain: None
) -> None:
    """Not even one of real images, cut at every block, and without a look at what is before."""
    make_tar(tmp_path / "inner.tar", [jpeg(number) for number in range(3)])
    inner = (tmp_path / "inner.tar").read_bytes()
    disguised = jpeg(1)[:512].ljust(512, b"\1") + inner + jpeg(2)
    header = inner[1024:1536]
    bodies = [jpeg(number, 2000) for number in range(30)]
    bodies[7] = disguised
    bodies[12] = b"\xff\xd8".ljust(512, b"\2") + header + b"\3" * 1500  # leads nowhere
    bodies[15] = b"\xff\xd8".ljust(1024, b"\0") + bytes(2048) + b"\xff\xd9"  # zeros end a tar
    hashes = make_tar(tmp_path / "t.tar", bodies)
    data = (tmp_path / "t.tar").read_bytes()
    monkeypatch.setattr(members, "_LOOK_BACK_BYTES", 0)
    monkeypatch.setattr(members, "_CHAIN_BYTES", 16 << 10)
    assert found(data, [*range(0, len(data), 512), len(data)], hashes) == hashes


def test_images_without_metadata_are_found(tmp_path: Path, small_chain: None) -> None:
    hashes = make_tar(tmp_path / "t.tar", [jpeg(number, 1000) for number in range(60)])
    data = (tmp_path / "t.tar").read_bytes()
    cuts = [*range(0, len(data), 9000), len(data)]
    assert found(data, cuts, hashes[:1] + hashes[50:]) == hashes


@pytest.mark.parametrize("look_back_bytes", [0, 256 << 10])
def test_bytes_that_come_wrong_once(
    look_back_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_chain: None
) -> None:
    """A byte of any header after the first of a stretch: noticed, fetched again, nothing lost."""
    monkeypatch.setattr(members, "_LOOK_BACK_BYTES", look_back_bytes)
    hashes = make_tar(tmp_path / "t.tar", [jpeg(number, 1000) for number in range(40)])
    data = (tmp_path / "t.tar").read_bytes()
    starts = [member.start for member in read_members(tmp_path / "t.tar")]
    for header in starts[12:30]:
        tar = Bytes(data, {header + 20})
        made = members_between(tar, "t.tar", len(data), starts[10] + 1, len(data), set(hashes))
        # One folder stands before the images.
        assert [image_hash(member) for member in made] == hashes[10:]
        assert tar.distrusted == 1


def test_a_damaged_tar_is_refused(tmp_path: Path) -> None:
    hashes = make_tar(tmp_path / "t.tar", [jpeg(number, 1000) for number in range(10)])
    data = bytearray((tmp_path / "t.tar").read_bytes())
    starts = [member.start for member in read_members(tmp_path / "t.tar")]
    data[starts[5] + 3] ^= 1
    with pytest.raises(ArchiveError, match=rf"t\.tar: no tar header at byte {starts[5]:,}"):
        found(bytes(data), [0, len(data)], hashes)


def test_nothing_but_padding(tmp_path: Path) -> None:
    hashes = make_tar(tmp_path / "t.tar", [jpeg(0)])
    data = (tmp_path / "t.tar").read_bytes()
    assert len(data) == 10240
    assert found(data, [4096, 10240], hashes) == []


def _in_a_row(data: bytes, cuts: list[int], known: Iterable[str]) -> list[str]:
    """As `found`, by one worker that goes on where it ended."""
    hashes: list[str] = []
    first: list[int | None] = [0]
    for start, stop in itertools.pairwise(cuts):
        tar = Bytes(data)
        at = first[-1]
        first.append(None)
        for member in members_between(
            tar, "t.tar", len(data), start, stop, set(known), first=at, on_end=first.append
        ):
            hashes += filter(None, [image_hash(member)])
    return hashes


def test_joined_tars_in_a_row(tmp_path: Path, small_chain: None) -> None:
    """Where the first ends is no end, as for who reads them from a folder."""
    bodies = [jpeg(number, 300 + 397 * number % 3000) for number in range(40)]
    make_tar(tmp_path / "a.tar", bodies)
    data = (tmp_path / "a.tar").read_bytes() * 3
    (tmp_path / "t.tar").write_bytes(data)
    names = [image_hash(member) for member in read_members(tmp_path / "t.tar")]
    expected = [name for name in names if name is not None]
    assert len(expected) == 120
    for width in (len(data), 5000, 20_011, 70_000):
        cuts = [*range(0, len(data), width), len(data)]
        assert _in_a_row(data, cuts, expected) == expected


def test_joined_tars_cut_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_chain: None
) -> None:
    """By workers that come from nowhere, the last images before a join too."""
    monkeypatch.setattr(members, "_LOOK_BACK_BYTES", 3072)
    bodies = [jpeg(number, 300 + 397 * number % 3000) for number in range(12)]
    data = b""
    for count in (12, 1, 12, 3):
        hashes = make_tar(tmp_path / "t.tar", bodies[:count])
        data += (tmp_path / "t.tar").read_bytes()
    (tmp_path / "t.tar").write_bytes(data)
    hashes = [name for name in map(image_hash, read_members(tmp_path / "t.tar")) if name]
    assert len(hashes) == 28
    for width in (512, 1536, 5000, 20_011):
        cuts = [*range(0, len(data), width), len(data)]
        for known in (hashes, hashes[:2]):
            assert found(data, cuts, known) == hashes, width


def test_images_before_damage_are_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_chain: None
) -> None:
    """Whoever begins shortly before it says that there is damage."""
    monkeypatch.setattr(members, "_LOOK_BACK_BYTES", 1536)
    hashes = make_tar(tmp_path / "t.tar", [jpeg(number, 1000) for number in range(40)])
    data = bytearray((tmp_path / "t.tar").read_bytes())
    starts = [member.start for member in read_members(tmp_path / "t.tar")]
    data[starts[30] + 3] ^= 1
    tar = Bytes(bytes(data))
    with pytest.raises(ArchiveError, match=rf"no tar header at byte {starts[30]:,}"):
        list(members_between(tar, "t.tar", len(data), starts[29], len(data), set(hashes)))


def test_a_header_of_zeros_ends_nothing(tmp_path: Path, small_chain: None) -> None:
    """All images after it would be lost without a word."""
    hashes = make_tar(tmp_path / "t.tar", [jpeg(number, 3000) for number in range(40)])
    data = bytearray((tmp_path / "t.tar").read_bytes())
    lost = list(read_members(tmp_path / "t.tar"))[20].start
    data[lost : lost + 512] = bytes(512)
    for width in (len(data), 20_011):
        cuts = [*range(0, len(data), width), len(data)]
        for read in (_in_a_row, found):
            with pytest.raises(ArchiveError, match=f"zero block at byte {lost:,}"):
                read(bytes(data), cuts, hashes)
