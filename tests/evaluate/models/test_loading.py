from __future__ import annotations

import argparse
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch

from pass_dataset.errors import WeightsError
from pass_dataset.evaluate import models
from pass_dataset.evaluate.models.detectron2 import convert_to_detectron2, detectron2_name
from pass_dataset.passify.detectors.cascade_rcnn.checkpoint import read_checkpoint
from tests.evaluate.models import layouts

Layout = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def resnet() -> Any:
    return layouts.random_resnet()


@pytest.fixture(scope="module")
def vit() -> Any:
    torch.manual_seed(0)
    made = timm.create_model("vit_tiny_patch16_224", num_classes=0).eval()
    torch.nn.init.normal_(made.pos_embed)
    torch.nn.init.normal_(made.cls_token)
    return made


def same(first: Any, second: Any, side: int = 64) -> float:
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        return float((first(images) - second(images)).abs().max())


@pytest.mark.parametrize("name", layouts.RESNET_LAYOUTS)
def test_resnet_of_trainer(name: str, resnet: Any, tmp_path: Path) -> None:
    content = layouts.RESNET_LAYOUTS[name](resnet.state_dict())
    loaded = models.load_checkpoint(layouts.save(content, tmp_path / "checkpoint.pth"))
    assert loaded.report.net == "resnet18"
    assert loaded.report.loaded == len(resnet.state_dict())
    assert same(loaded.module, resnet) == 0


@pytest.mark.parametrize("name", layouts.VIT_LAYOUTS)
def test_transformer_of_trainer(name: str, vit: Any, tmp_path: Path) -> None:
    content = layouts.VIT_LAYOUTS[name](vit.state_dict())
    loaded = models.load_checkpoint(layouts.save(content, tmp_path / "checkpoint.pth"))
    assert loaded.report.net == "vit_tiny_patch16"
    assert same(loaded.module, vit, 224) < 1e-5


@pytest.mark.slow
# Lightning warns of what is installed here.
@pytest.mark.filterwarnings("ignore")
def test_written_by_timm_and_lightning(resnet: Any, tmp_path: Path) -> None:
    """Files that the trainers' own code writes, with all that it writes besides weights."""
    lightning = pytest.importorskip("pytorch_lightning")
    from timm.utils import CheckpointSaver, ModelEmaV3

    network = timm.create_model("resnet18", num_classes=5)
    average = ModelEmaV3(network)
    network.load_state_dict(layouts.others(network.state_dict()))
    average.module.load_state_dict({**average.module.state_dict(), **resnet.state_dict()})
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    args = argparse.Namespace(model="resnet18", lr=0.1)
    saver = CheckpointSaver(network, optimizer, args, average, checkpoint_dir=str(tmp_path))
    saver.save_checkpoint(3, metric=0.5)
    loaded = models.load_checkpoint(tmp_path / "last.pth.tar")
    assert same(loaded.module, resnet) == 0

    class Lightly(lightning.LightningModule):
        """As lightly's examples: the ResNet's children one after the other."""

        def __init__(self) -> None:
            super().__init__()
            self.save_hyperparameters({"rate": 0.1})
            self.backbone = torch.nn.Sequential(*list(resnet.children())[:-1])
            self.projection_head = torch.nn.Linear(512, 8)

    trainer = lightning.Trainer(
        logger=False, accelerator="cpu", enable_progress_bar=False, default_root_dir=tmp_path
    )
    trainer.strategy.connect(Lightly())
    trainer.save_checkpoint(tmp_path / "lightly.ckpt", weights_only=True)
    loaded = models.load_checkpoint(tmp_path / "lightly.ckpt")
    assert same(loaded.module, resnet) == 0


def test_torchvision_transformer(tmp_path: Path) -> None:
    encoder = models.open_encoder("random:vit_tiny_patch16").module
    layouts.save(encoder.state_dict(), tmp_path / "vit.pt")
    assert same(models.load(tmp_path / "vit.pt"), encoder, 224) == 0


