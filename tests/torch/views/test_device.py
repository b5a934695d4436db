"""Views of whole batches on a device, here the CPU: those of `Views`, up to rounding."""

from __future__ import annotations

import io
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torchvision.io
from PIL import Image
from torch.utils.data import DataLoader

from pass_dataset.errors import ImageError, MissingExtraError
from pass_dataset.torch import PassStream
from pass_dataset.torch.views import (
    DeviceViews,
    Recipe,
    ViewRecipe,
    Views,
    batched,
    device_decoding,
    dino,
    moco_v2,
    operations,
    swav,
)
from tests.support.collection import Collection
from tests.torch.views.test_views import jpeg_of

CPU = torch.device("cpu")
SMALL = moco_v2(size_px=32)
Pixels = npt.NDArray[np.uint8]


def tensors_of(*files: bytes) -> list[torch.Tensor]:
    return [torch.frombuffer(bytearray(file), dtype=torch.uint8) for file in files]


def pixels_of(file: torch.Tensor) -> torch.Tensor:
    """As nvJPEG has them: not turned."""
    image = Image.open(io.BytesIO(file.numpy().tobytes())).convert("RGB")
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def of_photographs(photographs: list[Pixels]) -> list[bytes]:
    found = []
    for pixels in photographs:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=92)
        found.append(file.getvalue())
    return found


@pytest.mark.parametrize(
    "recipe", [moco_v2(size_px=96), swav(size_px=96, small_size_px=32), dino(size_px=64)], ids=str
)
def test_views_are_those_of_one_image_a_time(photographs: list[Pixels], recipe: Recipe) -> None:
    """The same boxes, colours, blurs: what differs is rounding, of hues above all."""
    files = of_photographs(photographs)
    one_by_one = Views(recipe, seed=5)
    for epoch in (0, 7):
        together = DeviceViews(recipe, seed=5, device=CPU)(tensors_of(*files), epoch=epoch)
        assert len(together) == len(recipe)
        for place, file in enumerate(files):
            for views, expected in zip(together, one_by_one(file, epoch=epoch), strict=True):
                assert views.dtype == torch.uint8
                assert views.is_contiguous(memory_format=torch.channels_last)
                differences = (views[place].int() - expected.int()).abs()
                assert float(differences.float().mean()) < 1 and int(differences.max()) <= 20


def test_views_do_not_depend_on_the_batch(photographs: list[Pixels]) -> None:
    files = of_photographs(photographs)
    make = DeviceViews(SMALL, device=CPU)
    together = make(tensors_of(*files, jpeg_of(90, 60)), ["a", b"b", "c"])
    alone = make(tensors_of(files[1]), ["b"])
    for views, expected in zip(together, alone, strict=True):
        assert torch.equal(views[1], expected[0])
    other = make(tensors_of(files[1]), ["another"])
    assert not torch.equal(other[0], alone[0])


#: A step for one image a time and for many, the largest difference of a value, and of the mean.
STEPS: dict[str, tuple[Any, Any, int, float]] = {
    **{
        f"{change} {amount}": (
            lambda image, change=change, amount=amount: operations.changed(image, change, amount),
            lambda views, change=change, amount=amount: batched.changed(
                views, change, torch.full((len(views),), amount)
            ),
            most,
            mean,
        )
        for change, amounts, most, mean in (
            ("brightness", (0.2, 1.0, 1.8), 0, 0.0),
            ("contrast", (0.2, 1.0, 1.8), 1, 0.001),
            ("saturation", (0.2, 1.0, 1.8), 1, 0.01),
            ("hue", (-0.2, -0.1, 0.0, 0.1, 0.2), 6, 0.02),
        )
        for amount in amounts
    },
    "grey": (operations.grey_of, batched.grey_of, 1, 0.01),
    **{
        f"blur {sigma_px}": (
            lambda image, sigma_px=sigma_px: operations.blurred(image, sigma_px),
            lambda views, sigma_px=sigma_px: batched.blurred(
                views, batched.blur_kernels([sigma_px] * len(views))
            ),
            1,
            0.01,
        )
        for sigma_px in (0.1, 0.7, 2.0)
    },
    "solarised": (operations.solarised, batched.solarised, 0, 0.0),
    "flipped": (operations.flipped, batched.flipped, 0, 0.0),
}


@pytest.mark.parametrize("name", STEPS)
def test_steps_are_those_of_one_image_a_time(photographs: list[Pixels], name: str) -> None:
    one, many, most, mean = STEPS[name]
    views = torch.from_numpy(np.stack(photographs)).permute(0, 3, 1, 2).float()
    before = views.clone()
    made = many(views)
    assert torch.equal(views, before) and torch.equal(made, made.round())
    expected = np.stack([one(image) for image in photographs])
    if expected.ndim == 3:
        expected = expected[..., None]
    differences = np.abs(made.permute(0, 2, 3, 1).numpy() - expected)
    assert differences.max() <= most and differences.mean() <= mean


