from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import hubconf
from pass_dataset.commands.evaluate.main import main as evaluate
from pass_dataset.commands.main import main as dataset
from pass_dataset.evaluate import models
from pass_dataset.evaluate.models.published import PUBLISHED
from pass_dataset.evaluate.models.store import find_published
from tests.evaluate.models import layouts
from tests.evaluate.pictures import make_labelled

SMALL = ["--resize", "36", "--crop", "32"]


class MeanColour(torch.nn.Module):
    """An encoder that knows these pictures: colours, in places."""

    def forward(self, images: Any) -> Any:
        return torch.nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)


class Constant(torch.nn.Module):
    """An encoder that knows nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.plane = torch.nn.Parameter(torch.zeros(1))

    def forward(self, images: Any) -> Any:
        generator = torch.Generator().manual_seed(len(images))
        return torch.randn(len(images), 12, generator=generator)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_labelled(tmp_path_factory.mktemp("labelled"), train=16, test=20)


@pytest.mark.slow
def test_compare(labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"python:tests.evaluate.test_commands:{name}" for name in ("Constant", "MeanColour")]
    command = ["compare", "--a", names[0], "--b", names[1], "--data", str(labelled), *SMALL]
    page, written = tmp_path / "page.html", tmp_path / "written.json"
    common = ["--cache", str(tmp_path / "cache"), "--views", "1"]
    assert evaluate([*command, *common, "--out", str(page)]) == 0
    out = capsys.readouterr().out
    assert "B better by" in out and "48 training images, 60 test images, 3 classes" in out
    text = page.read_text()
    assert "Table 2b" in text and "B better by" in text and "<script" not in text
    assert evaluate([*command, *common, "--json", "--out", str(written)]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content == json.loads(written.read_text())
    rows = {row["protocol"]: row for row in content["sets"][0]["rows"]}
    assert rows["kNN k=20"]["says"].startswith("B better by")
    assert rows["logistic, tuned"]["interval"][0] > 20

    same = ["compare", "--a", names[1], "--b", names[1], "--data", str(labelled), *SMALL]
    assert evaluate([*same, *common, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert {row["says"] for row in content["sets"][0]["rows"]} == {
        "no difference: both gave the same answers"
    }


def test_images_in_both_sets_are_told(
    labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_labelled(tmp_path / "both")
    (folder / "test" / "red" / "0.jpg").write_bytes(
        (folder / "train" / "red" / "0.jpg").read_bytes()
    )
    name = "python:tests.evaluate.test_commands:MeanColour"
    # The same pixels in another file.
    image = Image.open(folder / "train" / "blue" / "0.jpg")
    image.save(folder / "test" / "blue" / "0.png")
    command = [
        *("compare", "--a", name, "--b", name, "--data", str(folder), *SMALL),
        *("--protocols", "knn", "--cache", str(tmp_path / "cache")),
    ]
    assert evaluate(command) == 0
    said = "2 test images are in the training set too, or nearly; 1 of them byte for byte"
    assert said in capsys.readouterr().out
    assert evaluate([*command, "--same-files-only"]) == 0
    assert "1 test image is in the training set too, byte for byte" in capsys.readouterr().out


def test_embed_and_probe(
    labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "python:tests.evaluate.test_commands:MeanColour"
    cache = ["--cache", str(tmp_path / "cache"), *SMALL]
    assert evaluate(["embed", name, str(labelled), "--views", "1", *cache]) == 0
    assert capsys.readouterr().out.startswith("middles: 60 images, 12 numbers each")
    share = ["--share", "1/2", "--split", "train"]
    assert evaluate(["embed", name, str(labelled), *share, *cache]) == 1
    assert "others are not" in capsys.readouterr().out
    assert evaluate(["probe", name, str(labelled), "--protocols", "knn,svm", *cache]) == 0
    assert "SVM k=16, top-1: " in capsys.readouterr().out
    assert evaluate(["probe", name, str(labelled), "--protocols", "none", *cache]) == 1
    assert "no protocol is named none" in capsys.readouterr().err
    assert evaluate(["probe", name, str(labelled), "--crop", "99", "--resize", "9"]) == 1
    with pytest.raises(SystemExit):
        evaluate(["embed", name, str(labelled), "--share", "2/2"])


# --- published models -----------------------------------------------------------------------------


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host that has one of the files, and an empty folder to fetch into."""
    host = tmp_path / "host"
    host.mkdir()
    resnet = layouts.random_resnet("resnet18")
    layouts.save(layouts.moco(resnet.state_dict()), host / "moco_v2_r18_800ep.pth.tar")
    monkeypatch.setattr("pass_dataset.evaluate.models.published._BASE", f"{host.as_uri()}/")
    monkeypatch.delenv("PASS_WEIGHTS_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    return tmp_path / "weights"


def test_models_are_listed(published: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dataset(["models", "--dir", str(published)]) == 0
    out = capsys.readouterr().out
    assert out.count("missing") == len(PUBLISHED) == 8
    assert "dino_vits16_300ep  DINO, vit_small_patch16, 300 epochs" in out
    assert dataset(["models", "--json", "swav_200ep", "--dir", str(published)]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["imagenet"] == 60.8 and entry["licence"].startswith("not stated")
    assert dataset(["models", "nothing"]) == 1
    assert "expected one of moco_v2_180ep" in capsys.readouterr().err


def test_model_is_fetched_and_checked_ever_after(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["models", "moco_v2_r18_800ep", "--fetch", "--dir", str(published)]
    assert dataset(command) == 0
    assert "verified" in capsys.readouterr().out
    path = published / "moco_v2_r18_800ep.pth.tar"
    assert path.with_name(path.name + ".sha256").is_file()
    module = models.load("moco_v2_r18_800ep", folder=published)
    assert module(torch.randn(1, 3, 32, 32)).shape == (1, 512)
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"x")
    assert dataset(["models", "moco_v2_r18_800ep", "--dir", str(published)]) == 1
    with pytest.raises(Exception, match="as when it was first seen"):
        find_published(PUBLISHED[3], published)


def test_file_that_was_put_there_is_recorded(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASS_WEIGHTS_DIR", str(tmp_path / "host"))
    assert hubconf.moco_v2_r18_800ep()(torch.randn(1, 3, 32, 32)).shape == (1, 512)
    assert (tmp_path / "host" / "moco_v2_r18_800ep.pth.tar.sha256").is_file()
    with pytest.raises(Exception, match="so nothing is fetched"):
        hubconf.swav_resnet50()


def test_torch_hub_asks_nothing(published: Path, tmp_path: Path) -> None:
    root = str(Path(hubconf.__file__).parent)
    module = torch.hub.load(root, "moco_v2_r18_800ep", source="local", folder=published)
    assert module(torch.randn(1, 3, 32, 32)).shape == (1, 512)
    assert "100 epochs on PASS" in hubconf.dino_100ep_vits16.__doc__


def test_convert(published: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = str(tmp_path / "host" / "moco_v2_r18_800ep.pth.tar")
    for kind, out in (("detectron2", "out.pkl"), ("torchvision", "out.pt")):
        command = ["models", "convert", checkpoint, "--to", kind, "--out", str(tmp_path / out)]
        assert dataset(command) == 0
    assert "stem.conv1.weight" in pickle.loads((tmp_path / "out.pkl").read_bytes())["model"]
    assert "conv1.weight" in torch.load(tmp_path / "out.pt", weights_only=True)
    for bad in (["models", "convert", checkpoint], ["models", "swav_200ep", "--to", "detectron2"]):
        with pytest.raises(SystemExit):
            dataset(bad)


def test_import_is_light() -> None:
    code = (
        "import sys, pass_dataset.evaluate, pass_dataset.commands.evaluate.main; "
        "import hubconf; from pass_dataset.evaluate import models; models.PUBLISHED; "
        "print([m for m in ('torch', 'sklearn', 'faiss', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
