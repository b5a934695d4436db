from __future__ import annotations

import json
import multiprocessing
import pickle
import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed
from torch.utils.data import DataLoader

from pass_dataset import PassArchive
from pass_dataset.archives import mini
from pass_dataset.errors import ImageError
from pass_dataset.torch import PASS, PassStream
from tests.support.collection import Collection

BATCH = 7


def stream_of(many: Collection, **settings: Any) -> PassStream:
    settings = {"batch_size": BATCH, "window_records": 128, **settings}
    return PassStream(many.folder, many.tsv, len, decode="bytes", target="index", **settings)


def loader_of(stream: PassStream, workers: int, **settings: Any) -> DataLoader[Any]:
    return DataLoader(stream, BATCH, num_workers=workers, **settings)


def batches_of(loader: Iterable[Any]) -> list[list[int]]:
    return [positions.tolist() for _, positions in loader]


def flat(batches: Iterable[list[int]]) -> list[int]:
    return [position for batch in batches for position in batch]


# --- an epoch -------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1, 2, 5])
@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_every_record_once_an_epoch(many: Collection, world_size: int, workers: int) -> None:
    seen: list[int] = []
    for rank in range(world_size):
        stream = stream_of(many, rank=rank, world_size=world_size)
        batches = batches_of(loader_of(stream, workers))
        assert [len(batch) for batch in batches[:-1]] == [BATCH] * (len(batches) - 1)
        assert len(batches) == len(loader_of(stream, workers))
        assert len(flat(batches)) == len(stream)
        seen += flat(batches)
    assert sorted(seen) == list(range(600))


def test_without_knowing_the_batch_size_every_record_comes_once_too(many: Collection) -> None:
    for batch_size, workers in ((1, 2), (3, 5), (100, 2)):
        stream = stream_of(many, batch_size=batch_size)
        assert sorted(flat(batches_of(loader_of(stream, workers)))) == list(range(600))


def test_order_does_not_depend_on_workers(many: Collection) -> None:
    orders = [batches_of(loader_of(stream_of(many), workers)) for workers in (0, 1, 2, 5)]
    assert all(order == orders[0] for order in orders)


