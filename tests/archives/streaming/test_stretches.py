from __future__ import annotations

import itertools

import pytest

from pass_dataset.archives.streaming.stretches import Stretch, byte_ranges, stretches
from pass_dataset.releases.release import official_release


@pytest.mark.parametrize("total_bytes", [1, 512, 10**6, 10**8, 10**9, 10**11, 179_640_190_811])
def test_ranges_cover_everything_once(total_bytes: int) -> None:
    ranges = byte_ranges(total_bytes, 2688)
    assert ranges[0][0] == 0
    assert ranges[-1][1] == total_bytes
    assert all(before[1] == after[0] for before, after in itertools.pairwise(ranges))
    assert all(first < last for first, last in ranges)


def test_a_release_has_work_for_many_workers_and_no_large_stretch() -> None:
    tars = official_release("3.0.0").tars
    ranges = byte_ranges(sum(file.size_bytes for file in tars), 2688)
    assert len(ranges) == 2688
    assert max(last - first for first, last in ranges) < 64 << 20
    assert len(byte_ranges(1 << 30, 2688)) == 336
    assert len(byte_ranges(64 << 20, 2688)) >= 256
    assert len(byte_ranges(10**11, 100)) == 100


def test_stretches_of_tars() -> None:
    sizes = [100, 0, 50, 200]
    assert list(stretches(sizes, 0, 350)) == [
        Stretch(0, 0, 100),
        Stretch(2, 0, 50),
        Stretch(3, 0, 200),
    ]
    assert list(stretches(sizes, 90, 110)) == [Stretch(0, 90, 100), Stretch(2, 0, 10)]
    assert list(stretches(sizes, 150, 151)) == [Stretch(3, 0, 1)]
    assert list(stretches(sizes, 20, 20)) == []
