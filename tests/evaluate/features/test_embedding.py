from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.data.opening import open_data
from pass_dataset.evaluate.features import cache, embedding
from pass_dataset.evaluate.features.embedding import Work, embed, features_folder
from pass_dataset.evaluate.features.transforms import TransformSettings, prepare
from pass_dataset.evaluate.models.encoders import Encoder, open_encoder
from tests.evaluate.pictures import make_labelled

SMALL = TransformSettings(resize=36, crop=32)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return open_encoder("random:resnet18")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return open_data(str(make_labelled(tmp_path_factory.mktemp("labelled"))), "train")


def test_middle_is_that_of_torchvision() -> None:
    image = Image.fromarray(
        np.random.default_rng(0).integers(0, 255, (200, 301, 3), dtype=np.uint8)
    )
    for name in ("bilinear", "bicubic"):
        plain = transforms.Compose(
            [
                transforms.Resize(256, transforms.InterpolationMode(name)),
                transforms.CenterCrop(224),
                transforms.ToTensor(),
                transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
            ]
        )
        assert torch.equal(prepare(image, TransformSettings(interpolation=name), 0), plain(image))
    view = prepare(image, TransformSettings(view=1), 5)
    assert torch.equal(view, prepare(image, TransformSettings(view=1), 5))
    assert not torch.equal(view, prepare(image, TransformSettings(view=2), 5))
    assert not torch.equal(view, prepare(image, TransformSettings(view=1), 6))
    narrow = prepare(Image.new("RGB", (3, 900)), TransformSettings(view=0), 0)
    assert narrow.shape == (3, 224, 224)


def test_features_are_those_of_the_network(
    encoder: Encoder, images: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "PART_ROWS", 7)
    features = embed(encoder, images, SMALL, cache=tmp_path, work=Work(batch_size=4))
    assert features is not None and features.dtype == np.float16 and features.shape == (18, 512)
    with torch.no_grad():
        whole = torch.stack(
            [
                prepare(Image.open(path).convert("RGB"), SMALL, 0)
                for path in (Path(images.name.removesuffix(" (train)")) / "train" / name
                             for name in images.names)
            ]
        )  # fmt: skip
        expected = encoder.module(whole).numpy()
    assert np.abs(features - expected).max() < 1e-2
    # Found again, without the network.
    broken = Encoder(encoder.name, torch.nn.Identity(), encoder.digest)
    again = embed(broken, images, SMALL, cache=tmp_path)
    assert np.array_equal(again, features)


def test_shares_are_put_together(
    encoder: Encoder, images: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "PART_ROWS", 7)
    first = embed(encoder, images, SMALL, cache=tmp_path, work=Work(share=(0, 2), batch_size=4))
    assert first is None
    both = embed(encoder, images, SMALL, cache=tmp_path, work=Work(share=(1, 2), batch_size=4))
    two = embed(
        encoder, images, SMALL, cache=tmp_path / "two",
        work=Work(devices=("cpu", "cpu"), batch_size=4),
    )  # fmt: skip
    assert np.array_equal(both, two)


def test_other_content_has_another_place(encoder: Encoder, images: Any, tmp_path: Path) -> None:
    places = {
        features_folder(encoder, images, SMALL, tmp_path).folder,
        features_folder(encoder, images, TransformSettings(36, 32, view=0), tmp_path).folder,
        features_folder(open_encoder("random:resnet18:1"), images, SMALL, tmp_path).folder,
    }
    assert len(places) == 3


def test_damage_is_found(encoder: Encoder, images: Any, tmp_path: Path) -> None:
    embed(encoder, images, SMALL, cache=tmp_path)
    folder = features_folder(encoder, images, SMALL, tmp_path).folder
    with (folder / "features.f16").open("r+b") as file:
        file.truncate(100)
    with pytest.raises(EvaluationError, match="Delete the folder"):
        embed(encoder, images, SMALL, cache=tmp_path)


def test_numbers_that_float16_has_not(images: Any, tmp_path: Path) -> None:
    class Large(torch.nn.Module):
        def forward(self, batch: Any) -> Any:
            return torch.full((len(batch), 4), 1e6)

    with pytest.raises(EvaluationError, match="65,504"):
        embed(Encoder("large", Large(), "x"), images, SMALL, cache=tmp_path)
    with pytest.raises(EvaluationError, match="device nowhere"):
        embed(Encoder("large", Large(), "y"), images, SMALL, cache=tmp_path,
              work=Work(devices=("nowhere",)))  # fmt: skip


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[threading.Event]:
    """What devices are told the end by: the last one is that of the call under way."""
    made: list[threading.Event] = []

    class Kept(threading.Event):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    monkeypatch.setattr(embedding, "Event", Kept)
    return made


