"""Classes by real networks of three libraries: small ones, made here, whose answer is planted."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pass_dataset.curate.ranking.catalogue import open_ranker
from pass_dataset.errors import CurationError, WeightsError
from pass_dataset.images.decoding import decode

# These libraries take seconds to be imported.
pytestmark = pytest.mark.slow

#: Of ImageNet's classes.
TABBY = 281


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be fetched: what is asked for lies in a folder."""

    def refuses(self: socket.socket, address: object) -> None:
        raise OSError(f"asked for {address}")

    monkeypatch.setattr(socket.socket, "connect", refuses)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture
def cat(shared: Path) -> np.ndarray[Any, Any]:
    found = decode((shared / "images" / "chelsea_cat.jpg").read_bytes()).pixels
    assert found is not None
    return found


def planted(torch: Any, network: Any, bias: str, path: Path, seed: int = 0) -> Path:
    """Random weights by which everything is a tabby."""
    torch.manual_seed(seed)
    for tensor in network.parameters():
        torch.nn.init.uniform_(tensor, -0.01, 0.01)
    state = network.state_dict()
    state[bias][TABBY] = 100.0
    torch.save(state, path)
    return path


def check(name: str, pixels: np.ndarray[Any, Any], expected: str) -> None:
    """The class is the planted one, and a ranker that is opened anew says the same."""
    ranker = open_ranker(name)
    (said,) = ranker.rank([pixels])
    assert list(said) == ranker.columns.names
    assert said["class_name"] == expected
    assert said["class_share"] == pytest.approx(1.0)
    assert said["classes"][0] == {"name": expected, "share": said["class_share"]}
    again = open_ranker(name)
    assert again.identity == ranker.identity
    assert again.rank([pixels, pixels[::-1]])[0] == said


def check_refused(torch: Any, name: str, file: Path, other: Path) -> None:
    """A file that holds no weights, or those of another network, is refused, and named."""
    file.write_bytes(b"<html>")
    with pytest.raises(WeightsError, match=r"weights.pth: expected a checkpoint") as raised:
        _ = open_ranker(f"{name}@{file}").identity
    assert "weights_only" not in str(raised.value)
    torch.save({"other": torch.zeros(1)}, other)
    with pytest.raises(WeightsError, match=r"other.pth: expected weights of this network"):
        _ = open_ranker(f"{name}@{other}").identity


def test_torchvision(
    torch: Any, cat: np.ndarray[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = pytest.importorskip("torchvision.models")
    name, file = "torchvision:mobilenet_v3_small", tmp_path / "weights.pth"
    planted(torch, models.mobilenet_v3_small(), "classifier.3.bias", file)
    check(f"{name}@{file}", cat, "tabby")
    identity = open_ranker(f"{name}@{file}").identity
    planted(torch, models.mobilenet_v3_small(), "classifier.3.bias", file, seed=1)
    assert open_ranker(f"{name}@{file}").identity != identity
    check_refused(torch, name, file, tmp_path / "other.pth")
    with pytest.raises(CurationError, match="torchvision:cats"):
        _ = open_ranker("torchvision:cats").identity
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=r"cannot be fetched: .*small@FILE"):
        _ = open_ranker(name).identity
    with pytest.raises(CurationError, match="expected a classifier"):
        _ = open_ranker("torchvision:raft_small").identity


def test_timm(torch: Any, cat: np.ndarray[Any, Any], tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    name, file = "timm:test_resnet.r160_in1k", tmp_path / "weights.pth"
    planted(torch, timm.create_model("test_resnet.r160_in1k", pretrained=False), "fc.bias", file)
    check(f"{name}@{file}", cat, "tabby, tabby cat")
    check_refused(torch, name, file, tmp_path / "other.pth")
    with pytest.raises(CurationError, match="timm:cats"):
        _ = open_ranker("timm:cats").identity


def test_transformers(torch: Any, cat: np.ndarray[Any, Any], tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    names = {0: "dog", 1: "cat", 2: "car", 3: "tree", 4: "house", 5: "boat"}
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        image_size=32, patch_size=16, id2label=names,
    )  # fmt: skip
    network = transformers.ViTForImageClassification(config)
    with torch.no_grad():
        network.classifier.bias[1] = 100.0
    folder = tmp_path / "network"
    network.save_pretrained(folder)
    transformers.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    check(f"transformers:{folder}", cat, "cat")
    # What would be unpickled is not loaded.
    torch.save(network.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(CurationError, match=r"transformers:.* cannot be loaded: .*safetensors"):
        _ = open_ranker(f"transformers:{folder}").identity
