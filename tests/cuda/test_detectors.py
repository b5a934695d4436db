"""Verdicts of a GPU are those of the CPU, in any precision, on all test images."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from pass_dataset.images.decoding import decode  # noqa: E402
from pass_dataset.images.outcomes import DecodedImage  # noqa: E402
from pass_dataset.passify.detectors.cascade_rcnn.detector import (  # noqa: E402
    SCORE_BANDS,
    CascadeRCNN,
)
from pass_dataset.passify.detectors.cascade_rcnn.lanes import Lanes  # noqa: E402
from pass_dataset.passify.detectors.catalogue import open_detector  # noqa: E402
from pass_dataset.passify.detectors.detections import Detections  # noqa: E402
from pass_dataset.passify.detectors.retinaface import detector as retinaface  # noqa: E402
from pass_dataset.passify.detectors.retinaface.detector import RetinaFace  # noqa: E402
from pass_dataset.passify.detectors.settings import (  # noqa: E402
    PRECISIONS,
    DetectorSettings,
    Precision,
)
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds  # noqa: E402
from pass_dataset.passify.runs.schema import ImageResult  # noqa: E402
from pass_dataset.passify.runs.settings import DetectorChoice  # noqa: E402
from pass_dataset.passify.sources.source import SourceItem  # noqa: E402
from pass_dataset.passify.steps.detecting import Detecting  # noqa: E402
from pass_dataset.passify.steps.record import Examined  # noqa: E402
from pass_dataset.torch.inference import inference  # noqa: E402
from tests.conftest import SHARED  # noqa: E402
from tests.passify.detectors.cascade_rcnn.test_detector import check_same  # noqa: E402
from tests.passify.detectors.libraries import test_torchvision, test_transformers  # noqa: E402

pytestmark = pytest.mark.timeout(1200)

Images = list[np.ndarray[Any, Any]]


def precisions() -> list[Precision]:
    """Those that this GPU has: before Ampere PyTorch makes bfloat16 of other numbers, if at all."""
    without: set[Precision] = {"bfloat16"} if torch.cuda.get_device_capability() < (8, 0) else set()
    return [precision for precision in PRECISIONS if precision not in without]


def images_of(folder: Path, reader: Any, every: int = 1) -> Images:
    """Those that can be decoded, of all sizes."""
    found = []
    for path in sorted(folder.rglob("*"))[::every]:
        if path.is_file():
            pixels = decode(path.read_bytes()).pixels_by(reader)
            if pixels is not None:
                found.append(pixels)
    return found


def largest_differences(
    what: str,
    found: Sequence[Detections],
    at_first: Sequence[Detections],
    expected: Sequence[Detections],
) -> tuple[float, float]:
    """Of the highest scores, and of those before any were made again; verdicts are the same."""
    for one, exact in zip(found, expected, strict=True):
        is_near = abs(exact.max_score - 0.5) < 1e-3
        assert (one.max_score >= 0.5) == (exact.max_score >= 0.5) or is_near
    most, raw = (
        max(abs(one.max_score - exact.max_score) for one, exact in zip(some, expected, strict=True))
        for some in (found, at_first)
    )
    print(f"{what}: {len(found)} images, off by {most:.2g}, before {raw:.2g}")
    return most, raw


@pytest.fixture(scope="module")
def faces(photographs: Path) -> Images:
    return images_of(photographs, "opencv") + images_of(SHARED / "images/labelled", "opencv", 5)


def test_faces(faces: Images, shared: Path) -> None:
    """Scores of float32 to the fourth digit; of less, within what is looked at again."""
    weights = shared / "weights" / "mobilenet0.25_Final.pth"
    expected = RetinaFace(DetectorSettings(device="cpu", weights=weights)).detect(faces)
    assert sum(one.max_score >= 0.5 for one in expected) >= 5
    for precision in precisions():
        settings = DetectorSettings(device="cuda", weights=weights, precision=precision)
        detector = RetinaFace(settings)
        found, at_first = detector.detect(faces), detector._detect(faces, precision)
        most, raw = largest_differences(f"faces, {precision}", found, at_first, expected)
        if precision == "float32":
            assert most < 1e-4
            for one, other in zip(found, expected, strict=True):
                assert len(one) == len(other)
                assert np.abs(one.boxes - other.boxes).max(initial=0) < 0.1
        else:
            assert raw < retinaface._BANDS[precision]


def over(found: Detections, score: float) -> Detections:
    """Those of higher scores: lower down, what is near in score may change places with others."""
    those = found.scores > score
    return replace(
        found, boxes=found.boxes[those], scores=found.scores[those], classes=found.classes[those]
    )


@pytest.fixture(scope="module")
def people(photographs: Path) -> Images:
    return images_of(photographs, "pillow")


def test_people(people: Images, cascade_weights: Path) -> None:
    """One a time and in batches; less than float32 stays within what is looked at again."""
    expected = CascadeRCNN(DetectorSettings(device="cpu", weights=cascade_weights)).detect(people)
    for precision in precisions():
        settings = DetectorSettings(device="cuda", weights=cascade_weights, precision=precision)
        detector = CascadeRCNN(settings)
        found, at_first = detector.detect(people * 2), detector._run(people, precision)
        twice = expected * 2
        most, raw = largest_differences(f"people, {precision}", found, at_first * 2, twice)
        if precision == "float32":
            assert most < 1e-3
            for one, other in zip(found, twice, strict=True):
                check_same(over(one, 0.5), over(other, 0.5), 5e-3)
        else:
            assert raw < SCORE_BANDS[precision]


@pytest.fixture(scope="module")
def strips(people: Images) -> Images:
    """Eleven low ones of two sizes, which take the network less: several batches, two at a time."""
    wide = [pixels[:100, :400] for pixels in people if pixels.shape[1] >= 400]
    images = [*wide[:6], *(np.ascontiguousarray(pixels[:, :300]) for pixels in wide[:5])]
    assert len(images) == 11
    return images


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_side_by_side(strips: Images, cascade_weights: Path, precision: Precision) -> None:
    """The same each time, whatever the other lane does meanwhile."""
    settings = DetectorSettings(device="cuda", weights=cascade_weights, batch_size=2)
    detector = CascadeRCNN(settings)
    detector.detect(strips[:1])  # makes it ready
    alone = detector._run(strips, precision)
    assert max(one.max_score for one in alone) > 0.05
    for _ in range(20):
        for found, expected in zip(detector._run(strips, precision), alone, strict=True):
            assert found.max_score == pytest.approx(expected.max_score, abs=1e-3)


def test_memory_that_is_too_small(
    people: Images, cascade_weights: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """For a batch, not for one image: then they go one by one, and all have their scores."""
    pixels = max(people, key=lambda one: min(one.shape[:2]))[:600, :600]
    images = [np.roll(pixels, 20 * number, axis=1) for number in range(8)]
    detector = CascadeRCNN(DetectorSettings(device="cuda", weights=cascade_weights))
    detector.detect(images[:1])  # the network is there, and stays
    expected, together, _ = measured(detector, images)
    _, _, alone = measured(detector, images[:1])
    assert together > alone
    # As much as two images more, of the seven that a batch takes more.
    most = alone + (together - alone) // 4
    records = [
        Examined(
            number,
            SourceItem(f"{number}.jpg"),
            ImageResult("/photographs", f"{number}.jpg"),
            DecodedImage("ok", image, image.shape[1], image.shape[0], ""),
        )
        for number, image in enumerate(images)
    ]
    choice = DetectorChoice("person", detector.name, "f" * 64)
    step = Detecting(detector, choice, TARGETS, Thresholds(), True, len(images))
    try:
        torch.cuda.set_per_process_memory_fraction(most / torch.cuda.mem_get_info()[1])
        found = list(step.run(records))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()
    assert (step.tried, step.failed) == (8, 0), step.last_failure
    for record, one in zip(found, expected, strict=True):
        assert record.result.person_max_score == pytest.approx(one.max_score, abs=1e-3)
    assert "failed on 8 images at once and on none of them alone" in caplog.text


def measured(detector: CascadeRCNN, images: Images) -> tuple[list[Detections], int, int]:
    """Detections, and the bytes of the GPU that were in use for them at most, and held at most."""
    gc.collect()  # what other tests left
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    found = detector.detect(images)
    torch.cuda.synchronize()
    return found, torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()


@pytest.mark.usefixtures("two_gpus")
def test_people_on_the_second_gpu(strips: Images, cascade_weights: Path) -> None:
    """As on the first one, which stays the one that the caller uses."""
    made = []
    for device in ("cuda:0", "cuda:1"):
        detector = CascadeRCNN(DetectorSettings(device=device, weights=cascade_weights))
        made.append(detector.detect(strips))
        assert torch.cuda.current_device() == 0
    for first, second in zip(*made, strict=True):
        assert second.max_score == pytest.approx(first.max_score, abs=1e-3)
        check_same(over(second, 0.5), over(first, 0.5), 5e-3)


def test_lanes() -> None:
    """Each thread has a stream, which it keeps and no other has; the caller's stays."""

    def stream(task: int) -> tuple[int, int]:
        both.wait(60)
        return threading.get_ident(), int(torch.cuda.current_stream().cuda_stream)

    both = threading.Barrier(2)
    lanes = Lanes("cuda:0", 2)
    before = torch.cuda.current_stream()
    found = set(lanes.each(stream, range(6)))
    assert len(found) == len({thread for thread, _ in found}) == len({one for _, one in found}) == 2
    assert set(lanes.each(stream, range(2))) == found
    assert torch.cuda.current_stream() == before
    assert before.cuda_stream not in {one for _, one in found}


