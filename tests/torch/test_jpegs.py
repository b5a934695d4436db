"""JPEGs handed over as they are, and the memory that workers hand them over in."""

from __future__ import annotations

import copy
import gc
import io
import multiprocessing
import os
import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, default_collate
from torchvision.io import decode_jpeg

from pass_dataset import PassArchive
from pass_dataset.errors import ArchiveError
from pass_dataset.torch import PASS, JpegBatch, JpegTensor, PassStream, slots
from tests.support.collection import Collection

Root = tuple[Path, Path]
BATCH = 7


@pytest.fixture
def jpegs(many: Collection) -> list[bytes]:
    return [record.jpeg for record in PassArchive(many.folder, many.tsv)]


def stream_of(many: Collection, **settings: Any) -> PassStream:
    settings = {"batch_size": BATCH, "window_records": 128, "target": "index", **settings}
    return PassStream(many.folder, many.tsv, decode="jpeg", **settings)


def as_bytes(batch: Iterable[torch.Tensor]) -> list[bytes]:
    return [jpeg.numpy().tobytes() for jpeg in batch]


def check(loader: Iterable[Any], jpegs: list[bytes]) -> int:
    """Whether all images come once, with their own bytes; how many places these were in."""
    seen: list[int] = []
    places = set()
    for batch, positions in loader:
        assert isinstance(batch, JpegBatch)
        assert as_bytes(batch) == [jpegs[position] for position in positions.tolist()]
        seen += positions.tolist()
        places.add(batch.data.data_ptr())
    assert sorted(seen) == list(range(len(jpegs)))
    return len(places)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_every_image_has_its_own_bytes(many: Collection, jpegs: list[bytes], workers: int) -> None:
    stream = stream_of(many)
    loader = DataLoader(stream, BATCH, num_workers=workers)
    order = [position for _, position in stream_of(many)]
    assert [position for _, some in loader for position in some.tolist()] == order
    check(loader, jpegs)
    dataset = PASS(many.folder, many.tsv, decode="jpeg", target="index")
    check(DataLoader(dataset, BATCH, shuffle=True, num_workers=workers), jpegs)


def test_some_of_a_batch() -> None:
    batch = JpegBatch(torch.arange(9, dtype=torch.uint8), [2, 2, 9])
    assert [part.tolist() for part in batch[1:]] == [[], [2, 3, 4, 5, 6, 7, 8]]
    assert [part.tolist() for part in batch[::-2]] == [[2, 3, 4, 5, 6, 7, 8], [0, 1]]
    assert batch[-1].tolist() == [2, 3, 4, 5, 6, 7, 8] and batch[5:] == []


def test_memory_is_used_again(many: Collection, jpegs: list[bytes]) -> None:
    """86 batches; in use are those that a worker may be ahead by, and a few at either end."""
    loader = DataLoader(stream_of(many), BATCH, num_workers=1, persistent_workers=True)
    assert check(loader, jpegs) <= 6
    assert check(loader, jpegs) <= 6
    assert check(DataLoader(stream_of(many), BATCH), jpegs) <= 4


@pytest.mark.parametrize("workers", [0, 2])
def test_what_the_training_keeps_stays_as_it_is(
    many: Collection, jpegs: list[bytes], workers: int
) -> None:
    batches = list(DataLoader(stream_of(many), BATCH, num_workers=workers))
    check(batches, jpegs)
    # One view is enough to keep a batch, and workers that are gone do not matter.
    views = [(batch[-1], int(positions[-1])) for batch, positions in batches]
    del batches
    gc.collect()
    check(DataLoader(stream_of(many), BATCH, num_workers=workers), jpegs)
    assert all(view.numpy().tobytes() == jpegs[position] for view, position in views)


def test_memory_that_was_kept_is_not_all_used_on(many: Collection, jpegs: list[bytes]) -> None:
    loader = DataLoader(stream_of(many), BATCH, num_workers=1, persistent_workers=True)
    kept = list(loader)
    (worker,) = slots._mapped
    assert len(slots._mapped[worker]) > 80
    del kept
    check(loader, jpegs)
    check(loader, jpegs)
    assert sum(memory[0] != slots._RETIRED for memory in slots._mapped[worker].values()) <= 10


