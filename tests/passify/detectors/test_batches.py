from __future__ import annotations

from pass_dataset.passify.detectors.batches import like_batches


def test_batches_are_alike_and_no_larger_than_asked() -> None:
    assert like_batches(["a", "b", "a", "a", "b"], 2) == [[0, 2], [3], [1, 4]]
    assert like_batches(["a", "b", "a"], 1) == [[0], [2], [1]]
    assert like_batches([], 3) == []
    assert like_batches("abbaba", {"a": 1, "b": 2}.__getitem__) == [[0], [3], [5], [1, 2], [4]]


def test_what_is_left_goes_in_halves() -> None:
    """So that few numbers of images are met: each is planned anew."""
    batches = like_batches(["a"] * 23 + ["b"] * 3, 8, few_counts=True)
    assert [len(batch) for batch in batches] == [8, 8, 4, 2, 1, 2, 1]
    assert [n for batch in batches for n in batch] == list(range(26))
    assert [len(batch) for batch in like_batches("a" * 11, 6, few_counts=True)] == [6, 3, 1, 1]
    assert like_batches("ab", 1, few_counts=True) == [[0], [1]]