def test_last_four_blocks_are_those_of_dino(vit: Any, tmp_path: Path) -> None:
    path = layouts.save(layouts.dino(vit.state_dict()), tmp_path / "dino.pth")
    encoder = models.open_encoder(str(path), kind="last4")
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(3))
    # As DINO's eval_linear.py puts them together: class tokens, each block's output normalised.
    blocks = vit.get_intermediate_layers(images, n=4, return_prefix_tokens=True, norm=True)
    expected = torch.cat([prefix[:, 0] for _, prefix in blocks], -1)
    assert (encoder.module(images) - expected).abs().max() < 1e-5
    with pytest.raises(WeightsError, match="this is none"):
        models.open_encoder("random:resnet18", kind="last4")


def test_safetensors(resnet: Any, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    path = tmp_path / "model.safetensors"
    safetensors.save_file(dict(resnet.state_dict()), path, metadata={"format": "pt"})
    assert same(models.load(path), resnet) == 0
    whole = path.read_bytes()
    for cut in (0, 5, 300, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(WeightsError, match="cut or another kind"):
            models.load(path)


def test_half_precision_is_read(resnet: Any, tmp_path: Path) -> None:
    halves = {name: value.half() for name, value in resnet.state_dict().items()}
    loaded = models.load(layouts.save(halves, tmp_path / "half.pt"))
    assert loaded.conv1.weight.dtype == torch.float32


def refused(tmp_path: Path, content: Any, said: str, **options: Any) -> None:
    path = layouts.save(content, tmp_path / "bad.pt")
    with pytest.raises(WeightsError, match=said):
        models.load_checkpoint(path, **options)


def test_missing_weights_are_named(resnet: Any, tmp_path: Path) -> None:
    weights = dict(resnet.state_dict())
    del weights["layer3.1.bn2.running_var"]
    refused(tmp_path, layouts.moco(weights), "missing.*encoder_q.layer3.1.bn2.running_var")


def test_a_copy_does_not_stand_in_for_what_is_not_whole(resnet: Any, tmp_path: Path) -> None:
    content = layouts.moco(resnet.state_dict())
    del content["state_dict"]["module.encoder_q.layer4.0.conv1.weight"]
    # The encoder of the keys is whole, and is not what MoCo's code evaluates.
    refused(tmp_path, content, "encoder_q.*missing", net="resnet18")


def test_weights_left_over_are_named(resnet: Any, tmp_path: Path) -> None:
    weights = {**resnet.state_dict(), "layer4.2.conv1.weight": torch.randn(2)}
    refused(tmp_path, weights, "no place in it .layer4.2.conv1.weight")
    weights = {**resnet.state_dict(), "adapter.weight": torch.randn(2)}
    refused(tmp_path, weights, "no place in it .adapter.weight")
    path = layouts.save(weights, tmp_path / "adapter.pt")
    assert models.load_checkpoint(path, ignore=["adapter"]).report.heads == ("adapter.weight",)


def test_other_nets_are_refused(resnet: Any, vit: Any, tmp_path: Path) -> None:
    refused(tmp_path, resnet.state_dict(), "missing", net="resnet50")
    refused(tmp_path, layouts.random_resnet("resnet34").state_dict(), "no place", net="resnet18")
    refused(tmp_path, vit.state_dict(), "nothing like them", net="resnet50")
    refused(tmp_path, vit.state_dict(), "another shape", net="vit_base_patch16")
    refused(tmp_path, {"weight": torch.ones(3)}, "nothing like them")
    refused(tmp_path, {}, "nothing like them")
    with pytest.raises(WeightsError, match="expected one of resnet18"):
        models.load_checkpoint(tmp_path / "bad.pt", net="resnet5")


def test_transformers_with_more_than_the_network_are_refused(vit: Any, tmp_path: Path) -> None:
    weights = {**vit.state_dict(), "blocks.3.ls1.gamma": torch.ones(192)}
    refused(tmp_path, weights, "blocks.3.ls1.gamma")


def test_twelve_heads_of_moco_v3(tmp_path: Path) -> None:
    vit = timm.create_model("vit_small_patch16_224", num_classes=0)
    weights = {
        **layouts.under("module.base_encoder.", vit.state_dict()),
        **layouts.under("module.momentum_encoder.", vit.state_dict()),
    }
    path = layouts.save({"state_dict": weights}, tmp_path / "v3.pth")
    assert models.load_checkpoint(path).report.net == "vit_small_patch16_heads12"
    with pytest.raises(WeightsError, match="12"):
        models.load_checkpoint(path, net="vit_small_patch16")


def test_one_of_several_must_be_named(resnet: Any, tmp_path: Path) -> None:
    weights = resnet.state_dict()
    content = {
        **layouts.under("left.", weights),
        **layouts.under("right.", layouts.others(weights)),
    }
    refused(tmp_path, content, "several: 'left.', 'right.'")
    path = layouts.save(content, tmp_path / "two.pt")
    assert same(models.load(path, prefix="left."), resnet) == 0


def test_numbers_must_be_numbers(resnet: Any, tmp_path: Path) -> None:
    weights = dict(resnet.state_dict())
    weights["conv1.weight"] = torch.full_like(weights["conv1.weight"], float("nan"))
    refused(tmp_path, weights, "finite numbers .conv1.weight")


class Malicious:
    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.made),)


