from __future__ import annotations

import numpy as np
import pytest

from pass_dataset.archives.order import shuffled_order
from pass_dataset.torch.order import mates_in_batch, mixed_order


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 1000, 12_345])
@pytest.mark.parametrize("window_records", [1, 64, 100_000])
def test_every_position_once(length: int, window_records: int) -> None:
    order = mixed_order(length, 8, window_records, seed=1, epoch=2)
    assert np.array_equal(np.sort(order), np.arange(length))


def test_same_seed_and_epoch_same_order() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return mixed_order(5000, 8, 512, seed, epoch).tolist()

    assert order(0, 0) == order(0, 0)
    orders = [order(0, 0), order(0, 1), order(1, 0), order(1, 1)]
    for one in range(4):
        for other in range(one):
            assert np.mean(np.array(orders[one]) == orders[other]) < 0.01


def test_order_is_the_same_on_every_machine() -> None:
    """States name places in the order, so no version of anything may change it."""
    assert mixed_order(20, 4, 8, seed=0, epoch=0).tolist() == PINNED


PINNED = [16, 4, 5, 17, 19, 6, 7, 13, 12, 18, 15, 14, 9, 11, 10, 8, 0, 3, 2, 1]


def test_records_of_a_block_lie_within_the_window() -> None:
    order = mixed_order(40_000, 8, 1024, seed=3, epoch=0)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    of_blocks = place.reshape(-1, 8)
    spread = of_blocks.max(axis=1) - of_blocks.min(axis=1)
    assert spread.max() <= 2 * 1024
    assert 500 < np.median(spread) < 1024


def test_mates_of_known_orders() -> None:
    ordered = np.arange(4096)
    assert mates_in_batch(ordered, 256, 8) == 7
    assert mates_in_batch(ordered, 4, 8) == 3
    apart = ordered.reshape(8, -1).T.ravel()  # eight neighbours are never in a batch
    assert mates_in_batch(apart.reshape(-1, 8).T.ravel(), 256, 1) == 0
    shuffled = shuffled_order(1_000_000, 0)
    assert mates_in_batch(shuffled, 256, 8) == pytest.approx(256 * 7 / 1e6, rel=0.1)


def test_mixes_nearly_as_well_as_a_full_shuffle() -> None:
    """Were all images of a block the same, 256 would still be worth more than 200.

    In a full shuffle a record has no neighbour in its batch; read through a buffer of 1,000, as
    streams of tars usually are, a record's batch is full of them.
    """
    order = mixed_order(400_000, 8, 8192, seed=0, epoch=0)
    mates = mates_in_batch(order, 256, 8)
    assert 256 / (1 + mates) > 200
    # Beyond blocks, batches are as mixed as those of a full shuffle.
    beyond = mates_in_batch(order, 256, 1000) - mates
    assert beyond == pytest.approx(256 * 1000 / 400_000, rel=0.25)


def test_no_trace_of_the_order_of_the_tars() -> None:
    """Neither of near records (places correlate) nor of far ones (parts of the tars in batches)."""
    order = mixed_order(400_000, 8, 8192, seed=0, epoch=0).astype(np.float64)
    assert abs(np.corrcoef(np.arange(len(order)), order)[0, 1]) < 0.01
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 0.01
    means = order[: len(order) // 256 * 256].reshape(-1, 256).mean(axis=1)
    independent = len(order) / np.sqrt(12) / np.sqrt(256)
    assert 0.8 < means.std() / independent < 1.25
