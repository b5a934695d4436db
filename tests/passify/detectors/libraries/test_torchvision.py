from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pass_dataset.errors import DetectorError, WeightsError
from pass_dataset.passify.detectors.catalogue import open_detector
from pass_dataset.passify.detectors.settings import DetectorSettings

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")

SMALL = "ssdlite320_mobilenet_v3_large"


def save_state(folder: Path, name: str) -> Path:
    """Random weights of a model, where torchvision looks for its published ones."""
    published = models.get_model_weights(name).DEFAULT
    torch.manual_seed(0)
    model = models.get_model(name, weights=None, weights_backbone=None)
    first = next(m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d))
    torch.nn.init.uniform_(first.running_var, 1e-5, 1e-4)  # what is added to it matters
    path = folder / "checkpoints" / published.url.rpartition("/")[2]
    path.parent.mkdir()
    torch.save(model.state_dict(), path)
    return path


def images() -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in [(40, 60), (60, 40), (40, 60)]]


@pytest.mark.slow
@pytest.mark.parametrize("name", [SMALL, "fasterrcnn_resnet50_fpn"])
def test_the_model_is_what_torchvision_makes_of_its_weights(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for the model whose first weights need another epsilon."""
    path = save_state(tmp_path, name)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    detector = open_detector(f"torchvision:{name}", DetectorSettings(device="cpu", weights=path))
    model, device = detector._load()  # type: ignore[attr-defined]
    assert device == "cpu"
    expected = models.get_model(name, weights="DEFAULT").eval()
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(1, 3, 64, 96, generator=generator)
    with torch.inference_mode():
        for one, other in zip(
            model.backbone(pixels).values(), expected.backbone(pixels).values(), strict=True
        ):
            scale = other.abs().max()
            torch.testing.assert_close(one / scale, other / scale, atol=1e-4, rtol=0)


@pytest.mark.slow
def test_detects(tmp_path: Path) -> None:
    path = save_state(tmp_path, SMALL)
    settings = DetectorSettings(device="cpu", weights=path, batch_size=2)
    detector = pickle.loads(pickle.dumps(open_detector(f"torchvision:{SMALL}", settings)))
    assert detector.class_names[:3] == ("__background__", "person", "bicycle")
    found = detector.detect(images()[:2])
    model, _ = detector._loaded
    for one, image in zip(found, images()[:2], strict=True):
        rgb = torch.from_numpy(image[:, :, ::-1].copy()).permute(2, 0, 1) / 255
        with torch.inference_mode():
            [expected] = model([rgb])
        of_people = expected["scores"][expected["labels"] == 1]
        highest = float(of_people.max()) if len(of_people) else 0.0
        assert one.max_score == pytest.approx(highest, abs=1e-4)
        assert len(one) == (expected["scores"] > 0.05).sum()
        assert (np.diff(one.scores) <= 0).all()


def test_wrong_or_unsafe_weights(tmp_path: Path) -> None:
    name = f"torchvision:{SMALL}"
    path = tmp_path / "state.pth"
    settings = DetectorSettings(device="cpu", weights=path)
    torch.save({"w": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="expected the state of SSD, found another"):
        open_detector(name, settings).detect(images())
    torch.save({"w": print}, path)
    with pytest.raises(WeightsError, match="the file calls for print") as unsafe:
        open_detector(name, settings).detect(images())
    path.write_bytes(b"<html>")
    with pytest.raises(WeightsError, match="found another kind of file") as other:
        open_detector(name, settings).detect(images())
    # PyTorch's own words advise to load it with no safeguard.
    assert "weights_only" not in f"{unsafe.value} {other.value}"


def test_published_weights_are_known_by_their_digits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the weights folder that has not the hash its name says."""
    path = save_state(tmp_path, SMALL)
    monkeypatch.setenv("PASS_WEIGHTS_DIR", str(path.parent))
    digits = path.stem.rpartition("-")[2]
    detector = open_detector(f"torchvision:{SMALL}", DetectorSettings(device="cpu"))
    with pytest.raises(WeightsError, match=f"begins {digits}"):
        detector.detect(images())


def test_unknown_model() -> None:
    with pytest.raises(DetectorError, match=r"torchvision \(.*ssd300_vgg16.*found 'resnet50'"):
        open_detector("torchvision:resnet50").detect(images())


def test_model_of_people_alone(tmp_path: Path) -> None:
    """Its classes are "no person" and "person"."""
    assert open_detector("torchvision:keypointrcnn_resnet50_fpn").class_names[1] == "person"
