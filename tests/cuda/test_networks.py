"""Features, descriptors and trainings on a GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from pass_dataset.torch.inference import full_float32, inference  # noqa: E402

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def rounds(cuda: Any) -> None:
    """A GPU that rounds float32 where it is not told otherwise."""
    if torch.cuda.get_device_capability(cuda) < (8, 0):
        pytest.skip("GPUs before Ampere have no TF32: float32 is never rounded")
    if os.environ.get("NVIDIA_TF32_OVERRIDE") == "0":
        pytest.skip("NVIDIA_TF32_OVERRIDE=0: NVIDIA's libraries never round float32")


@pytest.mark.usefixtures("rounds")
def test_float32_is_float32(cuda: Any) -> None:
    """Convolutions are rounded to ten bits unless they are asked not to be; so are matrices."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(4, 64, 56, 56, generator=generator)
    weights = torch.randn(64, 64, 3, 3, generator=generator)
    exact = torch.nn.functional.conv2d(images.double(), weights.double(), padding=1)
    there = images.to(cuda), weights.to(cuda)

    def error() -> float:
        made = torch.nn.functional.conv2d(*there, padding=1).cpu().double()
        return float((made - exact).abs().max() / exact.abs().max())

    assert error() > 1e-4  # as PyTorch comes
    with full_float32():
        assert error() < 1e-5
        with inference():
            assert error() < 1e-5
        assert error() < 1e-5
    assert error() > 1e-4
    torch.set_float32_matmul_precision("high")
    try:
        square = torch.randn(512, 512, generator=generator)
        product = square.double() @ square.double()
        there_too = square.to(cuda)

        def of_product() -> float:
            made = (there_too @ there_too).cpu().double()
            return float((made - product).abs().max() / product.abs().max())

        assert of_product() > 1e-4
        with full_float32():
            assert of_product() < 1e-5
        assert of_product() > 1e-4
    finally:
        torch.set_float32_matmul_precision("highest")


def test_features(tmp_path: Path) -> None:
    from pass_dataset.evaluate.data.opening import open_data
    from pass_dataset.evaluate.features.embedding import Work, embed
    from pass_dataset.evaluate.features.transforms import TransformSettings
    from pass_dataset.evaluate.models.encoders import open_encoder
    from tests.evaluate.pictures import make_labelled

    images = open_data(str(make_labelled(tmp_path / "labelled")), "train")
    made = []
    for device in ("cpu", "cuda"):
        encoder = open_encoder("random:resnet50")
        work = Work(devices=(device,), batch_size=8)
        features = embed(encoder, images, TransformSettings(), cache=tmp_path / device, work=work)
        assert features is not None
        made.append(np.asarray(features, np.float32))
    scale = np.abs(made[0]).max()
    assert np.abs(made[0] - made[1]).max() < 2e-3 * scale


def test_descriptors_of_crops(tmp_path: Path, photographs: Path) -> None:
    from PIL import Image

    from pass_dataset.curate.duplicates.crops.network import describe, load_describer, prepared
    from pass_dataset.curate.duplicates.crops.weights import crop_weights
    from tests.curate.duplicates.crops.checkpoints import saved

    module = load_describer(crop_weights(saved(tmp_path / "weights.pt")))
    images = torch.stack(
        [
            prepared(np.asarray(Image.open(photographs / name).convert("RGB"))[:, :, ::-1])
            for name in ("astronaut.jpg", "chelsea_cat.jpg", "flower.jpg")
        ]
    )
    on_cpu = describe(module, images, "cpu").astype(np.float32)
    on_gpu = describe(module.to("cuda"), images, "cuda").astype(np.float32)
    assert (on_cpu * on_gpu).sum(1).min() > 0.9999


def test_near_pairs() -> None:
    from pass_dataset.curate.duplicates.crops import search

    rng = np.random.default_rng(0)
    rows = rng.standard_normal((3000, 512)).astype(np.float32)
    rows[1000:1100] = rows[:100] + 0.3 * rng.standard_normal((100, 512))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)
    numbers = np.arange(len(rows))
    on_cpu, on_gpu = (
        search.near_pairs(rows, numbers, len(rows), least=0.75, device=device)
        for device in ("cpu", "cuda")
    )
    assert len(on_cpu.left) >= 100
    for name in ("left", "right", "cosine"):
        assert np.array_equal(getattr(on_cpu, name), getattr(on_gpu, name))


@pytest.mark.usefixtures("rounds")
def test_near_pairs_of_a_training() -> None:
    """Pairs just above the bound, of numbers that TF32 rounds down, all alike: 1/√12 twice.

    Nine of twelve are shared: a cosine of 0.75, or of 0.7495 if they are rounded.
    """
    from pass_dataset.curate.duplicates.crops import search

    rng = np.random.default_rng(0)
    rows = np.zeros((80, 512), np.float16)
    for pair in range(40):
        places = rng.permutation(512)[:15]
        rows[2 * pair, places[:12]] = rows[2 * pair + 1, places[3:]] = 1
    numbers = np.arange(len(rows))
    torch.set_float32_matmul_precision("high")
    try:
        found = search.near_pairs(rows, numbers, len(rows), least=0.7499, device="cuda")
    finally:
        torch.set_float32_matmul_precision("highest")
    assert sorted(zip(found.left.tolist(), found.right.tolist(), strict=True)) == [
        (2 * pair, 2 * pair + 1) for pair in range(40)
    ]


@pytest.mark.parametrize("method", ["moco", "swav", "dino"])
def test_a_training_goes_on(tmp_path: Path, method: str) -> None:
    """Views made by workers and on the GPU; killed after some steps, with as many steps in all."""
    pytest.importorskip("lightly")
    command = [sys.executable, str(SCRIPTS / "examples" / "pretrain_moco.py"), "--mini"]
    command += ["--method", method, "--backbone", "resnet18", "--batch-size", "16"]
    command += ["--image-size", "96", "--workers", "2", "--queue", "64", "--prototypes", "64"]
    command += ["--log-every", "1", "--out", str(tmp_path)]
    for steps, others in ((2, []), (4, ["--device-views"]), (6, [])):
        done = subprocess.run(
            [*command, "--steps", str(steps), *others], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert f"step {steps}: loss" in done.stderr
        assert "loss nan" not in done.stderr
    assert (tmp_path / "backbone.pt").exists()
