"""Views made on a GPU are those that a CPU makes, up to rounding and to how nvJPEG decodes."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")

from PIL import Image  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

from pass_dataset.archives import mini  # noqa: E402
from pass_dataset.errors import ImageError  # noqa: E402
from pass_dataset.torch import PassStream  # noqa: E402
from pass_dataset.torch.views import (  # noqa: E402
    DeviceViews,
    Recipe,
    Views,
    device_decoding,
    dino,
    moco_v2,
    swav,
)
from tests.torch.views.test_device import tensors_of  # noqa: E402
from tests.torch.views.test_views import jpeg_of  # noqa: E402


@pytest.fixture(scope="module")
def files(photographs: Path) -> list[bytes]:
    """Sound JPEGs of several sizes: grey, turned by EXIF, large ones; and one of four channels."""
    names = ("astronaut", "chelsea_cat", "gray", "exif_orientation_6", "large_1600x1100", "cmyk")
    return [(photographs / f"{name}.jpg").read_bytes() for name in names]


@pytest.mark.parametrize("recipe", [moco_v2(), swav(), dino()], ids=["moco_v2", "swav", "dino"])
def test_views_are_those_of_a_cpu(files: list[bytes], recipe: Recipe) -> None:
    for epoch in (0, 1, 2):
        on_gpu = DeviceViews(recipe, seed=5, device="cuda")(tensors_of(*files), epoch=epoch)
        on_cpu = DeviceViews(recipe, seed=5, device="cpu")(tensors_of(*files), epoch=epoch)
        assert len(on_gpu) == len(recipe)
        for found, expected in zip(on_gpu, on_cpu, strict=True):
            assert found.device.type == "cuda" and found.dtype == torch.uint8
            assert found.is_contiguous(memory_format=torch.channels_last)
            differences = (found.cpu().int() - expected.int()).abs().float()
            # nvJPEG's colours between coarser samples are its own: sharp edges differ.
            assert float(differences.mean()) < 3
            assert float(differences.flatten(1).mean(1).max()) < 6


def test_of_the_same_pixels_views_are_the_same(
    files: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoded by the CPU: crops to the last bit, and colours but for a rounding of hue."""
    monkeypatch.setattr(
        device_decoding, "_by_device", lambda device, files, facts: [None] * len(files)
    )
    recipe = moco_v2()
    on_gpu = DeviceViews(recipe, device="cuda")(tensors_of(*files))
    on_cpu = DeviceViews(recipe, device="cpu")(tensors_of(*files))
    for found, expected in zip(on_gpu, on_cpu, strict=True):
        differences = (found.cpu().int() - expected.int()).abs()
        assert float((differences > 0).float().mean()) < 0.001 and int(differences.max()) <= 20


def test_nvjpeg_decodes(files: list[bytes], caplog: pytest.LogCaptureFixture) -> None:
    """All that is no CMYK, and pixels are alike."""
    caplog.set_level(logging.DEBUG)
    facts = [device_decoding.jpeg_facts(file, upright=True) for file in files]
    found = device_decoding._by_device(torch.device("cuda"), tensors_of(*files), facts)
    assert [pixels is None for pixels in found] == [False] * 5 + [True], caplog.text
    for pixels, file, fact in zip(found, files, facts, strict=True):
        if pixels is not None:
            expected = device_decoding.decode(file, fact, 1, upright=True).astype(int)
            differences = np.abs(pixels.permute(1, 2, 0).cpu().numpy() - expected)
            assert differences.mean() < 3


def test_bad_jpegs_among_good_ones(files: list[bytes]) -> None:
    """Each of them alone, and all that are good are decoded all the same."""
    cut, text, header = files[0][:-20000], b"no image", files[0][:20] + b"\xff\xd9"
    batch = [cut, *files, text, header]
    keys = [str(number) for number in range(len(batch))]
    with pytest.raises(ImageError, match="image 0, number 0"):
        DeviceViews(moco_v2(), device="cuda")(tensors_of(*batch), keys)
    make = DeviceViews(moco_v2(), device="cuda", on_error="skip")
    views = make(tensors_of(*batch), keys)
    assert make.skipped == 3 and all(len(view) == len(batch) for view in views)
    sound = DeviceViews(moco_v2(), device="cuda")(tensors_of(*files), keys[1:7])
    for found, expected in zip(views, sound, strict=True):
        assert torch.equal(found[1:7], expected)
    # What is wrong in the middle nobody may see; but nothing else suffers.
    wrong = bytearray(files[0])
    wrong[20_000:20_200] = bytes(200)
    views = make(tensors_of(*files, bytes(wrong)), [*keys[1:7], "wrong"])
    for found, expected in zip(views, sound, strict=True):
        assert torch.equal(found[:6], expected)
    torch.cuda.synchronize()


