from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from pass_dataset.archives.tar_listing import list_tar
from pass_dataset.archives.tars import read_members
from pass_dataset.errors import ArchiveError
from tests.support.collection import jpeg, write_tar

A, B = "PASS_dataset/0/" + "a" * 30 + ".jpg", "PASS_dataset/0/" + "b" * 30 + ".jpg"


@pytest.fixture
def tar(tmp_path: Path) -> Path:
    path = tmp_path / "PASS.0.tar"
    write_tar(path, {A: jpeg(1), B: jpeg(2, 700)})
    return path


def assert_as_tarfile_reads(path: Path) -> None:
    """Names, offsets and sizes are those that the standard library finds."""
    with tarfile.open(path) as reader:
        expected = [(m.name.rstrip("/"), m.offset_data, m.size) for m in reader if m.isreg()]
    found = [
        (member.name, member.offset, member.size_bytes)
        for member in read_members(path)
        if member.kind in (b"0", b"\0")
    ]
    assert found == expected
    assert found


def test_offsets(tar: Path) -> None:
    listing = list_tar(tar)
    assert listing.hashes == ["a" * 30, "b" * 30]
    data = tar.read_bytes()
    bodies = [
        data[offset : offset + size]
        for offset, size in zip(listing.offsets, listing.sizes, strict=True)
    ]
    assert bodies == [jpeg(1), jpeg(2, 700)]
    assert listing.folders == 2
    assert_as_tarfile_reads(tar)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("folder", ["short", "l" * 60 + "/" + "o" * 60, "ü" * 200])
def test_formats_and_long_names(tmp_path: Path, form: int, folder: str) -> None:
    if form == tarfile.USTAR_FORMAT and len(folder.encode()) > 155:
        pytest.skip("ustar has no room for such a name")
    path = tmp_path / "any.tar"
    with tarfile.open(path, "w", format=form) as writer:
        for number in range(3):
            info = tarfile.TarInfo(f"{folder}/{number}.jpg")
            info.size = 100
            info.mtime = 1234.5 if form == tarfile.PAX_FORMAT else 1234  # makes pax write a header
            writer.addfile(info, io.BytesIO(jpeg(number, 100)))
    assert_as_tarfile_reads(path)
    assert list_tar(path).hashes == ["0", "1", "2"]


def test_sizes_in_pax_headers_and_in_base_256(tmp_path: Path) -> None:
    path = tmp_path / "any.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as writer:
        info = tarfile.TarInfo("x/1.jpg")
        info.size, info.pax_headers = 100, {"size": "100", "comment": "a = b\nc"}
        writer.addfile(info, io.BytesIO(jpeg(1, 100)))
    assert_as_tarfile_reads(path)
    header = bytearray(tarfile.TarInfo("y/2.jpg").tobuf(tarfile.USTAR_FORMAT))
    header[124:136] = b"\x80" + (100).to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    path.write_bytes(bytes(header) + jpeg(2, 100).ljust(512, b"\0") + b"\0" * 1024)
    assert_as_tarfile_reads(path)


