"""The order and the shards are those that TFDS's own writer makes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pass_dataset.archives.ensure import open_mini
from pass_dataset.builds.writing.layout import hashed_order, lay_out, shuffled_records
from pass_dataset.tfds.shard_format import TfdsFormat
from tests.support.collection import image_hash

pytest.importorskip("tensorflow_datasets")

FORMAT = TfdsFormat("tfrecord")


def test_order_is_that_of_tfds(tmp_path: Path) -> None:
    from tensorflow_datasets.core.shuffle import Shuffler

    hashes = [image_hash(number) for number in range(500)]
    shuffler = Shuffler(tmp_path, "train")
    for name in hashes:
        shuffler.add(name, name.encode())
    theirs = [data.decode() for _, data in shuffler]
    assert [hashes[position] for position in hashed_order(hashes, "train")] == theirs


def test_order_depends_on_hashes_alone() -> None:
    hashes = [image_hash(number) for number in range(100)]
    shuffled = random.Random(0).sample(hashes, len(hashes))
    one = [hashes[position] for position in hashed_order(hashes, "train")]
    assert [shuffled[position] for position in hashed_order(shuffled, "train")] == one
    assert one != [hashes[position] for position in hashed_order(hashes, "test")]


@pytest.mark.parametrize("shards", [1, 2, 7, 63, 64])
def test_shards_begin_where_those_of_tfds_do(shards: int) -> None:
    from tensorflow_datasets.core.utils.shard_utils import get_shard_boundaries

    layout = lay_out(shuffled_records(open_mini(), "train", FORMAT), shards)
    assert list(layout.stops) == get_shard_boundaries(64, shards)
    assert sum(layout.shard_lengths) == 64
    hashes = [name for number in range(shards) for name in layout.shard(number)["hash"].to_pylist()]
    assert hashes == layout.records["hash"].to_pylist()
    for number in range(shards):
        assert layout.shard_bytes[number] == sum(layout.shard(number)["example_bytes"].to_pylist())


@pytest.mark.parametrize("shards", [0, 65])
def test_no_empty_shards(shards: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 64 shards"):
        lay_out(shuffled_records(open_mini(), "train", FORMAT), shards)


def test_a_limit_takes_the_first_of_the_archives() -> None:
    archive = open_mini()
    first = {archive[position].hash for position in range(10)}
    assert set(shuffled_records(archive, "train", FORMAT, 10)["hash"].to_pylist()) == first