def test_views_do_not_depend_on_the_batch(files: list[bytes]) -> None:
    """Whatever the size of the others, and wherever in the batch."""
    keys = [str(number) for number in range(len(files))]
    make = DeviceViews(moco_v2(), device="cuda")
    together = make(tensors_of(*files), keys)
    for place, (file, key) in enumerate(zip(files, keys, strict=True)):
        alone = make(tensors_of(file), [key])
        others = make(tensors_of(jpeg_of(90, 300), file, jpeg_of(500, 40)), ["a", key, "b"])
        for whole, one, other in zip(together, alone, others, strict=True):
            assert torch.equal(whole[place], one[0]) and torch.equal(whole[place], other[1])
    torch.set_float32_matmul_precision("high")  # as trainings like to have it
    try:
        again = make(tensors_of(*files), keys)
    finally:
        torch.set_float32_matmul_precision("highest")
    assert all(torch.equal(one, other) for one, other in zip(together, again, strict=True))


def test_a_stream_of_jpegs_in_pinned_memory() -> None:
    recipe = moco_v2(size_px=160)
    make, one_by_one = DeviceViews(recipe, seed=3), Views(recipe, seed=3)
    stream = PassStream(mini.ARCHIVES, mini.CHECKSUMS, decode="jpeg", target="hash", batch_size=16)
    count = 0
    for jpegs, hashes in DataLoader(stream, 16, num_workers=2, pin_memory=True):
        assert jpegs.data.is_pinned()
        queries, _ = make(jpegs, hashes, 1)
        for view, jpeg, image_hash in zip(queries, jpegs, hashes, strict=True):
            expected = one_by_one(jpeg.numpy().tobytes(), image_hash, 1)[0]
            assert float((view.cpu().int() - expected.int()).abs().float().mean()) < 6
            count += 1
    assert count == 64


@pytest.mark.usefixtures("two_gpus")
def test_views_on_the_second_gpu(files: list[bytes]) -> None:
    """As on the first one, which stays the one that the caller uses."""
    on_first, on_second = (
        DeviceViews(moco_v2(), seed=5, device=device)(tensors_of(*files))
        for device in ("cuda:0", "cuda:1")
    )
    assert torch.cuda.current_device() == 0
    for found, expected in zip(on_second, on_first, strict=True):
        assert found.device == torch.device("cuda", 1)
        # The same to the last bit on two GPUs of a kind.
        assert float((found.cpu().int() - expected.cpu().int()).abs().float().mean()) < 1


def test_nobody_waits_for_a_batch(files: list[bytes]) -> None:
    """Batch after batch without a look at them, and what is asked for early is as it would be."""
    make = DeviceViews(moco_v2(), device="cuda")
    batch = tensors_of(*files[:5] * 20)
    made = [make(batch, epoch=epoch % 4) for epoch in range(40)]
    torch.cuda.synchronize()
    for epoch in range(4):
        expected = make(batch, epoch=epoch)
        torch.cuda.synchronize()
        for found in made[epoch::4]:
            assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_memory_stays(photographs: Path) -> None:
    """Of the GPU's: what a batch took is there again for the next one."""
    image = Image.open(photographs / "astronaut.jpg")
    file = io.BytesIO()
    image.save(file, "JPEG")
    batch = tensors_of(*[file.getvalue()] * 64)
    make = DeviceViews(moco_v2(), device="cuda")
    peaks = []
    for epoch in range(12):
        torch.cuda.reset_peak_memory_stats()
        make(batch, epoch=epoch)
        torch.cuda.synchronize()
        peaks.append(torch.cuda.max_memory_allocated())
    assert max(peaks[6:]) < 1.5 * max(peaks[:6]) and max(peaks) < 2 << 30