@pytest.mark.parametrize("zipped", [True, False])
def test_malicious_file_is_not_run(zipped: bool, resnet: Any, tmp_path: Path) -> None:
    made, path = tmp_path / "made", tmp_path / "bad.pt"
    content = {"state_dict": resnet.state_dict(), "more": Malicious(made)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"calls for posix\.mkdir"):
        models.load(path)
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(WeightsError):
        models.load(path)
    assert not made.exists()


def test_cut_files(resnet: Any, tmp_path: Path) -> None:
    path = layouts.save(layouts.moco(resnet.state_dict()), tmp_path / "cut.pth")
    whole = path.read_bytes()
    for cut in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(WeightsError, match=r"cut\.pth: "):
            models.load(path)
    path.write_bytes(b"<html>not found</html>" * 50)
    with pytest.raises(WeightsError, match=r"another kind of file|not one"):
        models.load(path)
    with pytest.raises(WeightsError, match="found neither"):
        models.load(tmp_path / "nothing.pth")


def test_namespaces_are_allowed_and_no_more(resnet: Any, tmp_path: Path) -> None:
    content = {"model": resnet.state_dict(), "args": argparse.Namespace(path=Path("x"))}
    refused(tmp_path, content, "calls for pathlib")


def test_other_kinds_of_content(tmp_path: Path) -> None:
    path = tmp_path / "list.pt"
    torch.save([1, 2], path)
    with pytest.raises(WeightsError, match="state_dict"):
        models.load(path)


def test_published_names_of_detectron2(tmp_path: Path) -> None:
    resnet = layouts.random_resnet("resnet50")
    convert_to_detectron2(resnet, tmp_path / "out.pkl")
    content = pickle.loads((tmp_path / "out.pkl").read_bytes())
    assert content["matching_heuristics"] is True
    # Readable by what reads the model zoo's files, which runs nothing.
    weights = read_checkpoint(tmp_path / "out.pkl")
    assert weights.keys() == content["model"].keys()
    assert {name.partition(".")[0] for name in weights} == {"stem", "res2", "res3", "res4", "res5"}
    back = {detectron2_name(name): name for name in resnet.state_dict()}
    other = layouts.random_resnet("resnet50", seed=1)
    missing, unexpected = other.load_state_dict(
        {back[name]: torch.from_numpy(value.copy()) for name, value in weights.items()},
        strict=False,
    )
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    assert same(other, resnet) == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("random:resnet18:x", "a number"),
        ("random:nothing", "no network"),
        ("python:nowhere:make", "No module"),
        ("python:math:sqrt2", "no attribute"),
        ("python:tests.evaluate.models.layouts:RESNET_LAYOUTS.copy", "no attribute"),
    ],
)
def test_encoders_that_are_none(name: str, said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        models.open_encoder(name)


def test_digest_is_of_the_content(resnet: Any, tmp_path: Path) -> None:
    first = layouts.save(layouts.moco(resnet.state_dict()), tmp_path / "a.pt")
    second = layouts.save(layouts.vissl(resnet.state_dict()), tmp_path / "b.pt")
    digests = {models.open_encoder(str(path)).digest for path in (first, second)}
    assert len(digests) == 1
    assert models.open_encoder("random:resnet18:1").digest not in digests
