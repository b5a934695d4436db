"""What users do by mistake is told them as that, and not as a fault of their files."""

from __future__ import annotations

import copy
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from pass_dataset.errors import ImageError
from pass_dataset.torch import PASS, PassStream
from pass_dataset.torch.views import (
    ColourJitter,
    DeviceViews,
    Recipe,
    ViewList,
    ViewRecipe,
    Views,
    dino,
    moco_v2,
    normalise,
    swav,
)
from tests.torch.views.test_views import Root, jpeg_of

SMALL = moco_v2(size_px=32)
WHOLE = Recipe((ViewRecipe(size_px=40, scale=(1.0, 1.0), ratio=(1.0, 1.0), flip=0.0),))


# --- recipes and seeds ----------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", [PASS, PassStream])
def test_a_recipe_is_no_views(mini_root: Root, dataset: Any) -> None:
    with pytest.raises(TypeError, match=r"views: expected Views\(…\), found Recipe"):
        dataset(*mini_root, views=SMALL)
    with pytest.raises(TypeError, match=r"expected Views\(…\), found DeviceViews"):
        dataset(*mini_root, views=DeviceViews(SMALL, device="cpu"))


def test_the_function_is_no_recipe() -> None:
    for make in (Views, DeviceViews):
        with pytest.raises(TypeError, match=r"found function; is it moco_v2\(\) that is meant"):
            make(moco_v2)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"expected a Recipe.*found ViewRecipe"):
            make(SMALL.views[0])  # type: ignore[arg-type]
        for seed in ("0", 1.5, None):
            with pytest.raises(TypeError, match="seed: expected a whole number, found"):
                make(SMALL, seed)  # type: ignore[arg-type]
    assert type(Views(SMALL, np.int64(3)).seed) is int  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: moco_v2(size_px=(224, 224)), r"size_px: expected a whole number.*\(224, 224\)"),  # type: ignore[arg-type]
        (lambda: moco_v2(size_px=224.0), "size_px: expected a whole number"),  # type: ignore[arg-type]
        (lambda: moco_v2(size_px=0), "size_px: expected 1 or more, found 0"),
        (lambda: moco_v2(min_scale="0.2"), "scale: expected two numbers"),  # type: ignore[arg-type]
        (lambda: moco_v2(min_scale=(0.2, 1)), "scale: expected two numbers"),  # type: ignore[arg-type]
        (lambda: ViewRecipe(scale=0.2), "scale: expected two numbers, from and to, found 0.2"),  # type: ignore[arg-type]
        (lambda: swav(small_views=-1), "small_views: expected 0 or more, found -1"),
        (lambda: swav(min_small_scale=0.5), "min_small_scale: expected at most 0.14"),
        (lambda: dino(min_scale=0.04), "min_small_scale: expected at most min_scale, 0.04"),
        (lambda: Recipe((ColourJitter(0, 0, 0, 0),)), "views: expected a ViewRecipe each"),  # type: ignore[arg-type]
    ],
)
def test_recipes_say_what_is_expected(make: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        make()


def test_epochs() -> None:
    views = Views(SMALL)
    for epoch in (-1, 1.5):
        with pytest.raises((TypeError, ValueError), match="epoch: expected"):
            views(jpeg_of(40, 30), "a", epoch)  # type: ignore[arg-type]
        with pytest.raises((TypeError, ValueError), match="epoch: expected"):
            views.set_epoch(epoch)  # type: ignore[arg-type]
        with pytest.raises((TypeError, ValueError), match="epoch: expected"):
            DeviceViews(SMALL, device="cpu")([], epoch=epoch)  # type: ignore[arg-type]


# --- files ----------------------------------------------------------------------------------------


def test_whatever_lies_in_memory_like_bytes(photographs_folder: Path) -> None:
    jpeg = jpeg_of(90, 60)
    expected = Views(SMALL)(jpeg)
    same: list[Any] = [bytearray(jpeg), memoryview(jpeg), np.frombuffer(jpeg, np.uint8)]
    same.append(torch.frombuffer(bytearray(jpeg), dtype=torch.uint8))
    for file in same:
        assert all(map(torch.equal, Views(SMALL)(file), expected))
    image = Image.open(io.BytesIO(jpeg))
    wrong: list[Any] = ["photograph.jpg", photographs_folder, image, np.asarray(image), 5, None]
    for file in [*wrong, np.zeros(9, np.float32)]:
        with pytest.raises(TypeError, match=r"jpeg: expected the bytes.*loader=lambda path: Path"):
            Views(SMALL)(file)


@pytest.fixture
def photographs_folder(tmp_path: Path) -> Path:
    return tmp_path


def test_keys() -> None:
    jpeg = jpeg_of(90, 60)
    for key in (5, np.int64(5), Path("a.jpg"), ("a", "b")):
        with pytest.raises(TypeError, match=r"key: expected text or bytes.*str\(…\)"):
            Views(SMALL)(jpeg, key)  # type: ignore[arg-type]
    # As Python names a file whose name is not UTF-8.
    hidden = b"caf\xe9.jpg".decode(errors="surrogateescape")
    assert all(map(torch.equal, Views(SMALL)(jpeg, hidden), Views(SMALL)(jpeg, b"caf\xe9.jpg")))


@pytest.mark.parametrize(
    ("key", "named"),
    [("roof/1.jpg", "image roof/1.jpg"), (b"\xff\x00", "image ff00"), (None, "image [0-9a-f]{32}")],
)
def test_a_file_that_cannot_be_decoded_is_named(key: Any, named: str) -> None:
    jpeg = jpeg_of(300, 200)
    with pytest.raises(ImageError, match=rf"{named} cannot be decoded: .+"):
        Views(SMALL)(jpeg[: len(jpeg) // 2], key)
    with pytest.raises(ImageError, match=rf"{named} cannot be decoded: .+"):
        Views(SMALL)(b"<html>", key)


def test_files_of_a_batch() -> None:
    make = DeviceViews(SMALL, device="cpu")
    jpeg = jpeg_of(40, 30)
    tensor = torch.frombuffer(bytearray(jpeg), dtype=torch.uint8)
    for files, found in (
        ([jpeg], "found bytes"),
        (tensor, "found a tensor of torch.uint8 and 0 dimensions"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), "and 3 dimensions"),
        ([tensor.float()], "found a tensor of torch.float32"),
    ):
        with pytest.raises(TypeError, match=f"jpegs: expected.*decode='jpeg'.*{found}"):
            make(files)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="keys: expected one for each image, found one text: 'ab'"):
        make([tensor, tensor], "ab")
    bad = torch.zeros(9, dtype=torch.uint8)
    skipping = DeviceViews(SMALL, device="cpu", on_error="skip")
    with pytest.raises(ImageError, match=r"none of the 7.*: a, b, c, d, e …\. .*drop_last=True"):
        skipping([bad] * 7, list("abcdefg"))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits(kind: str) -> None:
    """As of the same picture with eight; Pillow by itself makes white of it."""
    grey = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (40, 1))
    deep, flat, wide = io.BytesIO(), io.BytesIO(), io.BytesIO()
    Image.fromarray(grey.astype(np.uint16) * 257).save(deep, kind)
    Image.fromarray(grey).save(flat, kind)
    (found,), (expected,) = Views(WHOLE)(deep.getvalue()), Views(WHOLE)(flat.getvalue())
    assert torch.equal(found, expected) and 100 < float(found.float().mean()) < 150
    Image.fromarray(grey.astype(np.float32)).save(wide, "TIFF")
    with pytest.raises(ImageError, match="TIFF of 32 bits a sample"):
        Views(WHOLE)(wide.getvalue())