def test_people_of_the_published_code(
    people: Images, cascade_weights: Path, photographs: Path, shared: Path
) -> None:
    golden = json.loads((shared / "golden" / "cascade_rcnn_detections.json").read_text())["images"]
    for precision in precisions():
        detector = CascadeRCNN(
            DetectorSettings(device="cuda", weights=cascade_weights, precision=precision)
        )
        for name, expected in golden.items():
            pixels = decode((photographs / name).read_bytes()).pixels_by("pillow")
            assert pixels is not None
            [found] = detector.detect([pixels])
            score = expected["max_person_score"]
            if precision == "float32":
                assert found.max_score == pytest.approx(score, abs=1e-3), name
            if abs(score - 0.5) > 1e-3:
                assert (found.max_score >= 0.5) == expected["has_person"], (name, precision)


def test_detectors_of_libraries(tmp_path: Path) -> None:
    """Random weights of torchvision's find nothing sure: what its network sees is compared."""
    pytest.importorskip("transformers")
    model = test_transformers.save_model(tmp_path / "tiny", test_transformers.LABELS)
    name = test_torchvision.SMALL
    path = test_torchvision.save_state(tmp_path, name)
    answers, seen = [], []
    devices: tuple[str, ...] = ("cpu", "cuda")
    pixels = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    for device in devices:
        detector = open_detector(f"transformers:{model}", DetectorSettings(device=device))
        answers.append(detector.detect(test_transformers.images()))
        settings = DetectorSettings(device=device, weights=path)
        other = open_detector(f"torchvision:{name}", settings)
        assert len(other.detect(test_torchvision.images())) == 3
        network, _ = other._load()  # type: ignore[attr-defined]
        with inference():
            seen.append([level.cpu() for level in network.backbone(pixels.to(device)).values()])
    for one, two in zip(*answers, strict=True):
        assert one.max_score == pytest.approx(two.max_score, abs=1e-4)
        assert len(one) == len(two)
    for first, second in zip(*seen, strict=True):
        scale = first.abs().max()
        torch.testing.assert_close(first / scale, second / scale, atol=1e-4, rtol=0)


def test_a_device_that_is_not_there() -> None:
    from pass_dataset.errors import DetectorError

    count = torch.cuda.device_count()
    with pytest.raises(DetectorError, match=f"finds {count} CUDA devices"):
        CascadeRCNN(DetectorSettings(device=f"cuda:{count}")).detect(
            [np.zeros((30, 30, 3), np.uint8)]
        )


def test_precisions_are_all_tried() -> None:
    tried: set[Precision] = set(SCORE_BANDS) | {"float32"}
    assert tried == set(PRECISIONS)
