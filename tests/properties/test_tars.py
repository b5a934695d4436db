from __future__ import annotations

import contextlib
import functools
import io
import itertools
import tarfile

from hypothesis import example, given
from hypothesis import strategies as st

from pass_dataset.archives.tars import BLOCK_BYTES, Member, has_header, members_from
from pass_dataset.errors import ArchiveError
from tests.properties.damage import damaged

#: A tar's largest piece that is read at once: names and numbers, see `tars`.
MOST_BYTES = 1 << 20

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0/")
folders = st.text(characters, min_size=1, max_size=90).filter(lambda text: text not in (".", ".."))
names = st.lists(folders, min_size=1, max_size=3).map("/".join)
files = st.lists(st.tuples(names, st.binary(max_size=1100)), max_size=5)
kinds = st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])


def packed(contents: list[tuple[str, bytes]], kind: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=kind) as tar:
        for name, data in contents:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file.getvalue()


def listed(tar: bytes) -> list[Member]:
    """All members; fails where reading goes backwards, or takes more than a piece at once."""

    def read(size_bytes: int, position: int) -> bytes:
        assert 0 <= size_bytes <= MOST_BYTES
        assert position >= 0
        return tar[position : position + size_bytes]

    # Each has a header, so there are never more than blocks.
    most = len(tar) // BLOCK_BYTES + 1
    found = list(itertools.islice(members_from("a.tar", read, len(tar)), most + 1))
    assert len(found) <= most
    position = 0
    for member in found:
        assert position <= member.start < member.offset <= member.end
        assert member.offset + member.size_bytes <= len(tar)
        position = member.end
    return found


def with_checksum(header: bytes) -> bytes:
    """A header whose checksum is right, so that what it says is looked at."""
    total = sum(header[:148]) + 8 * ord(" ") + sum(header[156:])
    return header[:148] + b"%06o\0 " % total + header[156:]


def header_of(size: bytes, kind: bytes = b"0") -> bytes:
    """A header whose size field has these bytes."""
    return with_checksum(
        b"a.jpg".ljust(124, b"\0") + size.ljust(32, b"\0") + kind.ljust(356, b"\0")
    )


def pax(records: bytes) -> bytes:
    """A pax header with these records, before a file of four bytes."""
    body = records.ljust(-(-len(records) // BLOCK_BYTES) * BLOCK_BYTES, b"\0")
    size = b"%011o" % len(records)
    file = header_of(b"00000000004") + b"data".ljust(BLOCK_BYTES, b"\0")
    return header_of(size, b"x") + body + file + bytes(2 * BLOCK_BYTES)


@given(files, kinds)
def test_what_was_packed_is_listed(contents: list[tuple[str, bytes]], kind: int) -> None:
    tar = packed(contents, kind)
    found = listed(tar)
    assert [member.name for member in found] == [name for name, _ in contents]
    bodies = [tar[member.offset : member.offset + member.size_bytes] for member in found]
    assert bodies == [data for _, data in contents]


def check(tar: bytes) -> None:
    with contextlib.suppress(ArchiveError):
        listed(tar)


@given(st.binary(max_size=3 * BLOCK_BYTES))
def test_any_bytes(tar: bytes) -> None:
    check(tar)
    assert has_header(tar[:BLOCK_BYTES]) in (True, False)


@given(st.data(), files, kinds)
def test_damaged_tar(data: st.DataObject, contents: list[tuple[str, bytes]], kind: int) -> None:
    check(data.draw(damaged(packed(contents, kind))))


@given(st.binary(min_size=12, max_size=12), st.sampled_from([b"0", b"5", b"x", b"L", b"g"]))
@example(b"-0000001000\0", b"0")  # a size below zero: the same header for ever
@example(b"-0000002000\0", b"x")
@example(b"0o000001000\0", b"0")
@example(b"1_000\0", b"0")
@example(b"\xff" * 12, b"0")
def test_any_size_in_a_header(size: bytes, kind: bytes) -> None:
    check(header_of(size, kind) + bytes(6 * BLOCK_BYTES))


records = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.integers(-(10**6), 10**6).map(lambda size: b"size=%d\n" % size),
        st.sampled_from([b"path=../x\n", b"path=a\n", b"size=9" + b"9" * 5000 + b"\n", b"x=\n"]),
    ),
    max_size=3,
)


@given(records, st.integers(-30, 30))
@example([b"size=-512\n"], 0)  # a body that ends before it begins
@example([b"size=-2048\n"], 0)
@example([b"size=+4\n"], 0)
@example([b"path=a\n"], -18)  # a record of negative length
def test_any_pax_header(lines: list[bytes], wrong_by: int) -> None:
    whole = b""
    for line in lines:
        length = len(line) + 1 + len(str(len(line) + 3)) + wrong_by
        whole += b"%d %s" % (length, line)
    check(pax(whole))


@given(st.binary(max_size=600))
def test_any_pax_bytes(content: bytes) -> None:
    check(pax(content))


@given(files, st.integers(0, 20 * BLOCK_BYTES))
def test_cut_tar_is_told(contents: list[tuple[str, bytes]], length: int) -> None:
    """Wherever it is cut before its end, a beginning is listed, and then there is the error."""
    tar = packed(contents, tarfile.GNU_FORMAT)
    whole = listed(tar)
    end = whole[-1].end if whole else 0
    cut = tar[: min(length, max(end + BLOCK_BYTES - 1, 0))]
    found: list[Member] = []
    read = functools.partial(_read, cut)
    try:
        for member in members_from("a.tar", read, len(cut)):
            found.append(member)
    except ArchiveError:
        assert found == whole[: len(found)]
    else:
        raise AssertionError("a tar that is cut was taken for whole")


def _read(tar: bytes, size_bytes: int, position: int) -> bytes:
    return tar[position : position + size_bytes]
