"""EXIF data, sound and damaged: the walk ends, stays inside, and finds what was written."""

from __future__ import annotations

import struct
from typing import Literal, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from pass_dataset.images.exif import ASCII, first_directory
from pass_dataset.images.orientation import UPRIGHT, exif_orientation
from pass_dataset.reports.stats.cameras import NO_CAMERA, camera_of

#: By struct's signs.
Order = Literal["<", ">"]

#: Of a test: no time is asserted, nothing is kept between runs.
PROPERTY = settings(deadline=None, database=None)

#: Tags.
ALL = range(0x10000)
_ORIENTATION = 0x0112

ORDERS = st.sampled_from(("<", ">"))
NUMBERS = st.integers(0, 0xFFFF)


class Written(NamedTuple):
    """An entry as it was written; `field`: its last four bytes, as a number."""

    tag: int
    type: int
    count: int
    field: int


ENTRIES = st.lists(
    st.builds(
        Written,
        # Those that mean something, and any.
        st.sampled_from((0x010E, 0x010F, 0x0110, _ORIENTATION)) | NUMBERS,
        st.sampled_from((ASCII, 3)) | NUMBERS,
        st.integers(0, 20) | st.integers(0, 2**32 - 1),
        st.integers(0, 200) | st.integers(0, 2**32 - 1),
    ),
    max_size=8,
)


def written(entries: list[Written], order: Order, gap: bytes = b"") -> bytes:
    """EXIF data of these entries, whose directory comes after a gap."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    start = mark + struct.pack(order + "I", 8 + len(gap)) + gap
    packed = (struct.pack(order + "HHII", *entry) for entry in entries)
    return start + struct.pack(order + "H", len(entries)) + b"".join(packed)


def damaged(data: bytes, cut: int, place: int, bytes_: bytes) -> bytes:
    """The same with so many bytes cut off, and others in the place of one."""
    data = data[: len(data) - cut]
    return data[:place] + bytes_ + data[place + 1 :]


DAMAGED = st.builds(
    damaged,
    st.builds(written, ENTRIES, ORDERS, st.binary(max_size=40)),
    st.integers(0, 10),
    st.integers(0, 100),
    st.binary(max_size=2),
)


@PROPERTY
@given(ENTRIES, ORDERS, st.binary(max_size=40), st.binary(max_size=40))
def test_finds_what_was_written(
    entries: list[Written], order: Order, gap: bytes, tail: bytes
) -> None:
    data = written(entries, order, gap)
    found = list(first_directory(data + tail, ALL))
    assert [(entry.tag, entry.type) for entry in found] == [entry[:2] for entry in entries]
    for number, (entry, wrote) in enumerate(zip(found, entries, strict=True)):
        own = 8 + len(gap) + 2 + 12 * number + 8
        assert entry.text_start == (own if wrote.count <= 4 else wrote.field)
        assert entry.text_end - entry.text_start == wrote.count
        assert struct.pack(order + "H", entry.number) == data[own : own + 2]


@PROPERTY
@given(ENTRIES, ORDERS, st.sets(NUMBERS))
def test_finds_what_is_wanted_only(entries: list[Written], order: Order, tags: set[int]) -> None:
    data = written(entries, order)
    tags |= {entry.tag for entry in entries[::2]}
    wanted = [entry for entry in first_directory(data, ALL) if entry.tag in tags]
    assert list(first_directory(data, tags)) == wanted


@PROPERTY
@given(st.binary(max_size=200) | DAMAGED)
def test_any_bytes_are_survived(data: bytes) -> None:
    found = list(first_directory(data, ALL))
    assert len(found) <= len(data) // 12
    assert 1 <= exif_orientation(data) <= 8
    for text in camera_of(data):
        assert text is None or (text.isprintable() and 1 <= len(text) <= 64)
    if not found:
        assert (exif_orientation(data), camera_of(data)) == (UPRIGHT, NO_CAMERA)


@PROPERTY
@given(ENTRIES, ORDERS, st.integers(0, 200))
def test_what_is_cut_has_the_first_ones(entries: list[Written], order: Order, end: int) -> None:
    data = written(entries, order)
    of_all, of_part = list(first_directory(data, ALL)), list(first_directory(data[:end], ALL))
    assert of_part == of_all[: max(0, min(end, len(data)) - 10) // 12]


@PROPERTY
@given(st.integers(0, 0xFFFF), ORDERS, NUMBERS)
def test_orientation_whatever_its_type(value: int, order: Order, type_: int) -> None:
    field = value if order == "<" else value << 16
    data = written([Written(0x0100, 3, 1, 9), Written(_ORIENTATION, type_, 1, field)], order)
    assert exif_orientation(data) == (value if 1 <= value <= 8 else UPRIGHT)


def test_number_of_entries_is_not_believed() -> None:
    stated = b"II*\0" + struct.pack("<IH", 8, 0xFFFF)
    assert list(first_directory(stated, ALL)) == []
    assert len(list(first_directory(stated + bytes(12 * 3 + 11), ALL))) == 3


def test_more_than_65535_entries_cannot_be_stated() -> None:
    stated = b"II*\0" + struct.pack("<IH", 8, 0xFFFF)
    assert len(list(first_directory(stated + bytes(12 * 70_000), ALL))) == 65_535


def test_directory_may_lie_on_its_own_head() -> None:
    """Nothing forbids it, and nothing is read twice."""
    data = b"II*\0" + bytes(4) + bytes(40)
    assert len(list(first_directory(data, ALL))) <= len(data) // 12
