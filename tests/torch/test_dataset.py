from __future__ import annotations

import errno
import io
import logging
import math
import multiprocessing
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, DistributedSampler, RandomSampler, default_collate
from torchvision.transforms import v2

from pass_dataset import PassArchive
from pass_dataset.archives import mini
from pass_dataset.errors import (
    FolderError,
    ImageError,
    MetadataError,
    RecordNotFoundError,
    ReleaseError,
)
from pass_dataset.torch import PASS, PassStream
from tests.support.collection import Collection, image_hash

Root = tuple[Path, Path]

two_crops = v2.Compose([v2.RandomResizedCrop(32, antialias=True), v2.PILToTensor()])


def two_views(image: Image.Image) -> tuple[torch.Tensor, torch.Tensor]:
    """As MoCo and DINO have them; of this module, so that it pickles."""
    return two_crops(image), two_crops(image)


def fit(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(image.resize((16, 16))))


@pytest.fixture
def records(mini_root: Root) -> PassArchive:
    return PassArchive(*mini_root, save_index=False)


def test_image_and_metadata(mini_root: Root, records: PassArchive) -> None:
    dataset = PASS(*mini_root)
    assert len(dataset) == len(records) == 64
    assert "64 images" in repr(dataset)
    for position, record in enumerate(records):
        image, target = dataset[position]
        assert image.mode == "RGB"
        assert np.array_equal(image, Image.open(io.BytesIO(record.jpeg)).convert("RGB"))
        assert list(target) == [
            "hash", "creator", "license", "date_taken", "latitude", "longitude",
        ]  # fmt: skip
        assert target["hash"] == record.hash
        assert target["creator"] == (record.creator or "")
        assert target["date_taken"] == (record.date_taken_text or "")
        for name in ("latitude", "longitude"):
            known = getattr(record, name)
            assert target[name] == known if known is not None else math.isnan(target[name])
    batch = default_collate([dataset[0][1], dataset[1][1]])
    assert batch["hash"] == [records[0].hash, records[1].hash]
    assert batch["latitude"].dtype == torch.float64


def test_targets(mini_root: Root, records: PassArchive) -> None:
    assert PASS(*mini_root, decode="bytes", target=None)[7] == records[7].jpeg
    assert PASS(*mini_root, decode="bytes", target="index")[7] == (records[7].jpeg, 7)
    assert PASS(*mini_root, decode="bytes", target="hash")[-1] == (
        records[63].jpeg,
        records[63].hash,
    )
    changed = PASS(*mini_root, len, decode="bytes", target="hash", target_transform=str.upper)
    assert changed[0] == (len(records[0].jpeg), records[0].hash.upper())
    with pytest.raises(ValueError, match="target: expected 'metadata'"):
        PASS(*mini_root, target="label")  # type: ignore[arg-type]


def test_positions_out_of_range(mini_root: Root) -> None:
    dataset = PASS(*mini_root)
    for position in (64, -65):
        with pytest.raises(IndexError):
            dataset[position]
        with pytest.raises(IndexError):
            dataset.__getitems__([0, position])


def test_batches_are_the_same_as_one_by_one(mini_root: Root) -> None:
    dataset = PASS(*mini_root, decode="bytes")
    positions = [40, 3, 3, -1, 17, 60]
    assert str(dataset.__getitems__(positions)) == str([dataset[p] for p in positions])
    random_crops = PASS(*mini_root, two_views, target=None)
    torch.manual_seed(0)
    batch = random_crops.__getitems__([9, 2, 5])
    torch.manual_seed(0)
    single = [random_crops[position] for position in (9, 2, 5)]
    for together, alone in zip(batch, single, strict=True):
        assert torch.equal(together[0], alone[0])
        assert torch.equal(together[1], alone[1])


def test_batches_are_read_in_the_order_of_the_tars(mini_root: Root) -> None:
    dataset = PASS(*mini_root, decode="bytes", target="index")
    read: list[int] = []
    reader = dataset._reading()
    plain = reader.jpegs
    reader.jpegs = lambda rows: read.extend(rows.tolist()) or plain(rows)  # type: ignore
    assert [index for _, index in dataset.__getitems__([50, 2, 30])] == [50, 2, 30]
    assert read == [2, 30, 50]


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_loader_with_workers(mini_root: Root, start: str) -> None:
    if start not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {start} here")
    dataset = PASS(*mini_root, fit, target="index")
    expected = torch.stack([dataset[position][0] for position in range(64)])
    loader = DataLoader(
        dataset, 10, shuffle=True, persistent_workers=True, multiprocessing_context=start,
        num_workers=2 if start == "fork" else 1,  # a spawned one imports PyTorch anew
    )  # fmt: skip
    for _ in range(2):
        seen = []
        for images, positions in loader:
            assert torch.equal(images, expected[positions])
            seen += positions.tolist()
        assert sorted(seen) == list(range(64))


