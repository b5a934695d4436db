from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pass_dataset.passify.detectors.cascade_rcnn.frames import frame_of, resize


@pytest.mark.parametrize(
    ("given", "resized", "padded"),
    [
        ((375, 500), (800, 1067), (800, 1088)),
        ((500, 375), (1067, 800), (1088, 800)),
        ((500, 500), (800, 800), (800, 800)),
        ((75, 375), (267, 1333), (288, 1344)),
        ((800, 1333), (800, 1333), (800, 1344)),
        ((1, 5000), (1, 1333), (32, 1344)),  # where detectron2 fails
    ],
)
def test_frame(given: tuple[int, int], resized: tuple[int, int], padded: tuple[int, int]) -> None:
    frame = frame_of(*given)
    assert (frame.given, frame.resized, frame.padded) == (given, resized, padded)
    assert resize(np.zeros((*given, 3), np.uint8), frame).shape == (*resized, 3)


def test_frames_are_detectron2s(shared: Path) -> None:
    golden = json.loads((shared / "golden" / "cascade_rcnn_detections.json").read_text())
    for image in golden["images"].values():
        assert list(frame_of(image["height"], image["width"]).padded) == image["padded_input"]


def test_image_of_the_right_size_is_left_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (800, 900, 3), np.uint8)
    np.testing.assert_array_equal(resize(image, frame_of(800, 900)), image)