def test_other_members_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "any.tar"
    with tarfile.open(path, "w") as writer:
        for name in ("a.jpg", "notes.txt", "b.JPG", "c.jpeg"):
            info = tarfile.TarInfo(name)
            info.size = 3
            writer.addfile(info, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "a.jpg"
        writer.addfile(link)
    listing = list_tar(path)
    assert listing.hashes == ["a"]
    assert (listing.num_others, listing.others) == (
        4,
        ["notes.txt", "b.JPG", "c.jpeg", "link.jpg"],
    )


@pytest.mark.parametrize(
    ("compress", "name"), [(gzip.compress, "gzip"), (bz2.compress, "bzip2"), (lzma.compress, "xz")]
)
def test_compressed(tar: Path, compress, name: str) -> None:
    tar.write_bytes(compress(tar.read_bytes()))
    with pytest.raises(ArchiveError, match=rf"PASS\.0\.tar: .*compressed with {name}.*Decompress"):
        list_tar(tar)


def test_cut_between_members(tar: Path) -> None:
    data = tar.read_bytes()
    tar.write_bytes(data[: list(read_members(tar))[-1].offset - 512])
    with pytest.raises(ArchiveError, match=r"truncated: it ends at byte \d.* without the zero"):
        list_tar(tar)


def test_cut_inside_a_header(tar: Path) -> None:
    data = tar.read_bytes()
    tar.write_bytes(data[: list(read_members(tar))[-1].offset - 100])
    with pytest.raises(ArchiveError, match=r"truncated"):
        list_tar(tar)


def test_cut_inside_a_body(tar: Path) -> None:
    data = tar.read_bytes()
    tar.write_bytes(data[: list(read_members(tar))[-1].offset + 100])
    with pytest.raises(ArchiveError, match=rf"member '{B}' at byte .* claims 700 bytes, .* past"):
        list_tar(tar)


def test_empty_file_and_html_page(tar: Path) -> None:
    tar.write_bytes(b"")
    with pytest.raises(ArchiveError, match=r"truncated: it ends at byte 0"):
        list_tar(tar)
    tar.write_bytes(b"<html>Redirecting...</html>".ljust(2048))
    with pytest.raises(ArchiveError, match=r"no tar header at byte 0"):
        list_tar(tar)


def test_damaged_header(tar: Path) -> None:
    data = bytearray(tar.read_bytes())
    position = list(read_members(tar))[-1].offset - 512
    data[position + 3] ^= 1
    tar.write_bytes(bytes(data))
    with pytest.raises(ArchiveError, match=rf"no tar header at byte {position:,}: .*damaged"):
        list_tar(tar)


@pytest.mark.parametrize("name", ["/etc/1.jpg", "PASS_dataset/../../1.jpg", ".."])
def test_unsafe_names(tar: Path, name: str) -> None:
    with tarfile.open(tar, "w") as writer:
        writer.addfile(tarfile.TarInfo(name))
    with pytest.raises(ArchiveError, match=r"unsafe member name .*expected a relative path"):
        list_tar(tar)


def test_name_that_is_no_text(tar: Path) -> None:
    with tarfile.open(tar, "w", format=tarfile.USTAR_FORMAT, encoding="latin-1") as writer:
        writer.addfile(tarfile.TarInfo("x/M\xfcller.jpg"))
    with pytest.raises(ArchiveError, match=r"name of the image at byte 512 is no text in UTF-8"):
        list_tar(tar)


def test_damaged_pax_header(tar: Path) -> None:
    with tarfile.open(tar, "w", format=tarfile.PAX_FORMAT) as writer:
        info = tarfile.TarInfo("x.jpg")
        info.pax_headers = {"comment": "c"}
        writer.addfile(info)
    data = tar.read_bytes()
    tar.write_bytes(data.replace(b"13 comment=c", b"99 comment=c", 1))
    with pytest.raises(ArchiveError, match=r"damaged pax header at byte 0"):
        list_tar(tar)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"gone\.tar: cannot be opened: No such file"):
        list_tar(tmp_path / "gone.tar")


def test_joined_tars_are_read_to_their_end(tmp_path: Path, tar: Path) -> None:
    """As `cat a.tar b.tar` makes them, and `tar --ignore-zeros` reads them."""
    joined = tmp_path / "joined.tar"
    joined.write_bytes(tar.read_bytes() * 2)
    listing = list_tar(joined)
    assert listing.hashes == ["a" * 30, "b" * 30] * 2
    data = joined.read_bytes()
    places = zip(listing.offsets, listing.sizes, strict=True)
    assert [data[at : at + size] for at, size in places] == [jpeg(1), jpeg(2, 700)] * 2


def test_a_header_lost_to_zeros_is_no_end(tar: Path) -> None:
    image = next(member for member in read_members(tar) if member.name.endswith(".jpg"))
    data = bytearray(tar.read_bytes())
    data[image.start : image.start + 512] = bytes(512)
    tar.write_bytes(data)
    with pytest.raises(ArchiveError, match="zero block at byte"):
        list_tar(tar)


def test_sidecars_of_macos_are_no_images(tmp_path: Path) -> None:
    path = tmp_path / "any.tar"
    with tarfile.open(path, "w") as writer:
        for name in ("x/._1.jpg", "x/1.jpg", "._2.jpg"):
            info = tarfile.TarInfo(name)
            info.size = 100
            writer.addfile(info, io.BytesIO(jpeg(1, 100)))
    listing = list_tar(path)
    assert listing.hashes == ["1"]
    assert listing.others == ["x/._1.jpg", "._2.jpg"]


