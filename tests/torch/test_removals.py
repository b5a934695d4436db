"""Images on a removal list are gone from the PyTorch readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch.utils.data import DataLoader

from pass_dataset.archives.removals import add_removals
from pass_dataset.errors import RecordNotFoundError
from pass_dataset.torch import PASS, PassStream
from tests.support.collection import Collection


@pytest.fixture
def gone(collection: Collection) -> list[str]:
    add_removals(collection.folder, [collection.hashes[0], *collection.hashes[8:11]])
    return [collection.hashes[0], *collection.hashes[8:11]]


def kept(collection: Collection, gone: list[str]) -> list[str]:
    return [one for one in collection.hashes if one not in gone]


def seen(dataset: Any, workers: int = 0, **options: Any) -> list[str]:
    loader = DataLoader(dataset, batch_size=4, num_workers=workers, **options)
    return [image_hash for _, hashes in loader for image_hash in hashes]


@pytest.mark.parametrize("workers", [0, 2])
def test_gone(collection: Collection, gone: list[str], workers: int) -> None:
    options: dict[str, Any] = {"decode": "bytes", "target": "hash"}
    dataset = PASS(collection.folder, collection.tsv, **options)
    assert len(dataset) == 11
    assert seen(dataset, workers) == kept(collection, gone)
    stream = PassStream(collection.folder, collection.tsv, batch_size=4, **options)
    for epoch in range(2):
        stream.set_epoch(epoch)
        assert sorted(seen(stream, workers)) == sorted(kept(collection, gone))


@pytest.mark.slow
def test_spawned_workers(collection: Collection, gone: list[str]) -> None:
    dataset = PASS(collection.folder, collection.tsv, decode="bytes", target="hash")
    assert seen(dataset, 1, multiprocessing_context="spawn") == kept(collection, gone)


def test_with_keep_and_another_list(
    collection: Collection, gone: list[str], tmp_path: Path
) -> None:
    own = tmp_path / "own.txt"
    own.write_text(f"{collection.hashes[2]}\n")
    options: dict[str, Any] = {"decode": "bytes", "target": "hash", "removals": own}
    dataset = PASS(collection.folder, collection.tsv, keep=collection.hashes[:5], **options)
    assert [target for _, target in dataset] == [collection.hashes[n] for n in (1, 3, 4)]
    with pytest.raises(RecordNotFoundError):
        PASS(collection.folder, collection.tsv, keep=gone, **options)
    stream = PassStream(collection.folder, collection.tsv, parts=[0], seed=None, **options)
    assert [target for _, target in stream] == [collection.hashes[n] for n in (1, 3, 4)]


def test_a_state_of_before_is_refused(collection: Collection) -> None:
    stream = PassStream(collection.folder, collection.tsv, decode="bytes", batch_size=2)
    state = stream.state_dict(batches=2)
    add_removals(collection.folder, collection.hashes[:1])
    later = PassStream(collection.folder, collection.tsv, decode="bytes", batch_size=2)
    with pytest.raises(ValueError, match="images"):
        later.load_state_dict(state)
