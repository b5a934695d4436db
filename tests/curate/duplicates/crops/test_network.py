"""Weights are loaded whole or not at all, and the network is the published one."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

# Of an extra, like all of this.
torch: Any = pytest.importorskip("torch")

from PIL import Image  # noqa: E402
from torchvision.transforms import Compose, Normalize, Resize, ToTensor  # noqa: E402

from pass_dataset.curate.duplicates.crops import network  # noqa: E402
from pass_dataset.curate.duplicates.crops.network import (  # noqa: E402
    describe,
    load_describer,
    prepared,
)
from pass_dataset.curate.duplicates.crops.weights import crop_weights  # noqa: E402
from pass_dataset.errors import WeightsError  # noqa: E402
from tests.curate.duplicates.crops.checkpoints import published_like, saved  # noqa: E402
from tests.curate.duplicates.images import photographs  # noqa: E402

pytestmark = pytest.mark.slow


def load(path: Path) -> Any:
    return load_describer(crop_weights(path))


@pytest.fixture(scope="module")
def weights() -> dict[str, Any]:
    return published_like()


def test_images_are_made_ready_as_published() -> None:
    """As the README's ``skew_320``."""
    image = Image.open(photographs(4)[1]).convert("RGB")
    theirs = Compose(
        [Resize([320, 320]), ToTensor(), Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
    )(image)
    ours = prepared(np.asarray(image)[:, :, ::-1])
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_a_descriptor_is_what_the_paper_says(weights: dict[str, Any], tmp_path: Path) -> None:
    """The trunk without its end; powers of three, meant; a linear layer; length 1."""
    path = tmp_path / "published.pt"
    torch.save(weights, path)
    module = load(path)
    images = torch.rand((2, 3, 64, 64), generator=torch.Generator().manual_seed(4))
    found = describe(module, images, "cpu")
    assert found.dtype == np.float16
    trunk = torch.nn.Sequential(*list(module.backbone.children())[:-2])
    with torch.inference_mode():
        seen = trunk(images).double().numpy()
    meant = (np.maximum(seen, 1e-6) ** 3).mean((2, 3)) ** (1 / 3)
    last, bias = (weights[f"backbone.fc.{name}"].double().numpy() for name in ("weight", "bias"))
    expected = meant @ last.T + bias
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=2e-4)


def _without(weights: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in weights.items() if key != name}


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            lambda w: _without(w, "backbone.layer3.2.conv2.weight"),
            "layer3.2.conv2.weight is missing",
        ),
        (
            lambda w: {**w, "backbone.fc.bias": torch.zeros(1024)},
            r"the shape \[512\], found \[1024\]",
        ),
        (lambda w: {**w, "queue": torch.zeros(2)}, "and no other, found queue is there"),
        (lambda w: {**w, "backbone.bn1.bias": torch.full((64,), torch.nan)}, "expected finite"),
        (lambda w: {**w, "embeddings.1.weight": torch.zeros(2)}, "those of Classy Vision"),
        (lambda w: {key.removeprefix("backbone."): v for key, v in w.items()}, "are missing"),
        (lambda w: [w], "expected weights by name, found list"),
    ],
    ids=["missing", "shape", "other", "not-finite", "classy", "no-prefix", "list"],
)
def test_other_weights_are_refused(
    damage: Any, said: str, weights: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "weights.pt"
    torch.save(damage(weights), path)
    with pytest.raises(WeightsError, match=said) as raised:
        load(path)
    assert str(path) in str(raised.value)


class _Runs:
    """What a pickle would run."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("was-run",)


def test_code_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"backbone.fc.bias": _Runs()}, tmp_path / "weights.pt")
    with pytest.raises(WeightsError, match="nothing of it was run"):
        load(tmp_path / "weights.pt")
    assert not (tmp_path / "was-run").exists()


def test_a_cut_file_is_refused(weights: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(weights, path)
    path.write_bytes(path.read_bytes()[:1_000_000])
    with pytest.raises(WeightsError, match="cut, or another kind of file"):
        load(path)


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_torchscript_is_loaded_by_its_digest_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sscd_disc_mixup.torchscript.pt"
    layers = torch.nn.Sequential(
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 512)
    )
    torch.jit.save(torch.jit.trace(layers, torch.zeros(2, 3, 8, 8)), path)
    with pytest.raises(WeightsError, match="Take sscd_disc_mixup"):
        load(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(network, "TORCHSCRIPT_SHA256", digest)
    assert describe(load(path), torch.zeros(3, 3, 8, 8), "cpu").shape == (3, 512)


def test_a_digest_may_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    assert crop_weights(path, digest).sha256 == digest
    with pytest.raises(WeightsError, match=f"{'0' * 64}, found {digest}"):
        crop_weights(path, "0" * 64)
    with pytest.raises(WeightsError, match="64 digits"):
        crop_weights(path, "abc")
    with pytest.raises(WeightsError, match="No such file"):
        crop_weights(tmp_path / "none.pt")


def test_saved_ones_are_the_same(tmp_path: Path) -> None:
    """A seed makes one file, which the other tests rely on."""
    one, two = (crop_weights(saved(tmp_path / f"{name}.pt")) for name in "ab")
    assert load_describer(one).backbone.fc.bias.equal(load_describer(two).backbone.fc.bias)
