from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from pass_dataset.errors import MissingExtraError
from pass_dataset.passify.detectors.catalogue import open_detector
from pass_dataset.passify.detectors.settings import DetectorSettings

pytest.importorskip("torch")


@pytest.mark.skipif(
    importlib.util.find_spec("detectron2") is not None, reason="detectron2 is installed"
)
def test_absence_says_what_to_do() -> None:
    detector = open_detector("detectron2", DetectorSettings(device="cpu"))
    with pytest.raises(MissingExtraError) as caught:
        detector.detect([np.zeros((8, 8, 3), np.uint8)])
    for part in (
        "not on PyPI",
        "pip install --no-build-isolation 'git+https://github.com/facebookresearch/detectron2'",
        "cascade-rcnn: it is the same network, with the same weights, and needs no detectron2",
    ):
        assert part in str(caught.value)
    assert caught.value.name == "detectron2"
