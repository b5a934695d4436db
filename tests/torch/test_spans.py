from __future__ import annotations

import random

import numpy as np
import pytest

from pass_dataset.torch.spans import Spans, cut_shares


def places(spans: Spans) -> list[int]:
    return spans.at(np.arange(len(spans))).tolist()


def test_between_is_slicing() -> None:
    rng = random.Random(0)
    for _ in range(200):
        edges = sorted(rng.sample(range(60), 6))
        spans = Spans.of(zip(edges[::2], edges[1::2], strict=True))
        listed = [place for first, stop in spans.stretches for place in range(first, stop)]
        assert len(spans) == len(listed)
        assert places(spans) == listed
        some = rng.sample(range(len(listed)), min(5, len(listed)))
        assert spans.at(np.array(some, np.int64)).tolist() == [listed[n] for n in some]
        start = rng.randrange(len(listed) + 1)
        end = rng.randrange(start, len(listed) + 5)
        assert places(spans.between(start, end)) == listed[start:end]


def test_empty() -> None:
    assert len(Spans.of([])) == len(Spans.of([(3, 3)])) == 0
    assert places(Spans.of([])) == []


@pytest.mark.parametrize("count", [1, 2, 3, 7, 50])
def test_shares(count: int) -> None:
    left = Spans.of([(2, 9), (20, 33), (40, 41)])
    shares = cut_shares(left, count, equal=False)
    assert [place for share in shares for place in places(share)] == places(left)
    sizes = {len(share) for share in shares}
    assert max(sizes) - min(sizes) <= 1
    equal = cut_shares(left, count, equal=True)
    assert {len(share) for share in equal} == {len(left) // count}
