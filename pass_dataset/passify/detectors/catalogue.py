"""All detectors by name."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from pass_dataset.errors import DetectorError
from pass_dataset.passify.detectors.detector import Detector
from pass_dataset.passify.detectors.settings import DetectorSettings, Target

__all__ = ["DETECTORS", "KnownDetector", "open_detector"]


@dataclass(frozen=True)
class KnownDetector:
    """A detector, or a kind of them, that `open_detector` knows.

    Attributes:
      name: what it is asked for by; one that ends in a colon takes a model's name after it.
      target: what it looks for.
      description: one line for a list.
      module: where its class is, below this package; imported when it is opened.
      class_name: its class there.
      network: for that class, where several detectors share one.
    """

    name: str
    target: Target
    description: str
    module: str
    class_name: str
    network: str | None = None

    @property
    def takes_model(self) -> bool:
        """Whether a model's name follows."""
        return self.name.endswith(":")


DETECTORS = (
    KnownDetector(
        "retinaface",
        "face",
        "RetinaFace, MobileNet-0.25: the published detector of faces",
        "retinaface.detector",
        "RetinaFace",
        "mobilenet",
    ),
    KnownDetector(
        "retinaface-resnet50",
        "face",
        "RetinaFace, ResNet-50: the larger one of the same published code",
        "retinaface.detector",
        "RetinaFace",
        "resnet50",
    ),
    KnownDetector(
        "cascade-rcnn",
        "person",
        "Cascade R-CNN, ResNet-50 with FPN: the published detector of people",
        "cascade_rcnn.detector",
        "CascadeRCNN",
    ),
    KnownDetector(
        "detectron2",
        "person",
        "the same through detectron2, where that is installed",
        "libraries.detectron2",
        "Detectron2",
    ),
    KnownDetector(
        "transformers:",
        "person",
        "one of the Hugging Face Hub: transformers:OWNER/NAME[@REVISION], or of a folder",
        "libraries.transformers",
        "TransformersDetector",
    ),
    KnownDetector(
        "torchvision:",
        "person",
        "one of torchvision: torchvision:fasterrcnn_resnet50_fpn_v2 …",
        "libraries.torchvision",
        "TorchvisionDetector",
    ),
)


def open_detector(name: str, settings: DetectorSettings | None = None) -> Detector:
    """The detector of that name. Its network is loaded when it is first used.

    Args:
      name: one of `DETECTORS`.
      settings: how it runs.

    Raises:
      DetectorError: there is none of that name.
    """
    known, model = _find(name)
    module = importlib.import_module(f"pass_dataset.passify.detectors.{known.module}")
    detector_class = getattr(module, known.class_name)
    settings = settings or DetectorSettings()
    made: Detector
    if known.takes_model:
        made = detector_class(model, settings)
    elif known.network is not None:
        made = detector_class(settings, network=known.network)
    else:
        made = detector_class(settings)
    return made


def _find(name: str) -> tuple[KnownDetector, str]:
    """The detector of that name, and the model's name that follows, if any."""
    for known in DETECTORS:
        if known.takes_model and name.startswith(known.name) and name != known.name:
            return known, name[len(known.name) :]
        if name == known.name and not known.takes_model:
            return known, ""
    names = ", ".join(
        f"{known.name}MODEL" if known.takes_model else known.name for known in DETECTORS
    )
    raise DetectorError(f"expected a detector ({names}), found {name!r}")
