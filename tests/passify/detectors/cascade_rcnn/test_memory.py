from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import pytest

torch = pytest.importorskip("torch")

from pass_dataset.passify.detectors.cascade_rcnn import memory  # noqa: E402


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(memory, "_free", deque())
    monkeypatch.setattr(memory, "LARGE_BYTES", 4 * 64)
    yield


def test_memory_is_used_again_when_the_last_view_is_gone() -> None:
    one = memory.empty_floats((10, 10))
    address = one.data_ptr()
    view = one[5:]
    del one
    other = memory.empty_floats((10, 10))
    assert other.data_ptr() != address
    del view
    assert memory.empty_floats((9, 9)).data_ptr() == address


def test_a_larger_block_takes_the_place_of_a_smaller_one() -> None:
    memory.empty_floats((10, 10))
    memory.empty_floats((20, 20))
    assert [block.size for block in memory._free] == [400]


def test_maps_have_their_channels_last() -> None:
    like = torch.empty(0)
    for side in (2, 8):
        found = memory.empty_map((2, 16, side, side), like)
        assert found.shape == (2, 16, side, side)
        assert found.is_contiguous(memory_format=torch.channels_last)
        assert not memory._free
        del found
    half = memory.empty_map((2, 16, 8, 8), like.half())
    assert half.dtype == torch.float16
    assert half.is_contiguous(memory_format=torch.channels_last)