def linked(path: Path, links: dict[str, str], **images: bytes) -> None:
    """A tar of images in ``a/``, then hard links."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in images.items():
            member = tarfile.TarInfo(f"a/{name}.jpg")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        for name, target in links.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.LNKTYPE, target
            tar.addfile(member)


def test_hard_links_are_images_of_their_own_names(tmp_path: Path) -> None:
    """As tar packs a photo library in which one file has two names."""
    path = tmp_path / "PASS.0.tar"
    links = {"a/third.jpg": "a/first.jpg", "b/fourth.jpg": "a/third.jpg", "notes": "a/second.jpg"}
    linked(path, links, first=jpeg(1), second=jpeg(2))
    listing = list_tar(path)
    assert listing.hashes == ["first", "third", "fourth", "second"]
    data = path.read_bytes()
    places = zip(listing.offsets, listing.sizes, strict=True)
    read = [data[offset : offset + size] for offset, size in places]
    assert read == [jpeg(1), jpeg(1), jpeg(1), jpeg(2)]
    assert (listing.num_others, listing.others) == (1, ["notes"])


def test_hard_links_to_what_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "PASS.0.tar"
    linked(path, {"a/b.jpg": "a/gone.jpg", "a/c.jpg": "a/c.jpg"}, first=jpeg(1))
    listing = list_tar(path)
    assert listing.hashes == ["first"]
    assert listing.num_others == 2
    assert listing.others[0] == "a/b.jpg (a hard link to what is not there: a/gone.jpg)"


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_hard_links_of_long_names(tmp_path: Path, form: int) -> None:
    path, folder = tmp_path / "PASS.0.tar", "ü" * 150 + "/"
    with tarfile.open(path, "w", format=form) as tar:
        member = tarfile.TarInfo(f"{folder}a.jpg")
        member.size = 400
        tar.addfile(member, io.BytesIO(jpeg(1)))
        link = tarfile.TarInfo(f"{folder}b.jpg")
        link.type, link.linkname = tarfile.LNKTYPE, member.name
        tar.addfile(link)
    listing = list_tar(path)
    assert listing.hashes == ["a", "b"]
    assert listing.offsets[0] == listing.offsets[1]


def with_kind(path: Path, kind: bytes) -> None:
    """A tar in which a member of some kind stands before an image."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        odd = tarfile.TarInfo("odd")
        odd.type, odd.size = kind, 700
        header = odd.tobuf(tarfile.GNU_FORMAT)
        tar.fileobj.write(header + b"x" * 1024)  # type: ignore[union-attr]
        tar.offset += len(header) + 1024
        member = tarfile.TarInfo(A)
        member.size = 400
        tar.addfile(member, io.BytesIO(jpeg(1)))


@pytest.mark.parametrize("kind", [b"V", b"D", b"N", b"A", b"Z"])
def test_kinds_that_few_know_have_their_bytes(tmp_path: Path, kind: bytes) -> None:
    with_kind(tmp_path / "PASS.0.tar", kind)
    listing = list_tar(tmp_path / "PASS.0.tar")
    assert (listing.hashes, listing.others) == (["a" * 30], ["odd"])


@pytest.mark.parametrize(
    ("kind", "why"),
    [(b"S", r"is a sparse file, .*--sparse"), (b"M", "goes on from another volume")],
)
def test_kinds_that_are_not_plain_are_named_truly(tmp_path: Path, kind: bytes, why: str) -> None:
    with_kind(tmp_path / "PASS.0.tar", kind)
    with pytest.raises(ArchiveError, match=rf"'odd' at byte 0 {why}.*nothing is damaged"):
        list_tar(tmp_path / "PASS.0.tar")


@pytest.mark.skipif(shutil.which("tar") is None, reason="needs GNU tar")
@pytest.mark.parametrize("form", ["gnu", "posix"])
def test_sparse_files_of_tar_itself(tmp_path: Path, form: str) -> None:
    with (tmp_path / "a.jpg").open("wb") as file:
        os.truncate(file.fileno(), 1 << 20)
        file.write(b"x")
    path = tmp_path / "PASS.0.tar"
    packed = subprocess.run(
        ["tar", f"--format={form}", "-S", "-cf", path, "-C", tmp_path, "a.jpg"], check=False
    )
    if packed.returncode:
        pytest.skip("this tar packs no sparse files")
    with pytest.raises(ArchiveError, match=r"is a sparse file, .* pack it anew"):
        list_tar(path)


def test_thousands_of_extension_headers_are_damage(tmp_path: Path) -> None:
    """A block each, and none of them leads to a member."""
    info = tarfile.TarInfo("x")
    info.type = tarfile.GNUTYPE_LONGNAME
    header = info.tobuf(tarfile.GNU_FORMAT)
    image = tarfile.TarInfo("a.jpg").tobuf(tarfile.GNU_FORMAT)
    path = tmp_path / "a.tar"
    path.write_bytes(header * 100 + image + header * 100 + image + bytes(1024))
    assert len(list(read_members(path))) == 2
    path.write_bytes(header * 101 + image + bytes(1024))
    with pytest.raises(ArchiveError, match="damaged extension header at byte 51,200"):
        list(read_members(path))
