from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from pass_dataset.errors import DetectorError
from pass_dataset.passify.detectors.catalogue import DETECTORS, open_detector
from pass_dataset.passify.detectors.settings import DetectorSettings


def test_importing_loads_nothing_large() -> None:
    heavy = ("torch", "torchvision", "onnxruntime", "transformers", "numpy", "PIL", "pyarrow")
    code = (
        "import sys, pass_dataset.passify, pass_dataset.passify.detectors; "
        f"print([m for m in {heavy} if m in sys.modules]); "
        "from pass_dataset.passify.detectors.catalogue import open_detector; "
        "open_detector('cascade-rcnn'); open_detector('torchvision:x'); "
        "print([m for m in ('torch', 'torchvision', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["[]", "[]"], done.stderr


def test_names_are_told_apart() -> None:
    names = [known.name for known in DETECTORS]
    assert len(set(names)) == len(names)
    assert {known.target for known in DETECTORS} == {"face", "person"}


@pytest.mark.parametrize(
    "name",
    [
        "retinaface",
        "retinaface-resnet50",
        "cascade-rcnn",
        "detectron2",
        "transformers:owner/name@v1",
        "torchvision:ssd300_vgg16",
    ],
)
def test_a_detector_knows_its_name(name: str) -> None:
    settings = DetectorSettings(device="cpu", threads=1)
    detector = open_detector(name, settings)
    again = pickle.loads(pickle.dumps(detector))
    target = "face" if name.startswith("retinaface") else "person"
    for one in (detector, again):
        assert (one.name, one.target) == (name, target)


@pytest.mark.parametrize("name", ["yolo", "", "transformers:", "torchvision:", "Cascade-RCNN"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(DetectorError) as caught:
        open_detector(name)
    assert str(caught.value) == (
        "expected a detector (retinaface, retinaface-resnet50, cascade-rcnn, detectron2, "
        f"transformers:MODEL, torchvision:MODEL), found {name!r}"
    )