@pytest.mark.filterwarnings("ignore:'pin_memory' argument is set as true")
def test_loader_pins_memory_where_there_is_an_accelerator(mini_root: Root) -> None:
    loader = DataLoader(PASS(*mini_root, two_views, target=None), 16, pin_memory=True)
    first, second = next(iter(loader))
    assert first.shape == second.shape == (16, 3, 32, 32)
    assert first.is_pinned() == torch.cuda.is_available()


def test_distributed_sampler(mini_root: Root) -> None:
    dataset = PASS(*mini_root, len, decode="bytes", target="index")
    seen: list[int] = []
    for rank in range(3):
        sampler: DistributedSampler[Any] = DistributedSampler(dataset, 3, rank)
        loader = DataLoader(dataset, 5, sampler=sampler)
        seen += [position for _, positions in loader for position in positions.tolist()]
    assert set(seen) == set(range(64))
    assert len(seen) == 66  # the sampler fills up to the same number for each


def test_two_views(mini_root: Root) -> None:
    dataset = PASS(*mini_root, two_views, target=None)
    first, second = next(iter(DataLoader(dataset, 8, sampler=RandomSampler(dataset))))
    assert first.shape == second.shape == (8, 3, 32, 32)
    assert not torch.equal(first, second)


def test_transform_may_be_set_later(mini_root: Root) -> None:
    dataset = PASS(*mini_root, target=None)
    assert dataset.transform is None
    dataset.transform = fit
    assert dataset[0].shape == (16, 16, 3)


def test_pickles_small(mini_root: Root, many: Collection) -> None:
    for dataset in (PASS(*mini_root), PASS(many.folder, many.tsv)):
        dataset.__getitems__([0]) if dataset.archive.release.name == "pass_mini" else None
        data = pickle.dumps(dataset)
        assert len(data) < 10_000
        again = pickle.loads(data)
        assert len(again) == len(dataset)
        assert again.archive[5] == dataset.archive[5]


# --- which images ---------------------------------------------------------------------------------


def hashes_of(dataset: PASS) -> list[str]:
    return [dataset[position][1] for position in range(len(dataset))]


def opened(many: Collection, **settings: Any) -> PASS:
    return PASS(many.folder, many.tsv, decode="bytes", target="hash", **settings)


def test_parts(many: Collection) -> None:
    assert hashes_of(opened(many, parts=[2])) == many.hashes[400:]


def test_release_is_told_from_the_folder_or_chosen_among_subfolders(tmp_path: Path) -> None:
    made = Collection(tmp_path / "all" / "1.0.0")
    made.describe()
    inside = tmp_path / "all" / "1.0.0" / "release.tsv"
    inside.write_text(made.tsv.read_text())
    assert len(PASS(made.folder)) == 15
    assert len(PASS(tmp_path / "all", inside)) == 15
    with pytest.raises(FolderError, match="expected an archive folder, found nothing"):
        PASS(tmp_path / "nothing")
    with pytest.raises(ReleaseError):
        PASS(made.folder, "9.9.9")


def as_file(folder: Path, hashes: list[str]) -> Path:
    path = folder / "kept.txt"
    names = [text if n % 2 else f"PASS_dataset/0/{text}.jpg" for n, text in enumerate(hashes)]
    path.write_text("\n".join(["# kept by the filter", "", *names, image_hash(10**6), ""]))
    return path


@pytest.mark.parametrize(
    "given",
    [
        as_file,
        lambda folder, hashes: str(as_file(folder, hashes)),
        lambda folder, hashes: hashes,
        lambda folder, hashes: tuple(hashes[::-1]),
        lambda folder, hashes: [3, 100, 599],
        lambda folder, hashes: np.array([599, 3, 100, 3]),
    ],
)
def test_keep(many: Collection, tmp_path: Path, given: Callable[[Path, list[str]], Any]) -> None:
    """Positions count in what is kept, in the order of the tars whatever that of the list."""
    kept = [many.hashes[position] for position in (3, 100, 599)]
    dataset = opened(many, keep=given(tmp_path, kept))
    assert hashes_of(dataset) == kept
    assert [text for _, text in dataset.__getitems__([2, 0])] == [kept[2], kept[0]]
    assert pickle.loads(pickle.dumps(dataset))[1][1] == kept[1]


def test_keep_within_parts(many: Collection) -> None:
    chosen = [many.hashes[position] for position in (0, 450, 599)]
    assert hashes_of(opened(many, parts=[2], keep=chosen)) == chosen[1:]
    assert hashes_of(opened(many, parts=[2], keep=[1])) == [many.hashes[401]]


