from __future__ import annotations

from pass_dataset.passify.detectors.batches import like_batches


def test_batches_are_alike_and_no_larger_than_asked() -> None:
    assert like_batches(["a", "b", "a", "a", "b"], 2) == [[0, 2], [3], [1, 4]]
    assert like_batches(["a", "b", "a"], 1) == [[0], [2], [1]]
    assert like_batches([], 3) == []
    assert like_batches("abbaba", {"a": 1, "b": 2}.__getitem__) == [[0], [3], [5], [1, 2], [4]]
