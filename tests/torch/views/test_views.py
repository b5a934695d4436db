"""Views of real files: the same whoever makes them, and what becomes of files that are none."""

from __future__ import annotations

import io
import itertools
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.v2.functional import normalize, to_dtype

from pass_dataset import PassArchive
from pass_dataset.errors import ImageError
from pass_dataset.torch import PASS, PassStream
from pass_dataset.torch.views import (
    Recipe,
    ViewRecipe,
    Views,
    decoding,
    dino,
    making,
    moco_v2,
    normalise,
    swav,
)
from tests.support.collection import Collection

Root = tuple[Path, Path]
BATCH = 6
SMALL = moco_v2(size_px=32)


def jpeg_of(width: int, height: int, mode: str = "RGB", **settings: Any) -> bytes:
    y, x = np.mgrid[:height, :width]
    pixels = np.dstack([x * 255 // width, y * 255 // height, (x + y) % 256]).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **settings)
    return file.getvalue()


def seen(batches: Any) -> dict[str, bytes]:
    """Views by hash: all values of all views of an image."""
    found: dict[str, bytes] = {}
    for views, hashes in batches:
        for place, image_hash in enumerate(hashes):
            assert image_hash not in found
            found[image_hash] = b"".join(view[place].numpy().tobytes() for view in views)
    return found


def stream_of(root: Root, **settings: Any) -> PassStream:
    settings = {"batch_size": BATCH, "target": "hash", "views": Views(SMALL, seed=3), **settings}
    return PassStream(*root, **settings)


def test_views_are_the_same_for_any_workers_ranks_and_dataset(mini_root: Root) -> None:
    alone = seen(DataLoader(stream_of(mini_root), BATCH))
    assert len(alone) == 64
    assert seen(DataLoader(stream_of(mini_root), BATCH, num_workers=2)) == alone
    ranks = [
        seen(DataLoader(stream_of(mini_root, rank=rank, world_size=3), BATCH, num_workers=1))
        for rank in range(3)
    ]
    assert {**ranks[0], **ranks[1], **ranks[2]} == alone
    dataset = PASS(*mini_root, target="hash", views=Views(SMALL, seed=3))
    assert seen(DataLoader(dataset, 5, shuffle=True, num_workers=1)) == alone
    assert seen(DataLoader(stream_of(mini_root, views=Views(SMALL, seed=4)), BATCH)) != alone


def test_a_resumed_training_sees_the_same_views(mini_root: Root) -> None:
    """Broken off within the second epoch, and gone on with other workers."""
    whole = stream_of(mini_root)
    whole.set_epoch(1)
    expected = seen(DataLoader(whole, BATCH))
    stream = stream_of(mini_root)
    stream.set_epoch(1)
    first = list(itertools.islice(DataLoader(stream, BATCH, num_workers=2), 4))
    again = stream_of(mini_root)
    again.load_state_dict(stream.state_dict(batches=4))
    rest = seen(DataLoader(again, BATCH, num_workers=1))
    assert not seen(first).keys() & rest.keys()
    assert {**seen(first), **rest} == expected


@pytest.mark.slow
def test_epochs_differ_with_workers_that_live_on(mini_root: Root) -> None:
    stream = stream_of(mini_root)
    loader = DataLoader(stream, BATCH, num_workers=1, persistent_workers=True)
    epochs = [seen(loader), seen(loader)]
    stream.set_epoch(0)
    epochs.append(seen(loader))
    assert epochs[0] == epochs[2]
    assert all(epochs[0][image_hash] != views for image_hash, views in epochs[1].items())

    dataset = PASS(*mini_root, target="hash", views=Views(SMALL, seed=3))
    loader = DataLoader(dataset, BATCH, num_workers=1, persistent_workers=True)
    for epoch in (0, 1, 1, 0):
        dataset.set_epoch(epoch)
        assert seen(loader) == epochs[epoch]


def test_views_of_any_dataset_of_jpegs(mini_root: Root) -> None:
    """A transform, whose key is the content."""
    jpegs = [record.jpeg for record in PassArchive(*mini_root)][:8]

    class Bytes(Dataset[Any]):
        def __init__(self, transform: Callable[[bytes], Any]) -> None:
            self.transform = transform

        def __len__(self) -> int:
            return len(jpegs)

        def __getitem__(self, index: int) -> Any:
            return self.transform(jpegs[index]), str(index)

    views = Views(SMALL)
    loader = DataLoader(Bytes(views), 4, num_workers=1, persistent_workers=True)
    first = seen(loader)
    assert seen(loader) == first == seen(DataLoader(Bytes(Views(SMALL)), 3))
    views.set_epoch(1)
    assert not set(seen(loader).values()) & set(first.values())
    assert np.array_equal(views(jpegs[0], "a")[0], views(jpegs[0], b"a")[0])
    with pytest.raises(ValueError, match="epoch"):
        views.set_epoch(-1)


def test_shapes_and_memory(mini_root: Root) -> None:
    jpeg = next(iter(PassArchive(*mini_root))).jpeg
    for recipe, sizes in ((moco_v2(), [224] * 2), (swav(), [224] * 2 + [96] * 6), (dino(), None)):
        views = Views(recipe)(jpeg)
        sizes = sizes or [224] * 2 + [96] * 8
        assert [tuple(view.shape) for view in views] == [(3, size, size) for size in sizes]
        assert all(view.dtype == torch.uint8 for view in views)
    one = Views(Recipe((ViewRecipe(size_px=64),)))(jpeg)[0]
    assert one.permute(1, 2, 0).numpy().flags["C_CONTIGUOUS"]


@pytest.mark.slow
def test_batches_keep_what_they_hold(mini_root: Root) -> None:
    """Memory is used again, but not while the training has a batch."""
    stream = stream_of(mini_root)
    kept = [
        (views, hashes, [view.clone() for view in views])
        for views, hashes in DataLoader(stream, BATCH, num_workers=2, prefetch_factor=1)
    ]
    assert type(kept[0][0]) is list
    for views, _, copies in kept:
        assert all(torch.equal(view, copy) for view, copy in zip(views, copies, strict=True))
        assert all(view.is_contiguous(memory_format=torch.channels_last) for view in views)
    places = {
        views[0].data_ptr()
        for views, _ in DataLoader(stream_of(mini_root, batch_size=2), 2, num_workers=1)
    }
    assert len(places) < 16


def test_a_transform_is_given_the_views(mini_root: Root) -> None:
    dataset = PASS(*mini_root, target=None, views=Views(SMALL), transform=lambda views: views[0])
    assert dataset[0].shape == (3, 32, 32)
    floats = PASS(
        *mini_root,
        target=None,
        views=Views(SMALL),
        transform=lambda views: type(views)(normalise(view) for view in views),
    )
    queries, keys = next(iter(DataLoader(floats, 3)))
    assert queries.dtype == keys.dtype == torch.float32 and queries.shape == (3, 3, 32, 32)


def test_normalise_is_torchvisions(mini_root: Root) -> None:
    views = Views(SMALL)(next(iter(PassArchive(*mini_root))).jpeg)
    batch = torch.stack(list(views))
    theirs = normalize(
        to_dtype(batch, torch.float32, scale=True), [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    )
    assert torch.allclose(normalise(batch), theirs, atol=1e-5)
    assert batch.dtype == torch.uint8
    assert normalise(batch, dtype=torch.bfloat16).dtype == torch.bfloat16


@pytest.mark.parametrize("settings", [{"decode": "bytes"}, {"min_side_px": 64}, {"upright": False}])
def test_what_views_decide_themselves(mini_root: Root, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="views"):
        PASS(*mini_root, views=Views(SMALL), **settings)


def test_nothing_but_bad_jpegs(many: Collection) -> None:
    """As `on_error` says: these images cannot be decoded, all of them."""
    dataset = PASS(many.folder, many.tsv, views=Views(SMALL), target=None)
    with pytest.raises(ImageError, match="cannot be decoded"):
        dataset[0]
    stream = PassStream(many.folder, many.tsv, views=Views(SMALL), target=None, on_error="skip")
    with pytest.raises(ImageError, match="all 100 before it"):
        next(iter(stream))


def test_bad_jpegs_in_the_middle(tmp_path: Path) -> None:
    """The next takes the place of each; views of the others are as they would be without them."""

    def body(number: int) -> bytes:
        data = jpeg_of(60 + number, 50)
        return data[: len(data) // 2] if number in (7, 8) else data

    made = Collection(tmp_path, tars=2, per_tar=10, body=body)
    made.describe()
    bad = {made.hashes[number] for number in (7, 8)}
    root = made.folder, made.tsv
    with pytest.raises(ImageError, match="|".join(bad)):
        list(DataLoader(stream_of(root), BATCH))
    stream = stream_of(root, on_error="skip")
    found = [one for _, hashes in DataLoader(stream, BATCH) for one in hashes]
    assert len(found) == 20
    assert {*found} == {*made.hashes} - bad
    assert stream.skipped >= len(bad)
    for views, hashes in DataLoader(stream_of(root, on_error="skip"), BATCH):
        for place, image_hash in enumerate(hashes):
            expected = Views(SMALL, seed=3)(body(made.hashes.index(image_hash)), image_hash)
            assert all(
                bool((view[place] == one).all()) for view, one in zip(views, expected, strict=True)
            )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    jpeg = jpeg_of(90, 60, exif=exif, quality=95)
    whole = Recipe((ViewRecipe(size_px=60, scale=(1.0, 1.0), ratio=(1.5, 1.5), flip=0.0),))
    turned = Recipe((ViewRecipe(size_px=60, scale=(1.0, 1.0), ratio=(2 / 3, 2 / 3), flip=0.0),))
    image = Image.open(io.BytesIO(jpeg))
    for recipe, upright, expected in (
        (turned if orientation >= 5 else whole, True, ImageOps.exif_transpose(image)),
        (whole, False, image),
    ):
        (view,) = Views(recipe, upright=upright)(jpeg)
        theirs = np.asarray(expected.convert("RGB").resize((60, 60), Image.Resampling.BILINEAR))
        assert np.abs(view.permute(1, 2, 0).numpy().astype(int) - theirs).max() <= 2


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_greys_and_inks(mode: str) -> None:
    (view,) = Views(Recipe((ViewRecipe(size_px=48, scale=(1.0, 1.0), flip=0.0),)))(
        jpeg_of(48, 48, mode, quality=95)
    )
    theirs = Image.open(io.BytesIO(jpeg_of(48, 48, mode, quality=95))).convert("RGB")
    assert np.abs(view.permute(1, 2, 0).numpy().astype(int) - np.asarray(theirs)).max() <= 1


def test_without_simplejpeg_the_pixels_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    jpegs = [jpeg_of(500, 375), jpeg_of(401, 301), jpeg_of(301, 401, subsampling=0)]
    recipe = moco_v2(size_px=16, min_scale=0.5)
    faster = [Views(recipe)(jpeg) for jpeg in jpegs]
    monkeypatch.setattr(decoding, "installed_simplejpeg", lambda: None)
    for views, jpeg in zip(faster, jpegs, strict=True):
        for view, other in zip(views, Views(recipe)(jpeg), strict=True):
            assert torch.equal(view, other)


def test_large_images_are_reduced_while_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    jpeg = jpeg_of(2001, 1501, quality=95)
    recipe = moco_v2(size_px=96, min_scale=0.3)
    decoded = Views(recipe).decode(jpeg, "a")
    assert decoded.reduction == 4 and decoded.pixels.shape == (376, 501, 3)
    reduced = Views(recipe).make(decoded)
    monkeypatch.setattr(making, "REDUCTIONS", ())
    for view, other in zip(reduced, Views(recipe)(jpeg, "a"), strict=True):
        assert (view.float() - other.float()).abs().mean() < 4


def test_a_small_image_is_enlarged() -> None:
    for size in ((1, 1), (3, 200), (200, 3)):
        views = Views(moco_v2())(jpeg_of(*size))
        assert [view.shape[-1] for view in views] == [224, 224]


@pytest.mark.slow
def test_views_go_to_workers_that_are_started_anew(mini_root: Root) -> None:
    alone = seen(DataLoader(stream_of(mini_root, parts="0"), BATCH))
    spawned = DataLoader(
        stream_of(mini_root, parts="0"),
        BATCH,
        num_workers=1,
        multiprocessing_context=multiprocessing.get_context("forkserver"),
    )
    assert seen(spawned) == alone


@pytest.mark.slow
def test_memory_stays_flat(mini_root: Root) -> None:
    """Of the workers, and of the training, over ten epochs; batches are in memory of their own."""
    stream = stream_of(mini_root, views=Views(swav()), batch_size=8)
    loader = DataLoader(stream, 8, num_workers=2, persistent_workers=True)
    found = []
    for _ in range(10):
        for _ in loader:
            pass
        workers = [process.pid for process in multiprocessing.active_children()]
        found.append(sum(map(own_bytes, [os.getpid(), *filter(None, workers)])))
    # What is kept of each epoch is kept of all: memory that is taken once, by whatever else this
    # process did before, is no more in the others.
    grown = [found[epoch + 3] - found[epoch] for epoch in (0, 3, 6)]
    assert min(grown) < 6_000_000


def own_bytes(process: int) -> int:
    """Memory of a process that lies in no file, and so in no batch either."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Anonymous:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(process)


@pytest.mark.slow
def test_opencv_is_imported_by_views_alone() -> None:
    code = (
        "import sys, pass_dataset, pass_dataset.torch; from pass_dataset.torch import PASS; "
        "assert 'cv2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