@pytest.mark.slow
def test_memory_of_workers_that_are_gone_is_given_back(many: Collection) -> None:
    for _ in range(3):
        loader = DataLoader(stream_of(many), BATCH, num_workers=2)
        iterator = iter(loader)
        batch, _ = next(iterator)
        before = batch.data.clone()
        assert len(slots._mapped) >= 1
        del iterator, loader
        gc.collect()
        assert not slots._mapped
        assert torch.equal(batch.data, before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_does_not_give_back_what_this_one_uses(
    many: Collection, jpegs: list[bytes]
) -> None:
    loader = iter(DataLoader(stream_of(many), BATCH, num_workers=1, prefetch_factor=1))
    kept = [next(loader)]
    child = os.fork()
    if not child:
        kept.clear()
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    check([*kept, *loader], jpegs)


@pytest.mark.slow
def test_workers_that_are_spawned(many: Collection, jpegs: list[bytes]) -> None:
    spawn = multiprocessing.get_context("spawn")
    loader = DataLoader(stream_of(many), BATCH, num_workers=1, multiprocessing_context=spawn)
    assert check(loader, jpegs) <= 6


@pytest.mark.parametrize("workers", [0, 2])
def test_other_batches_than_were_read_together(
    many: Collection, jpegs: list[bytes], workers: int
) -> None:
    for batch_size in (1, 5, 14, 100):
        check(DataLoader(stream_of(many), batch_size, num_workers=workers), jpegs)


class Mixed(IterableDataset[Any]):
    """Keeps images, and gives them out in another order."""

    def __init__(self, stream: PassStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[Any]:
        kept = []
        for number, example in enumerate(self._stream):
            kept.append(example)
            if number % 3:
                yield kept.pop(0)
        yield from reversed(kept)


@pytest.mark.parametrize("workers", [0, 1])
def test_images_that_a_worker_keeps(many: Collection, jpegs: list[bytes], workers: int) -> None:
    check(DataLoader(Mixed(stream_of(many)), BATCH, num_workers=workers), jpegs)


def as_they_are(examples: list[Any]) -> list[Any]:
    return examples


def test_images_handed_over_one_by_one(many: Collection, jpegs: list[bytes]) -> None:
    loader = DataLoader(stream_of(many), BATCH, num_workers=1, collate_fn=as_they_are)
    examples = [example for batch in loader for example in batch]
    assert [jpeg.numpy().tobytes() for jpeg, _ in examples] == [jpegs[p] for _, p in examples]


def test_batch(mini_root: Root) -> None:
    dataset = PASS(*mini_root, decode="jpeg", target=None)
    jpegs = [dataset[position] for position in (3, 1, 2)]
    for batch in (default_collate(jpegs), default_collate(dataset.__getitems__([3, 1, 2]))):
        assert len(batch) == 3
        assert "3 images" in repr(batch)
        assert all(map(torch.equal, batch, jpegs))
        assert all(torch.equal(batch[place], jpegs[place]) for place in (0, 1, -1))
        assert batch.offsets.diff().tolist() == list(map(len, jpegs))
        assert batch.offsets.dtype == torch.int64
        with pytest.raises(IndexError):
            batch[3]
        file = io.BytesIO()
        torch.save(batch, file)
        file.seek(0)
        for copied in (pickle.loads(pickle.dumps(batch)), torch.load(file, weights_only=False)):
            assert as_bytes(copied) == as_bytes(batch)
    assert dataset.__getitems__([]) == []


@pytest.mark.filterwarnings("ignore:The image decoding:DeprecationWarning")
def test_example_is_a_tensor_for_decoders(mini_root: Root) -> None:
    dataset = PASS(*mini_root, decode="jpeg", target="hash")
    records = PassArchive(*mini_root, save_index=False)
    jpeg, text = dataset[5]
    assert type(jpeg) is JpegTensor
    assert (jpeg.dtype, jpeg.dim(), text) == (torch.uint8, 1, records[5].hash)
    assert jpeg.numpy().tobytes() == records[5].jpeg
    assert type(jpeg + 1) is type(jpeg[2:]) is torch.Tensor
    for copied in (copy.deepcopy(jpeg), pickle.loads(pickle.dumps(jpeg))):
        assert type(copied) is JpegTensor
        assert torch.equal(copied, jpeg)
    decoded = PASS(*mini_root, decode_jpeg, decode="jpeg", target=None)
    pixels = PASS(*mini_root, decode="tensor", target=None)
    assert torch.equal(decoded[5], pixels[5])


def test_cut_tar_is_said(many: Collection, tmp_path: Path) -> None:
    made = Collection(tmp_path / "archives", tars=1, per_tar=20)
    made.describe()
    stream = PassStream(made.folder, made.tsv, decode="jpeg", batch_size=5)
    (tar,) = made.folder.glob("*.tar")
    os.truncate(tar, 6000)
    with pytest.raises(ArchiveError, match=r"expected .* bytes .*, found"):
        list(stream)


def test_continues_in_the_middle(many: Collection, jpegs: list[bytes]) -> None:
    stream = stream_of(many)
    loader = DataLoader(stream, BATCH, num_workers=2)
    had = [next(batches) for batches in [iter(loader)] for _ in range(11)]
    again = stream_of(many)
    again.load_state_dict(stream.state_dict(batches=11))
    check([*had, *DataLoader(again, BATCH, num_workers=1)], jpegs)