def test_order_depends_on_seed_and_epoch(many: Collection) -> None:
    def order(seed: int, epoch: int) -> list[int]:
        stream = stream_of(many, seed=seed)
        stream.set_epoch(epoch)
        return [position for _, position in stream]

    assert order(0, 1) == order(0, 1)
    assert len({tuple(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4


def test_ranks_have_shares_of_one_order(many: Collection) -> None:
    whole = [position for _, position in stream_of(many)]
    shares = [
        [position for _, position in stream_of(many, rank=rank, world_size=7)] for rank in range(7)
    ]
    assert flat(shares) == whole
    assert {len(share) for share in shares} == {85, 86}


def test_equal_shares(many: Collection) -> None:
    shares = [
        [p for _, p in stream_of(many, rank=rank, world_size=7, equal_shares=True)]
        for rank in range(7)
    ]
    assert {len(share) for share in shares} == {85}
    assert len(set(flat(shares))) == 595


def test_order_of_the_tars(many: Collection) -> None:
    stream = stream_of(many, seed=None)
    assert flat(batches_of(loader_of(stream, 2))) == list(range(600))


def test_same_examples_as_the_map_style_dataset(many: Collection) -> None:
    dataset = PASS(many.folder, many.tsv, decode="bytes", parts=[0, 2])
    stream = PassStream(many.folder, many.tsv, decode="bytes", parts=[0, 2])
    positions = PassStream(many.folder, many.tsv, decode="bytes", parts=[0, 2], target="index")
    for (_, position), example in zip(positions, stream, strict=True):
        assert str(example) == str(dataset[position])


def test_keep(many: Collection) -> None:
    kept = many.hashes[10:300:3]
    stream = PassStream(many.folder, many.tsv, decode="bytes", target="hash", keep=kept)
    assert sorted(text for _, text in stream) == sorted(kept)


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_set_epoch_reaches_workers_that_live_on(many: Collection, start: str) -> None:
    if start not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {start} here")
    stream = stream_of(many)
    workers = 2 if start == "fork" else 1  # a spawned one imports PyTorch anew
    loader = loader_of(stream, workers, persistent_workers=True, multiprocessing_context=start)
    orders = []
    for epoch in (0, 1, 0):
        stream.set_epoch(epoch)
        orders.append(flat(batches_of(loader)))
    assert orders[0] == orders[2] != orders[1]
    alone = stream_of(many)
    alone.set_epoch(1)
    assert orders[1] == [position for _, position in alone]


def test_pickles_small(many: Collection) -> None:
    stream = stream_of(many)
    next(iter(stream))
    data = pickle.dumps(stream)
    assert len(data) < 10_000
    assert list(pickle.loads(data)) == list(stream)


# --- saved and continued --------------------------------------------------------------------------


def through_json(state: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(json.dumps(state))
    return content


@pytest.mark.parametrize(
    "point",
    [pytest.param(point, marks=pytest.mark.slow if point % 5 else ()) for point in range(20)],
)
def test_continues_anywhere(many: Collection, point: int) -> None:
    """With as many ranks the very order goes on, whatever the workers; else the same records."""
    rng = random.Random(point)
    world_size = rng.choice([1, 2, 3])
    epoch = rng.randrange(4)
    workers, other_workers = rng.sample([0, 1, 2, 3, 5], 2)
    streams = [stream_of(many, rank=rank, world_size=world_size) for rank in range(world_size)]
    batches = rng.randrange(600 // world_size // BATCH + 1)
    had: list[int] = []
    left: list[list[int]] = []
    states = []
    for stream in streams:
        stream.set_epoch(epoch)
        order = batches_of(loader_of(stream, workers))
        had += flat(order[:batches])
        left.append(flat(order[batches:]))
        states.append(through_json(stream.state_dict(batches=batches)))
    assert all(state == states[0] for state in states)

    for rank in range(world_size):
        again = stream_of(many, rank=rank, world_size=world_size)
        again.load_state_dict(states[0])
        again.set_epoch(epoch)
        assert len(again) == len(left[rank])
        assert flat(batches_of(loader_of(again, other_workers))) == left[rank]
        again.set_epoch(epoch + 1)
        assert len(again) == len(streams[rank])

    other_world = rng.choice([size for size in (1, 2, 3, 5) if size != world_size])
    rest: list[int] = []
    for rank in range(other_world):
        again = stream_of(many, rank=rank, world_size=other_world)
        again.load_state_dict(states[0])
        rest += flat(batches_of(loader_of(again, other_workers)))
    assert sorted(rest) == sorted(flat(left))
    assert sorted(had + rest) == list(range(600))


@pytest.mark.slow
def test_continues_again_and_again(many: Collection) -> None:
    """An epoch in many pieces, each with other numbers of ranks and workers."""
    rng = random.Random(0)
    seen: list[int] = []
    state = stream_of(many).state_dict(batches=0)
    while len(seen) < 600:
        world_size = rng.choice([1, 2, 3, 4])
        batches = rng.randrange(1, 12)
        streams = [stream_of(many, rank=rank, world_size=world_size) for rank in range(world_size)]
        for stream in streams:
            stream.load_state_dict(state)
            seen += flat(batches_of(loader_of(stream, rng.choice([0, 2])))[:batches])
        state = through_json(streams[0].state_dict(batches=batches))
    assert sorted(seen) == list(range(600))


def test_without_workers_the_stream_counts_itself(many: Collection) -> None:
    stream = stream_of(many)
    stream.set_epoch(2)
    iterator = iter(stream)
    had = [next(iterator)[1] for _ in range(123)]
    again = stream_of(many)
    again.load_state_dict(stream.state_dict())
    assert again.epoch == 2
    assert len(again) == 600 - 123
    assert sorted(had + [position for _, position in again]) == list(range(600))
    assert len(again) == 600  # of the next epoch


def test_state_is_not_guessed(many: Collection) -> None:
    """With workers the main process has read nothing; a state from it would begin anew."""
    stream = stream_of(many)
    batches_of(loader_of(stream, 1))
    with pytest.raises(ValueError, match=r"state_dict\(batches=…\)"):
        stream.state_dict()
    with pytest.raises(ValueError, match="batches: expected 0 or more"):
        stream.state_dict(batches=-1)


def test_states_of_others_are_refused(many: Collection) -> None:
    state = stream_of(many).state_dict(batches=3)
    for settings, difference in (
        ({"seed": 1}, "seed 0, here 1"),
        ({"window_records": 64}, "window_records 128, here 64"),
        ({"parts": [1]}, "images 600, here 200"),
        ({"keep": list(range(600))}, "selection '', here"),
    ):
        with pytest.raises(ValueError, match=difference):
            stream_of(many, **settings).load_state_dict(state)
    for other in ({}, {"schema": 99}, {**state, "shares": 1}):
        with pytest.raises(ValueError, match="no state of a PassStream"):
            stream_of(many).load_state_dict(other)


def test_workers_that_live_on_notice_a_loaded_state(many: Collection) -> None:
    stream = stream_of(many)
    loader = loader_of(stream, 1, persistent_workers=True)
    batches_of(loader)
    stream.load_state_dict(stream.state_dict(batches=5))
    with pytest.raises(RuntimeError, match="make a new DataLoader"):
        batches_of(loader)
    assert len(flat(batches_of(loader_of(stream, 1)))) == 600 - 5 * BATCH


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:'set_vital' is deprecated")  # torchdata 0.11 with torch 2.15
@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_stateful_data_loader(many: Collection, workers: int) -> None:
    stateful = pytest.importorskip("torchdata.stateful_dataloader", reason="needs torchdata")

    def loader() -> Any:
        return stateful.StatefulDataLoader(stream_of(many), BATCH, num_workers=workers)

    def next_epoch(loader: Any) -> list[list[int]]:
        loader.dataset.set_epoch(1)
        return batches_of(loader)

    whole_next = next_epoch(loader())

    whole = batches_of(loader())
    for batches in (0, 5, len(whole) - 1):
        first = loader()
        iterator = iter(first)
        had = [next(iterator)[1].tolist() for _ in range(batches)]
        again = loader()
        again.load_state_dict(first.state_dict())
        assert had + batches_of(again) == whole
        assert next_epoch(again) == whole_next


# --- ranks ----------------------------------------------------------------------------------------


def test_ranks_that_torchrun_names(many: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert list(stream_of(many)) == list(stream_of(many, rank=2, world_size=3))


def test_wrong_ranks(many: Collection) -> None:
    with pytest.raises(ValueError, match="expected both or neither"):
        stream_of(many, rank=0)
    with pytest.raises(ValueError, match="found rank 3 of 3"):
        stream_of(many, rank=3, world_size=3)
    with pytest.raises(ValueError, match="batch_size: expected 1 or more, found 0"):
        stream_of(many, batch_size=0)


def _train(rank: int, folder: Path, tsv: Path, meeting: Path, out: Path) -> None:
    made_before = PassStream(folder, tsv, len, decode="bytes", target="index")
    torch.distributed.init_process_group(
        "gloo", init_method=meeting.as_uri(), rank=rank, world_size=2
    )
    stream = PassStream(folder, tsv, len, decode="bytes", target="index", batch_size=BATCH)
    seen = flat(batches_of(DataLoader(stream, BATCH, num_workers=1)))
    try:
        next(iter(made_before))
        said = "nothing"
    except RuntimeError as error:
        said = str(error)
    (out / f"{rank}.json").write_text(json.dumps([seen, said]))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed")
def test_ranks_of_torch_distributed(many: Collection, tmp_path: Path) -> None:
    import torch.multiprocessing

    torch.multiprocessing.spawn(
        _train, (many.folder, many.tsv, tmp_path / "meeting", tmp_path), nprocs=2
    )
    results = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    assert sorted(results[0][0] + results[1][0]) == list(range(600))
    assert all("make it after init_process_group" in said for _, said in results)


# --- images that cannot be decoded ----------------------------------------------------------------


def test_damage(tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(mini.ARCHIVES, folder)
    archive = PassArchive(folder, mini.CHECKSUMS)
    (where,) = archive[33:34].columns(["hash", "tar", "offset", "size_bytes"]).to_pylist()
    with (folder / f"PASS.{where['tar']}.tar").open("r+b") as file:
        file.seek(where["offset"])
        file.write(bytes(where["size_bytes"]))
    settings: dict[str, Any] = {"target": "index", "batch_size": 4}
    with pytest.raises(ImageError, match=where["hash"]):
        list(PassStream(folder, mini.CHECKSUMS, **settings))
    stream = PassStream(
        folder, mini.CHECKSUMS, lambda image: image.width, on_error="skip", **settings
    )
    seen = flat(batches_of(DataLoader(stream, 4, num_workers=2)))
    assert sorted(seen) == sorted([*range(33), 34, *range(34, 64)])
    assert stream.skipped == 1


def test_numbers_are_plain_and_whole(many: Collection) -> None:
    """NumPy's go into no JSON and no checkpoint, and of parts nobody knows what is meant."""
    stream = PassStream(
        many.folder, many.tsv, decode="bytes", batch_size=np.int64(4), seed=np.int64(3)
    )
    state = stream.state_dict(batches=np.int64(2))
    assert json.loads(json.dumps(state)) == state
    for name, value in (("seed", "a"), ("seed", 1.5), ("batch_size", 0), ("window_records", 2.5)):
        with pytest.raises((TypeError, ValueError), match=f"{name}: expected"):
            PassStream(many.folder, many.tsv, **{name: value})
    with pytest.raises(TypeError, match="batches: expected a whole number"):
        stream.state_dict(batches=1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="epoch: expected a whole number"):
        stream.set_epoch(1.7)  # type: ignore[arg-type]
    stream.set_epoch(1 << 40)
    assert len(list(stream)) == len(stream) > 0
    assert stream.epoch == 1 << 40