def test_a_blur_of_each_and_of_tiny_views() -> None:
    rng = np.random.default_rng(0)
    for side in (1, 2, 5, 40):
        images = rng.integers(0, 256, (3, side, side, 3), dtype=np.uint8)
        sigmas_px = [0.1, 0.9, 2.0]
        views = torch.from_numpy(images).permute(0, 3, 1, 2).float()
        made = batched.blurred(views, batched.blur_kernels(sigmas_px)).permute(0, 2, 3, 1).numpy()
        for found, image, sigma_px in zip(made, images, sigmas_px, strict=True):
            assert np.abs(found - operations.blurred(image, sigma_px)).max() <= 1


@pytest.mark.slow
def test_a_stream_of_jpegs(mini_root: tuple[Path, Path]) -> None:
    """Batches as workers hand them over; views by hash are those of a stream that makes them."""
    recipe = moco_v2(size_px=160)  # so large that nothing is decoded at a reduced size
    made: dict[str, torch.Tensor] = {}
    make = DeviceViews(recipe, seed=3, device=CPU)
    stream = PassStream(*mini_root, decode="jpeg", target="hash", batch_size=6)
    stream.set_epoch(1)
    for jpegs, hashes in DataLoader(stream, 6, num_workers=1):
        views = make(jpegs, hashes, stream.epoch)
        made.update(zip(hashes, views[1], strict=True))
    stream = PassStream(*mini_root, views=Views(recipe, seed=3), target="hash", batch_size=6)
    stream.set_epoch(1)
    count = 0
    for views, hashes in DataLoader(stream, 6):
        for place, image_hash in enumerate(hashes):
            count += 1
            differences = (made[image_hash].int() - views[1][place].int()).abs()
            assert float(differences.float().mean()) < 1
    assert count == len(made) == 64


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = jpeg_of(90, 60, exif=exif, quality=95)
    whole = Recipe((ViewRecipe(size_px=60, scale=(0.9, 1.0), flip=0.0),))
    for upright in (True, False):
        expected = Views(whole, upright=upright)(file)
        (views,) = DeviceViews(whole, device=CPU, upright=upright)(tensors_of(file))
        assert (views[0].int() - expected[0].int()).abs().max() <= 1


class Stream:
    """A GPU's, of a machine that has none."""

    def synchronize(self) -> None:
        pass


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[torch.device]:
    """The GPUs of which all streams were waited for."""
    found: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "synchronize", found.append)
    return found


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, waited: list[torch.device]) -> None:
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream())


@pytest.mark.usefixtures("gpu")
def test_what_nvjpeg_takes(monkeypatch: pytest.MonkeyPatch, waited: list[torch.device]) -> None:
    """One call a batch, halves where one of them is refused, and the CPU for what is left.

    What was cut off it is not asked for: it would go on in grey.
    """
    exif = Image.Exif()
    exif[0x0112] = 6
    cut = jpeg_of(40, 30)[:300]
    bad = cut + b"\xff\xd9"
    files = [jpeg_of(90, 60), jpeg_of(70, 50, exif=exif), bad, jpeg_of(60, 60, "CMYK"), cut]
    files += [jpeg_of(30 + number, 20) for number in range(4)]
    calls: list[int] = []
    refused = [0]

    def decode_jpeg(inputs: list[torch.Tensor], mode: Any, device: torch.device) -> Any:
        assert device.type == "cuda" and mode == torchvision.io.ImageReadMode.RGB
        calls.append(len(inputs))
        assert len(waited) == refused[0], "a call that failed may still be writing"
        if any(bytes(one.numpy()) == bad for one in inputs):
            refused[0] += 1
            raise RuntimeError("nvjpegDecode failed: 2")
        return [pixels_of(one) for one in inputs]

    monkeypatch.setattr(torchvision.io, "decode_jpeg", decode_jpeg)
    facts = [device_decoding.jpeg_facts(file, upright=True) for file in files]
    found = device_decoding._by_device(torch.device("cuda"), tensors_of(*files), facts)
    assert [place for place, pixels in enumerate(found) if pixels is None] == [2, 3, 4]
    shapes = [tuple(pixels.shape) for pixels in found if pixels is not None]
    assert shapes == [(3, 60, 90), (3, 70, 50), *((3, 20, 30 + number) for number in range(4))]
    assert calls[0] == 7 and max(calls[1:]) <= 4
    assert len(waited) == refused[0] > 1 and set(waited) == {torch.device("cuda")}
    upright = torch.from_numpy(device_decoding.decode(files[1], facts[1], 1, upright=True))
    assert found[1] is not None
    assert (found[1].permute(1, 2, 0).int() - upright.int()).abs().max() <= 2

    def out_of_memory(*_: object) -> Any:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torchvision.io, "decode_jpeg", out_of_memory)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        device_decoding._by_device(torch.device("cuda"), tensors_of(*files), facts)


