"""Passes one after the other, with nobody saying of which epoch they are."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from torch.utils.data import DataLoader, IterableDataset

from pass_dataset.torch import PassStream
from tests.support.collection import Collection

BATCH = 7
IMAGES = 600


def stream_of(many: Collection, **settings: Any) -> PassStream:
    settings = {"batch_size": BATCH, "window_records": 128, **settings}
    return PassStream(many.folder, many.tsv, len, decode="bytes", target="index", **settings)


def loader_of(stream: Any, workers: int, **settings: Any) -> DataLoader[Any]:
    return DataLoader(stream, BATCH, num_workers=workers, **settings)


def pass_over(loader: Iterable[Any]) -> list[int]:
    return [position for _, positions in loader for position in positions.tolist()]


@pytest.fixture(scope="module")
def orders(many: Collection) -> list[list[int]]:
    """Of the first epochs."""
    found = []
    for epoch in range(4):
        stream = stream_of(many)
        stream.set_epoch(epoch)
        found.append([position for _, position in stream])
    assert len({tuple(order) for order in found}) == 4
    return found


@pytest.mark.parametrize(("workers", "lives_on"), [(0, False), (1, True), (2, False), (3, True)])
def test_each_pass_is_of_the_next_epoch(
    many: Collection, orders: list[list[int]], workers: int, lives_on: bool
) -> None:
    stream = stream_of(many)
    loader = loader_of(stream, workers, persistent_workers=lives_on)
    for epoch in range(3):
        assert pass_over(loader) == orders[epoch]
        assert stream.epoch == epoch
    assert pass_over(loader_of(stream, 2)) == orders[3]  # whatever loader


def test_without_a_loader(many: Collection, orders: list[list[int]]) -> None:
    stream = stream_of(many)
    assert [[position for _, position in stream] for _ in range(3)] == orders[:3]


def test_more_workers_than_batches(many: Collection) -> None:
    stream = stream_of(many, keep=list(range(10)))
    loader = loader_of(stream, 4, persistent_workers=True)
    assert [sorted(pass_over(loader)) for _ in range(3)] == [list(range(10))] * 3
    assert stream.epoch == 2


@pytest.mark.parametrize("workers", [0, 2])
def test_ranks_go_on_alike(many: Collection, orders: list[list[int]], workers: int) -> None:
    loaders = [
        loader_of(stream_of(many, rank=rank, world_size=3), workers, persistent_workers=workers > 0)
        for rank in range(3)
    ]
    for epoch in range(2):
        assert [one for loader in loaders for one in pass_over(loader)] == orders[epoch]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_pass_that_was_broken_off_is_begun_again(
    many: Collection, orders: list[list[int]], workers: int
) -> None:
    stream = stream_of(many)
    loader = loader_of(stream, workers, persistent_workers=workers > 0)
    next(iter(loader))
    assert pass_over(loader) == orders[0]
    next(iter(loader))
    assert pass_over(loader) == orders[1]


@pytest.mark.parametrize("workers", [0, 2])
def test_what_is_chosen_counts(many: Collection, orders: list[list[int]], workers: int) -> None:
    stream = stream_of(many)
    loader = loader_of(stream, workers, persistent_workers=workers > 0)
    for epoch in (0, 0, 2, 1):
        stream.set_epoch(epoch)
        assert pass_over(loader) == orders[epoch]
    assert pass_over(loader) == orders[2]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_states_are_of_the_pass_at_hand(
    many: Collection, orders: list[list[int]], workers: int
) -> None:
    """Also when the workers have read to its end already."""
    stream = stream_of(many)
    loader = loader_of(stream, workers, persistent_workers=workers > 0, prefetch_factor=100) if (
        workers
    ) else loader_of(stream, 0)  # fmt: skip
    for epoch in range(2):
        for number, _ in enumerate(loader, 1):
            if number in (1, 5, 85):
                again = stream_of(many)
                again.load_state_dict(stream.state_dict(batches=number))
                assert again.epoch == epoch
                assert pass_over(loader_of(again, workers)) == orders[epoch][number * BATCH :]
                assert pass_over(loader_of(again, workers)) == orders[epoch + 1]


@pytest.mark.parametrize("workers", [0, 2])
def test_after_the_end_of_an_epoch_comes_the_next(
    many: Collection, orders: list[list[int]], workers: int
) -> None:
    stream = stream_of(many)
    batches = len(list(loader_of(stream, workers)))
    state = stream.state_dict(batches=batches)
    again = stream_of(many)
    again.load_state_dict(state)
    assert pass_over(loader_of(again, workers)) == orders[1]
    # Who counts epochs finds that nothing of this one is left.
    again.load_state_dict(state)
    again.set_epoch(0)
    assert pass_over(loader_of(again, workers)) == []
    assert pass_over(loader_of(again, workers)) == orders[1]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """What was logged since it was asked last, in workers too."""
    path = tmp_path / "log"
    handler = logging.FileHandler(path)
    logging.getLogger("pass_dataset").addHandler(handler)

    def said() -> str:
        text = path.read_text()
        os.truncate(path, 0)
        return text

    yield said
    logging.getLogger("pass_dataset").removeHandler(handler)
    handler.close()


# --- the loader's batches ---------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_the_batch_size_is_seen(many: Collection, orders: list[list[int]], workers: int) -> None:
    stream = stream_of(many, batch_size=None)
    loader = loader_of(stream, workers, drop_last=True)
    whole = IMAGES // BATCH * BATCH
    for epoch in range(2):
        assert pass_over(loader) == orders[epoch][:whole]
    for number, _ in enumerate(loader, 1):
        if number == 3:
            break
    again = stream_of(many)
    again.load_state_dict(stream.state_dict(batches=3))
    assert pass_over(loader_of(again, 2)) == orders[2][3 * BATCH :]


def test_a_loader_without_batches(many: Collection, log: Callable[[], str]) -> None:
    stream = stream_of(many, batch_size=None)
    loader = DataLoader(stream, batch_size=None, num_workers=2)
    assert sorted(position for _, position in loader) == list(range(IMAGES))
    assert "batch_size" not in log()


class Around(IterableDataset[Any]):
    """A dataset of the user's own, around ours."""

    def __init__(self, stream: PassStream) -> None:
        self.stream = stream

    def __iter__(self) -> Any:
        yield from self.stream


def test_what_is_not_seen_is_said(many: Collection, log: Callable[[], str]) -> None:
    stream = stream_of(many, batch_size=None)
    assert sorted(pass_over(loader_of(Around(stream), 2))) == list(range(IMAGES))
    said = log()
    assert "made without batch_size=, and the loader is not seen" in said
    assert sorted(pass_over(loader_of(Around(stream_of(many)), 2))) == list(range(IMAGES))
    assert log() == ""


def test_another_batch_size_is_said(many: Collection, log: Callable[[], str]) -> None:
    stream = stream_of(many, batch_size=3)
    assert sorted(pass_over(loader_of(stream, 2))) == list(range(IMAGES))
    assert "made with batch_size=3, and the loader asks for batches of 7" in log()
    with pytest.raises(ValueError, match=r"takes batches of 7, and PassStream .* batch_size=3"):
        stream.state_dict(batches=2)
    assert stream.state_dict(batches=0)["taken"] == 0