def test_keep_says_what_is_wrong(many: Collection, tmp_path: Path) -> None:
    with pytest.raises(RecordNotFoundError, match="none of the 1 hashes to be kept is among the 6"):
        opened(many, keep=[image_hash(10**6)])
    with pytest.raises(IndexError, match="positions from 0 to 599, found 600"):
        opened(many, keep=[600])
    with pytest.raises(IndexError, match="found -1"):
        opened(many, keep=[-1])
    with pytest.raises(ValueError, match="found none"):
        opened(many, keep=[])
    with pytest.raises(TypeError, match="list of float64"):
        opened(many, keep=[0.5])
    (tmp_path / "list.txt").write_text("hello\n")
    with pytest.raises(RecordNotFoundError, match=r"none of the 1 hashes of .*list.txt to be kept"):
        opened(many, keep=tmp_path / "list.txt")
    (tmp_path / "list.txt").write_text(f"{image_hash(1)},kept\n")
    with pytest.raises(MetadataError, match=r"list.txt: expected a hash .* other things"):
        opened(many, keep=tmp_path / "list.txt")
    with pytest.raises(MetadataError, match="cannot be read as a list of hashes"):
        opened(many, keep=tmp_path / "none.txt")


def test_download_fetches_what_is_missing(many: Collection, tmp_path: Path) -> None:
    source, release = tmp_path / "source", tmp_path / "release.tsv"
    shutil.copytree(many.folder, source)
    lines = many.tsv.read_text().splitlines()
    located = [
        line.replace("-\t", f"{(source / line.split()[-1]).as_uri()}\t", 1)
        if line.startswith("-\t")
        else line
        for line in lines
    ]
    release.write_text("\n".join([*located, ""]))
    target = tmp_path / "target"
    with pytest.raises(FolderError):
        PASS(target, release)
    dataset = PASS(target, release, decode="bytes", target="hash", download=True)
    assert hashes_of(dataset) == many.hashes


# --- images that cannot be decoded ----------------------------------------------------------------


@pytest.fixture
def damaged(tmp_path: Path) -> tuple[Path, Path, int]:
    """The mini release with zeros in the middle of two images, one after the other."""
    folder = tmp_path / "damaged"
    shutil.copytree(mini.ARCHIVES, folder)
    archive = PassArchive(folder, mini.CHECKSUMS, save_index=False)
    for where in archive[20:22].columns(["tar", "offset", "size_bytes"]).to_pylist():
        with (folder / f"PASS.{where['tar']}.tar").open("r+b") as file:
            file.seek(where["offset"])
            file.write(bytes(where["size_bytes"] // 2))
    return folder, mini.CHECKSUMS, 20


def test_damage_raises_and_says_where(damaged: tuple[Path, Path, int]) -> None:
    folder, release, bad = damaged
    dataset = PASS(folder, release)
    row = dataset.archive[bad : bad + 1].columns(["hash", "tar", "offset"]).to_pylist()[0]
    for read in (lambda: dataset[bad], lambda: dataset.__getitems__([0, bad])):
        with pytest.raises(ImageError) as caught:
            read()
        message = str(caught.value)
        assert str(folder / f"PASS.{row['tar']}.tar") in message
        assert row["hash"] in message
        assert f"byte {row['offset']:,}" in message
    loader = DataLoader(dataset, 8, num_workers=1, collate_fn=list)
    with pytest.raises(ImageError, match=row["hash"]):
        list(loader)


def test_damage_is_skipped_and_counted(
    damaged: tuple[Path, Path, int], caplog: pytest.LogCaptureFixture
) -> None:
    folder, release, bad = damaged
    dataset = PASS(folder, release, fit, target="index", on_error="skip")
    with caplog.at_level(logging.WARNING):
        assert dataset[bad][1] == bad + 2
    assert dataset.skipped == 2
    assert dataset.archive[bad].hash in caplog.text
    loader = DataLoader(dataset, 8, num_workers=2)
    seen = [position for _, positions in loader for position in positions.tolist()]
    assert seen == [22 if position in (20, 21) else position for position in range(64)]
    assert dataset.skipped == 2 + 3  # counted in the workers: 20 and 21, and 21 again


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.EMFILE, "Too many open files"),
        OSError(errno.EIO, "Input/output error"),
        OSError("out of memory error when reading image file"),  # Pillow's words
    ],
)
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_what_the_machine_lacks_is_no_fault_of_the_image(
    many: Collection, on_error: Any, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, jpeg: bytes) -> Any:
        raise error

    monkeypatch.setattr("pass_dataset.torch.images.Decoder._image", fail)
    dataset = PASS(many.folder, many.tsv, on_error=on_error)
    with pytest.raises(type(error)) as caught:
        dataset[0]
    assert caught.value is error
    stream = PassStream(many.folder, many.tsv, on_error=on_error)
    with pytest.raises(type(error)):
        next(iter(stream))
    assert (dataset.skipped, stream.skipped) == (0, 0)


def test_nothing_but_damage_is_an_error(many: Collection) -> None:
    dataset = PASS(many.folder, many.tsv, on_error="skip")
    with pytest.raises(ImageError, match="all 100 before it cannot be decoded"):
        dataset[0]
    with pytest.raises(ValueError, match="on_error: expected 'raise' or 'skip'"):
        PASS(many.folder, many.tsv, on_error="ignore")  # type: ignore[arg-type]
