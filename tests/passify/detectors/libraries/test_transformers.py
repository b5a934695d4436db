from __future__ import annotations

import hashlib
import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pass_dataset.errors import DetectorError, MissingExtraError, WeightsError
from pass_dataset.passify.detectors.catalogue import open_detector
from pass_dataset.passify.detectors.settings import DetectorSettings

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

LABELS = {0: "cat", 1: "Person", 2: "dog"}


def save_model(folder: Path, labels: dict[int, str]) -> Path:
    """A tiny YOLOS with random weights, whose images become 64×64 or so."""
    torch.manual_seed(0)
    config = transformers.YolosConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=[64, 64],
        num_detection_tokens=8,
        id2label=labels,
        label2id={name: number for number, name in labels.items()},
    )
    transformers.YolosForObjectDetection(config).save_pretrained(folder)
    size = {"shortest_edge": 64, "longest_edge": 96}
    transformers.YolosImageProcessor(size=size).save_pretrained(folder)
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save_model(tmp_path / "tiny model", LABELS)


def images() -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    sizes = [(40, 60), (60, 40), (40, 60)]
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes]


def test_detects_by_the_models_own_rules(model: Path) -> None:
    detector = open_detector(f"transformers:{model}", DetectorSettings(device="cpu"))
    assert detector.class_names == ("cat", "Person", "dog")
    found = detector.detect(images())
    processor = transformers.AutoImageProcessor.from_pretrained(model)
    network = transformers.AutoModelForObjectDetection.from_pretrained(model).eval()
    for one, image in zip(found, images(), strict=True):
        inputs = processor(images=[image[:, :, ::-1].copy()], return_tensors="pt")
        with torch.inference_mode():
            outputs = network(**inputs)
        [expected] = processor.post_process_object_detection(
            outputs, threshold=0.05, target_sizes=[image.shape[:2]]
        )
        order = expected["scores"].argsort(descending=True)
        np.testing.assert_allclose(one.scores, expected["scores"][order], atol=1e-5)
        np.testing.assert_allclose(one.boxes, expected["boxes"][order], atol=1e-3)
        people = expected["scores"][expected["labels"] == 1]
        assert one.max_score == pytest.approx(float(people.max()) if len(people) else 0.0, abs=1e-5)
        assert one.boxes.dtype == one.scores.dtype == np.float32
    assert max(len(one) for one in found) > 0


def test_batches_give_what_single_images_give(model: Path) -> None:
    single = open_detector(f"transformers:{model}", DetectorSettings(device="cpu"))
    batched = open_detector(f"transformers:{model}", DetectorSettings(device="cpu", batch_size=4))
    batched = pickle.loads(pickle.dumps(batched))
    for one, other in zip(single.detect(images()), batched.detect(images()), strict=True):
        np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-3)
        assert one.max_score == pytest.approx(other.max_score, abs=1e-5)


def test_hash_is_that_of_the_weights(model: Path) -> None:
    expected = hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()
    name = f"transformers:{model}"
    assert open_detector(name).weights_sha256 == expected
    assert open_detector(name, DetectorSettings(weights_sha256=expected)).weights_sha256 == expected
    other = open_detector(name, DetectorSettings(device="cpu", weights_sha256="0" * 64))
    with pytest.raises(WeightsError, match=f"found {expected}; they were not read"):
        other.detect(images()[:1])


def test_model_without_people(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "pets", {0: "cat", 1: "dog"})
    with pytest.raises(DetectorError, match=r"expected a class of people .* found only: cat, dog"):
        open_detector(f"transformers:{folder}", DetectorSettings(device="cpu")).detect(images())


def test_pickled_weights_are_not_read(model: Path) -> None:
    (model / "model.safetensors").unlink()
    torch.save({}, model / "pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"expected the weights as model\.safetensors"):
        open_detector(f"transformers:{model}", DetectorSettings(device="cpu")).detect(images())


def test_code_of_the_model_is_not_run(model: Path) -> None:
    mark = model / "it ran"
    (model / "own.py").write_text(f"open({str(mark)!r}, 'w')")
    config = json.loads((model / "config.json").read_text())
    config["model_type"] = "own_type"
    config["auto_map"] = {"AutoConfig": "own.C", "AutoModelForObjectDetection": "own.M"}
    (model / "config.json").write_text(json.dumps(config))
    with pytest.raises(DetectorError, match="an object detector that transformers knows"):
        open_detector(f"transformers:{model}", DetectorSettings(device="cpu")).detect(images())
    assert not mark.exists()


def test_model_that_is_not_there() -> None:
    name = "transformers:no-such-owner/no-such-model"
    with pytest.raises(DetectorError, match="expected a folder or a model of the Hugging Face Hub"):
        open_detector(name, DetectorSettings(device="cpu")).detect(images())


def test_own_weights_belong_into_the_folder(model: Path) -> None:
    settings = DetectorSettings(device="cpu", weights=model / "model.safetensors")
    with pytest.raises(DetectorError, match="name the folder that has them"):
        open_detector(f"transformers:{model}", settings).detect(images())


def test_missing_extra(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    detector = open_detector(f"transformers:{model}", DetectorSettings(device="cpu"))
    with pytest.raises(MissingExtraError, match=r"pip install 'pass-dataset\[transformers\]'"):
        detector.detect(images())


def test_image_that_the_model_does_not_take(model: Path) -> None:
    hair = np.zeros((1, 30, 3), np.uint8)
    detector = open_detector(f"transformers:{model}", DetectorSettings(device="cpu"))
    with pytest.raises(DetectorError, match="does not take images of 1×30 pixels"):
        detector.detect([hair])


def test_hash_is_that_of_the_file_that_is_loaded(model: Path, tmp_path: Path) -> None:
    """An index beside the whole file names others, which transformers does not read."""

    def opened() -> Any:
        return open_detector(f"transformers:{model}", DetectorSettings(device="cpu"))

    before = opened().weights_sha256
    expected = hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()
    other = save_model(tmp_path / "other", LABELS)
    (other / "model.safetensors").rename(model / "part.safetensors")
    index = {"metadata": {}, "weight_map": {"a": "part.safetensors"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    assert opened().weights_sha256 == before == expected
    opened().detect(images())
    (model / "model.safetensors").unlink()
    part = hashlib.sha256((model / "part.safetensors").read_bytes()).hexdigest()
    assert opened().weights_sha256 == part
    for name in ("../part.safetensors", "sub/part.safetensors", 7):
        index["weight_map"] = {"a": name}  # type: ignore[dict-item]
        (model / "model.safetensors.index.json").write_text(json.dumps(index))
        with pytest.raises(WeightsError, match="expected names of files beside it"):
            _ = opened().weights_sha256


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors"])
def test_weights_beside_those_of_the_model_are_refused(model: Path, name: str) -> None:
    (model / name).write_text("{}")
    detector = open_detector(f"transformers:{model}", DetectorSettings(device="cpu"))
    with pytest.raises(WeightsError, match=f"{name}: has transformers load an adapter"):
        detector.detect(images())


def test_weights_that_the_config_names_are_refused(model: Path) -> None:
    config = json.loads((model / "config.json").read_text())
    config["transformers_weights"] = "other.safetensors"
    (model / "config.json").write_text(json.dumps(config))
    detector = open_detector(f"transformers:{model}", DetectorSettings(device="cpu"))
    with pytest.raises(WeightsError, match=r"load other\.safetensors and not model"):
        _ = detector.weights_sha256
