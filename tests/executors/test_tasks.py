from __future__ import annotations

import pytest

from pass_dataset.executors.tasks import split_shards


@pytest.mark.parametrize(
    ("shards", "max_tasks", "tasks"),
    [
        ([], 5, []),
        ([7], 5, [(7,)]),
        ([1, 2, 5], 5, [(1,), (2,), (5,)]),
        ([0, 1, 2, 3, 4, 5, 6], 3, [(0, 1), (2, 3), (4, 5, 6)]),
        ([0, 1, 2], 1, [(0, 1, 2)]),
    ],
)
def test_split_shards(shards: list[int], max_tasks: int, tasks: list[tuple[int, ...]]) -> None:
    assert split_shards(shards, max_tasks) == tasks


def test_split_is_even_and_loses_nothing() -> None:
    for count in range(1, 60):
        tasks = split_shards(range(count), 7)
        assert [shard for task in tasks for shard in task] == list(range(count))
        assert max(map(len, tasks)) - min(map(len, tasks)) <= 1