def batches_of(
    monkeypatch: pytest.MonkeyPatch, wanted: Callable[[int], None]
) -> tuple[list[int], Callable[[], None]]:
    """The sizes of batches as they are begun; `wanted` is called with the number of each."""
    seen: list[int] = []
    forward = embedding._forward

    def counted(module: Any, batch: Any, *rest: Any) -> Any:
        seen.append(len(batch))
        wanted(len(seen))
        return forward(module, batch, *rest)

    monkeypatch.setattr(embedding, "_forward", counted)
    return seen, lambda: monkeypatch.setattr(embedding, "_forward", forward)


@pytest.mark.parametrize("devices", [("cpu",), ("cpu", "cpu")])
def test_interrupted_it_ends_with_its_batch(
    encoder: Encoder,
    images: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ended: list[threading.Event],
    devices: tuple[str, ...],
) -> None:
    """By Ctrl-C, while the main thread waits; what is written stays, and it goes on from there."""
    monkeypatch.setattr(cache, "PART_ROWS", 4)
    main = threading.main_thread().ident
    assert main is not None

    def interrupt(number: int) -> None:
        if number == 2:
            signal.pthread_kill(main, signal.SIGINT)
        if number >= 2:
            assert ended[-1].wait(60)

    seen, as_before = batches_of(monkeypatch, interrupt)
    work = Work(devices=devices, batch_size=4)
    with pytest.raises(KeyboardInterrupt):
        embed(encoder, images, SMALL, cache=tmp_path / "cut", work=work)
    assert 2 <= len(seen) <= 1 + len(devices)
    folder = features_folder(encoder, images, SMALL, tmp_path / "cut")
    assert len(folder.missing()) == len(folder.parts) - len(seen)
    as_before()
    found = embed(encoder, images, SMALL, cache=tmp_path / "cut", work=work)
    whole = embed(encoder, images, SMALL, cache=tmp_path / "whole", work=work)
    assert found is not None and np.array_equal(found, whole)


def test_a_device_that_fails_ends_the_others(
    encoder: Encoder,
    images: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ended: list[threading.Event],
) -> None:
    monkeypatch.setattr(cache, "PART_ROWS", 4)

    def fail(number: int) -> None:
        if number == 1:
            raise ZeroDivisionError
        assert ended[-1].wait(60)

    seen, _ = batches_of(monkeypatch, fail)
    work = Work(devices=("cpu", "cpu", "cpu"), batch_size=2)
    with pytest.raises(ZeroDivisionError):
        embed(encoder, images, SMALL, cache=tmp_path, work=work)
    assert len(seen) <= 3
    # A batch is no part.
    folder = features_folder(encoder, images, SMALL, tmp_path)
    assert folder.missing() == list(folder.parts)


def test_the_gpu_is_that_of_the_caller(
    encoder: Encoder, images: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads begin with the first one, whatever the caller's is."""
    asked: list[str] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(embedding, "embed_parts", lambda *_, device, **__: asked.append(device))
    work = Work(devices=("cuda", "cuda:0", "cpu"))
    assert embed(encoder, images, SMALL, cache=tmp_path, work=work) is None
    assert sorted(asked) == ["cpu", "cuda:0", "cuda:1"]


KILLED = """
import sys, time
from pathlib import Path
import torch
torch.set_num_threads(1)
from pass_dataset.evaluate.data.opening import open_data
from pass_dataset.evaluate.features import cache
from pass_dataset.evaluate.features.embedding import Work, embed
from pass_dataset.evaluate.features.transforms import TransformSettings
from pass_dataset.evaluate.models.encoders import Encoder, open_encoder
cache.PART_ROWS = 4
encoder = open_encoder("random:resnet18")

class Slow(torch.nn.Module):
    def forward(self, batch):
        time.sleep(0.3)
        return encoder.module(batch)

embed(Encoder("slow", Slow(), encoder.digest), open_data(sys.argv[1], "train"),
      TransformSettings(resize=36, crop=32), cache=Path(sys.argv[2]), work=Work(batch_size=4))
"""


@pytest.mark.slow
def test_killed_it_goes_on(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "PART_ROWS", 4)
    labelled = make_labelled(tmp_path / "labelled")
    images = open_data(str(labelled), "train")
    folder = features_folder(encoder, images, SMALL, tmp_path / "cache")
    command = [sys.executable, "-c", KILLED, str(labelled), str(tmp_path / "cache")]
    started = subprocess.Popen(command)
    while started.poll() is None and len(folder.missing()) > 3:
        time.sleep(0.02)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    assert 0 < len(folder.missing()) < 5
    seen: list[int] = []
    forward = embedding._forward

    def counted(module: Any, batch: Any, *rest: Any) -> Any:
        seen.append(len(batch))
        return forward(module, batch, *rest)

    monkeypatch.setattr(embedding, "_forward", counted)
    work = Work(batch_size=4)
    found = embed(encoder, images, SMALL, cache=tmp_path / "cache", work=work)
    assert sum(seen) < len(images)
    whole = embed(encoder, images, SMALL, cache=tmp_path / "whole", work=work)
    assert np.array_equal(found, whole)
