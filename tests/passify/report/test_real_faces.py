"""The detector itself is asked whether the report still shows faces."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

from pass_dataset.executors.local import LocalExecutor
from pass_dataset.images.decoding import decode
from pass_dataset.passify.detectors.catalogue import open_detector
from pass_dataset.passify.detectors.detector import Detector
from pass_dataset.passify.detectors.settings import DetectorSettings
from pass_dataset.passify.filtering import run_filter
from pass_dataset.passify.report.document import write_report
from pass_dataset.passify.report.survey import Choices
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.settings import DetectorChoice, RunSettings
from pass_dataset.passify.sources.opening import SourceSettings
from pass_dataset.passify.steps.execution import Execution
from tests.conftest import SHARED

EXAMPLES = Choices(examples=30, sample=0)


@pytest.fixture(scope="module")
def weights() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared with weights and test images")
    return SHARED / "weights" / "mobilenet0.25_Final.pth"


@pytest.fixture(scope="module")
def detector(weights: Path) -> Detector:
    return open_detector("retinaface", DetectorSettings(weights=weights, device="cpu"))


@pytest.fixture(scope="module")
def results(
    weights: Path,
    photographs: Path,
    detector: Detector,
    tmp_path_factory: pytest.TempPathFactory,
) -> Results:
    """Faces in the test images, found as `passify run --detectors face` finds them."""
    settings = RunSettings(
        SourceSettings.of(photographs).resolved(),
        (DetectorChoice("face", "retinaface", detector.weights_sha256),),
    )
    folder = RunFolder(tmp_path_factory.mktemp("run") / "run")
    execution = Execution(workers=1, device="cpu", face_weights=str(weights))
    run_filter(folder, settings, LocalExecutor(execution))
    return Results(folder)


def scores(page: Path, detector: Detector) -> dict[str, float]:
    """The highest face score in each picture of a page, by what its text says."""
    found = re.findall(r'base64,([^"]+)" alt="([^"]+), made small"', page.read_text())
    pictures = {name: decode(b64decode(data)).pixels for data, name in found}
    shown = {name: pixels for name, pixels in pictures.items() if pixels is not None}
    assert len(shown) == len(pictures) > 10
    detections = detector.detect([*shown.values()])
    return {name: each.max_score for name, each in zip(shown, detections, strict=True)}


@pytest.mark.slow
def test_no_face_is_left(results: Results, detector: Detector, tmp_path: Path) -> None:
    plain = write_report(results, choices=EXAMPLES, blur=False, out=tmp_path / "plain.html")
    with_faces = {name for name, score in scores(plain, detector).items() if score > 0.5}
    assert {"astronaut.jpg", "faces_many_sizes.jpg", "gray.jpg", "cmyk.jpg"} <= with_faces
    blurred = write_report(results, choices=EXAMPLES, out=tmp_path / "blurred.html")
    assert max(scores(blurred, detector).values()) < 0.5


def test_outlines_are_those_of_the_detector(results: Results, tmp_path: Path) -> None:
    """In an image that EXIF turns too."""
    from pass_dataset.passify.report.gallery import make_gallery
    from pass_dataset.passify.report.survey import make_survey

    thresholds = results.settings.thresholds
    gallery = make_gallery(results, make_survey(results, thresholds, EXAMPLES), thresholds)
    shown = {image.row.path: image for image in gallery.shown.values()}["exif_orientation_6.jpg"]
    assert shown.picture is not None
    from PIL import Image

    with Image.open(io.BytesIO(shown.picture.data)) as image:
        pixels = np.asarray(image.convert("L")).astype(np.int16)
    (outline,) = [each for each in shown.outlines if each.is_flagged]
    x1, y1, x2, y2 = (round(outline.box[side]) for side in ("x1", "y1", "x2", "y2"))
    under = np.abs(np.diff(pixels[y1:y2, x1:x2], axis=1)).mean()
    assert under < 3 < np.abs(np.diff(pixels, axis=1)).mean()