@pytest.mark.usefixtures("gpu")
def test_where_nvjpeg_decodes_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said: a whole training by the CPU would be as slow as it is silent."""

    def decode_jpeg(*_: object) -> Any:
        raise RuntimeError("decode_jpegs_cuda: torchvision not compiled with nvJPEG support")

    monkeypatch.setattr(torchvision.io, "decode_jpeg", decode_jpeg)
    files = tensors_of(jpeg_of(30, 20), jpeg_of(20, 30))
    assert device_decoding._by_nvjpeg(torch.device("cuda"), files) == [None, None]
    assert "nvJPEG decoded none of 2 JPEGs" in caplog.text


@pytest.mark.usefixtures("gpu")
def test_where_torchvision_decodes_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is deprecated there since 0.29, and torchcodec takes its place."""
    monkeypatch.delattr(torchvision.io, "decode_jpeg")
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    files = tensors_of(jpeg_of(30, 20))
    with pytest.raises(MissingExtraError, match="pip install torchcodec"):
        device_decoding._by_nvjpeg(torch.device("cuda"), files)

    def decode_jpeg(inputs: list[torch.Tensor], *, mode: str, device: torch.device) -> Any:
        assert mode == "RGB" and device.type == "cuda"
        return [pixels_of(one) for one in inputs]

    decoders = types.ModuleType("torchcodec.decoders")
    decoders.decode_jpeg = decode_jpeg  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchcodec", types.ModuleType("torchcodec"))
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", decoders)
    (found,) = device_decoding._by_nvjpeg(torch.device("cuda"), files)
    assert found is not None and found.shape == (3, 20, 30)


def test_many_pixels_are_not_decoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [jpeg_of(40, 30), jpeg_of(100, 90), jpeg_of(40, 30), b"none", jpeg_of(30, 40)]
    facts = [device_decoding.jpeg_facts(file, upright=True) for file in files]
    monkeypatch.setattr(device_decoding, "_MOST_PIXELS", 3000)
    assert [(some.start, some.stop) for some in device_decoding._portions(facts)] == [
        (0, 1), (1, 2), (2, 5),
    ]  # fmt: skip
    assert list(device_decoding._portions([])) == []
    few = DeviceViews(SMALL, device=CPU)(tensors_of(*files[:3]))
    monkeypatch.undo()
    many = DeviceViews(SMALL, device=CPU)(tensors_of(*files[:3]))
    assert all(torch.equal(one, other) for one, other in zip(few, many, strict=True))


def test_bad_jpegs(caplog: pytest.LogCaptureFixture) -> None:
    good, bad = jpeg_of(90, 60), jpeg_of(90, 60)[:300]
    files = tensors_of(bad, good, bad)
    with pytest.raises(ImageError, match=r"image first, number 0 .* cannot be decoded"):
        DeviceViews(SMALL, device=CPU)(files, ["first", "second", "third"])
    skipping = DeviceViews(SMALL, device=CPU, on_error="skip")
    views = skipping(files, ["first", "second", "third"])
    assert [len(view) for view in views] == [3, 3] and skipping.skipped == 2
    assert "third, number 2" in caplog.text
    expected = DeviceViews(SMALL, device=CPU)(tensors_of(good), ["first"])
    assert torch.equal(views[0][0], expected[0][0])
    with pytest.raises(ImageError, match="none of the 1 images"):
        skipping(tensors_of(bad))


def test_what_is_asked_wrongly() -> None:
    make = DeviceViews(SMALL, device=CPU)
    with pytest.raises(ValueError, match="keys: expected 1, one for each image, found 2"):
        make(tensors_of(jpeg_of(9, 9)), ["a", "b"])
    with pytest.raises(ValueError, match="on_error"):
        DeviceViews(SMALL, device=CPU, on_error="ignore")  # type: ignore[arg-type]
    assert [tuple(view.shape) for view in make([], [])] == [(0, 3, 32, 32)] * 2
    assert "cpu" in repr(make)


def test_nothing_but_bad_images_of_a_stream(many: Collection) -> None:
    stream = PassStream(many.folder, many.tsv, decode="jpeg", target="hash", batch_size=4)
    jpegs, hashes = next(iter(DataLoader(stream, 4)))
    with pytest.raises(ImageError, match=hashes[0]):
        DeviceViews(SMALL, device=CPU)(jpegs, hashes)
