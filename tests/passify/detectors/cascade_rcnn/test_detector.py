"""Against detectron2's own results with the same weights (golden data)."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pass_dataset.errors import DetectorError, WeightsError
from pass_dataset.images.decoding import decode
from pass_dataset.passify.detectors.cascade_rcnn.detector import CascadeRCNN
from pass_dataset.passify.detectors.catalogue import open_detector
from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.settings import DetectorSettings

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

pytestmark = pytest.mark.timeout(1200)

Image = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def detector(weights: Path) -> CascadeRCNN:
    return CascadeRCNN(DetectorSettings(device="cpu", weights=weights))


@pytest.fixture
def golden(shared: Path) -> dict[str, Any]:
    path = shared / "golden" / "cascade_rcnn_detections.json"
    images: dict[str, Any] = json.loads(path.read_text())["images"]
    return images


def image(shared: Path, name: str) -> Image:
    """Pixels as the detector wants them."""
    pixels = decode((shared / "images" / name).read_bytes()).pixels_by("pillow")
    assert pixels is not None
    return pixels


def iou(one: Image, other: Image) -> float:
    corner = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    overlap = np.prod(np.maximum(corner[1] - corner[0], 0))
    areas = np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])
    return float(overlap / (areas - overlap))


def check_same(found: Detections, expected: Detections, score_tolerance: float) -> None:
    assert found.max_score == pytest.approx(expected.max_score, abs=score_tolerance)
    assert len(found) == len(expected)
    np.testing.assert_allclose(found.scores, expected.scores, atol=score_tolerance)
    # Boxes of nearly the same score may change places.
    near = [
        any(
            iou(box, other) > 0.95 and kind == other_kind
            for other, other_kind in zip(expected.boxes, expected.classes, strict=True)
        )
        for box, kind in zip(found.boxes, found.classes, strict=True)
    ]
    assert np.mean(near) >= 0.99


@pytest.mark.slow
def test_golden_detections(detector: CascadeRCNN, golden: dict[str, Any], shared: Path) -> None:
    """Tolerances: equal verdicts, 1e-3 of the highest score, 99 % of the boxes."""
    assert len(golden) == 15
    matched = expected_boxes = 0
    for name, expected in golden.items():
        pixels = image(shared, name)
        assert pixels.shape == (expected["height"], expected["width"], 3), name
        [found] = detector.detect([pixels])
        assert found.max_score == pytest.approx(expected["max_person_score"], abs=1e-3), name
        if abs(expected["max_person_score"] - 0.5) > 1e-3:
            assert (found.max_score >= 0.5) == expected["has_person"], name
        assert (np.diff(found.scores) <= 0).all()
        assert found.boxes.dtype == found.scores.dtype == np.float32
        assert found.classes.dtype == np.int64
        assert len(found) <= 100
        assert found.scores.min() > detector.store_threshold
        over = found.scores > 0.5
        assert over.sum() == len(expected["detections"]), name
        expected_boxes += len(expected["detections"])
        for wanted in expected["detections"]:
            matched += any(
                iou(box, np.array(wanted["box"])) > 0.95
                and abs(score - wanted["score"]) < 5e-3
                and kind == wanted["category"]
                for box, score, kind in zip(
                    found.boxes[over], found.scores[over], found.classes[over], strict=True
                )
            )
    assert matched >= 0.99 * expected_boxes > 60


@pytest.mark.slow
def test_batches_give_what_single_images_give(
    detector: CascadeRCNN, weights: Path, shared: Path
) -> None:
    """Of like and of unlike shapes: 800×800 three times, and a narrow one between them."""
    images = [
        image(shared, name)
        for name in ("astronaut.jpg", "narrow_75x375.jpg", "gray.jpg", "exif_orientation_6.jpg")
    ]
    images[0] = np.ascontiguousarray(images[0][:, :496])  # 800×794: padded like those of 800×800
    single = [detector.detect([pixels])[0] for pixels in images]
    batched = CascadeRCNN(DetectorSettings(device="cpu", weights=weights, batch_size=3))
    together = batched.detect(images)
    for found, expected in zip(together, single, strict=True):
        check_same(found, expected, 5e-4)
    # The way that CUDA goes: batches side by side.
    batched._cpu_lanes, batched._lanes = 2, None
    for found, expected in zip(batched.detect(images), together, strict=True):
        check_same(found, expected, 1e-5)


def test_more_than_can_be_counted_do_not_go_together(weights: Path) -> None:
    given = []

    class Counting:
        def detect(self, images: list[Image], *_: Any) -> list[Detections]:
            given.append(len(images))
            none = np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)
            return [Detections(*none, 0.0) for _ in images]

    detector = CascadeRCNN(DetectorSettings(device="cpu", weights=weights, batch_size=1000))
    detector._networks["float32"] = Counting()  # type: ignore[assignment]
    assert len(detector.detect([np.zeros((2, 700, 3), np.uint8)] * 101)) == 101
    assert given == [100, 1]


@pytest.mark.slow
def test_less_than_float32_is_checked_in_float32(
    detector: CascadeRCNN, weights: Path, shared: Path
) -> None:
    """The way that CUDA goes in bfloat16: one image near the threshold, one far from it."""
    strips = [
        np.ascontiguousarray(image(shared, name)[:300, left : left + 24])
        for name, left in (("astronaut.jpg", 0), ("gray.jpg", 200))
    ]
    near, far = (detector.detect([pixels])[0] for pixels in strips)
    assert near.max_score == pytest.approx(0.697, abs=0.001)
    assert far.max_score == pytest.approx(0.886, abs=0.001)
    settings = DetectorSettings(
        device="cpu", weights=weights, precision="bfloat16", verdict_threshold=0.49
    )
    low = CascadeRCNN(settings)
    low._cpu_precision = "bfloat16"
    again, once = low.detect(strips)
    np.testing.assert_array_equal(again.boxes, near.boxes)
    assert again.max_score == near.max_score
    assert once.max_score != far.max_score
    assert once.max_score == pytest.approx(far.max_score, abs=0.1)


@pytest.mark.slow
def test_the_cpu_computes_in_float32(detector: CascadeRCNN, weights: Path, shared: Path) -> None:
    settings = DetectorSettings(device="cpu", weights=weights, precision="bfloat16")
    narrow = image(shared, "narrow_75x375.jpg")
    [found] = CascadeRCNN(settings).detect([narrow])
    [expected] = detector.detect([narrow])
    np.testing.assert_array_equal(found.scores, expected.scores)


@pytest.mark.slow
def test_pickles_small(detector: CascadeRCNN, shared: Path) -> None:
    narrow = image(shared, "narrow_75x375.jpg")
    [expected] = detector.detect([narrow])
    pickled = pickle.dumps(detector)
    assert len(pickled) < 2000
    [found] = pickle.loads(pickled).detect([narrow])
    np.testing.assert_array_equal(found.boxes, expected.boxes)


def test_facts(weights: Path) -> None:
    detector = open_detector("cascade-rcnn", DetectorSettings(weights=weights))
    assert (detector.name, detector.target) == ("cascade-rcnn", "person")
    assert len(detector.class_names) == 80
    assert detector.class_names[0] == "person"
    assert len(detector.weights_sha256) == 64
    assert detector.detect([]) == []


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (1, 700), (33, 2)])
def test_tiny_images(detector: CascadeRCNN, size: tuple[int, int]) -> None:
    [found] = detector.detect([np.full((*size, 3), 128, np.uint8)])
    assert 0 <= found.max_score <= 1
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [size[1], size[0]] * 2).all()


def test_images_that_are_none(detector: CascadeRCNN) -> None:
    for bad in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"images\[0\]: expected uint8 of shape \(H, W, 3\)"):
            detector.detect([bad])


def test_devices_that_are_not_there(weights: Path) -> None:
    narrow = np.zeros((8, 8, 3), np.uint8)
    for device, found in (
        ("cuda:99", "CUDA devices"),
        ("tpu", "found 'tpu'"),
        ("mps", "found 'mps'"),
    ):
        with pytest.raises(DetectorError, match=found):
            CascadeRCNN(DetectorSettings(device=device, weights=weights)).detect([narrow])


def test_wrong_weights(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"model": {"w": np.zeros(2, np.float32)}}))
    detector = CascadeRCNN(DetectorSettings(device="cpu", weights=path))
    with pytest.raises(WeightsError, match=r"model.pkl: .*stem\.conv1\.weight: missing"):
        detector.detect([np.zeros((8, 8, 3), np.uint8)])