# --- batches --------------------------------------------------------------------------------------


def test_normalise_leaves_what_it_is_given() -> None:
    views = torch.randint(0, 256, (2, 3, 4, 4)).to(torch.uint8)
    before = views.clone()
    assert normalise(views, dtype=torch.float16).dtype == torch.float16
    assert torch.equal(views, before)
    for wrong in (views.float(), views.float() / 255, [views], views.int()):
        with pytest.raises(TypeError, match="views: expected a tensor of uint8, found"):
            normalise(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_can_be_saved_and_copied(mini_root: Root, tmp_path: Path, workers: int) -> None:
    stream = PassStream(*mini_root, views=Views(SMALL), target=None, batch_size=4)
    batch = next(iter(DataLoader(stream, 4, num_workers=workers)))
    torch.save({"views": batch}, tmp_path / "batch.pt")
    saved = torch.load(tmp_path / "batch.pt", weights_only=False)["views"]
    for same in (saved, copy.deepcopy(batch), pickle.loads(pickle.dumps(batch))):
        assert type(same) is list and len(same) == 2
        assert all(map(torch.equal, same, batch))


def test_views_of_one_image_come_from_a_worker_as_they_are(mini_root: Root) -> None:
    stream = PassStream(*mini_root, views=Views(SMALL), target=None)
    views = next(iter(DataLoader(stream, batch_size=None, num_workers=1)))
    assert type(views) is ViewList
