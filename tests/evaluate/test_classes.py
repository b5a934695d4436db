from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import torchvision
from torch import nn

from pass_dataset.commands.evaluate.main import main as evaluate
from pass_dataset.errors import WeightsError
from pass_dataset.evaluate.models.loading import load_classifier
from tests.evaluate.models import layouts
from tests.evaluate.pictures import make_labelled


class Channels(nn.Module):
    """Tells the strongest colour: red, green, blue."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean((2, 3))


def test_classes_of_a_collection(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_labelled(tmp_path / "photographs", train=5, test=1)
    (folder / "train" / "red" / "bad.jpg").write_bytes(b"nothing")
    name = "python:tests.evaluate.test_classes:Channels"
    out = tmp_path / "classes.parquet"
    command = ["classes", name, str(folder), "--resize", "36", "--crop", "32", "--out", str(out)]
    assert evaluate([*command, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["images"], content["unreadable"], content["seen"]) == (19, 1, 3)
    assert content["frequencies"] == [6, 6, 6]
    assert content["effective_number"] == pytest.approx(3)
    table = pq.read_table(out).to_pydict()
    told = dict(zip(table["path"], table["class"], strict=True))
    assert told["train/red/0.jpg"] == 0 and told["train/blue/0.jpg"] == 2
    assert told["train/red/bad.jpg"] == -1
    assert evaluate(command) == 0
    assert "3 of 3 classes are seen, as diverse as 3.0" in capsys.readouterr().out


def test_classifier_is_loaded_whole(tmp_path: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        whole = torchvision.models.resnet18(num_classes=7).eval()
    path = layouts.save(layouts.under("module.", whole.state_dict()), tmp_path / "whole.pth")
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(load_classifier(path)(images), whole(images))
    encoder = layouts.random_resnet()
    for content in (encoder.state_dict(), layouts.moco(encoder.state_dict())):
        with pytest.raises(WeightsError, match="one linear layer on top"):
            load_classifier(layouts.save(content, tmp_path / "none.pth"))
