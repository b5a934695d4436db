"""The published detector of people through detectron2 itself, as the reference."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from pass_dataset.errors import DetectorError, MissingExtraError
from pass_dataset.images.outcomes import ImageReader
from pass_dataset.passify.detectors import coco
from pass_dataset.passify.detectors.cascade_rcnn.checkpoint import read_checkpoint
from pass_dataset.passify.detectors.cascade_rcnn.parameters import needed_parameters
from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.libraries.boxes import STORE_THRESHOLD, as_detections
from pass_dataset.passify.detectors.settings import DetectorSettings, Target
from pass_dataset.passify.detectors.torch_setup import check_images, float32_only, prepare_torch
from pass_dataset.passify.detectors.weights.files import CASCADE_RCNN
from pass_dataset.passify.detectors.weights.store import VerifiedWeights, resolve

__all__ = ["Detectron2"]

FEATURE = "The detector detectron2"
CONFIG = "Misc/cascade_mask_rcnn_R_50_FPN_3x.yaml"

_ABSENT = (
    f"{FEATURE} needs the package 'detectron2', which is not installed. It is not on PyPI: install "
    "it from its source, beside the torch that is here, with: pip install --no-build-isolation "
    "'git+https://github.com/facebookresearch/detectron2'. Or use the detector cascade-rcnn: it is "
    "the same network, with the same weights, and needs no detectron2."
)


class Detectron2:
    """Cascade R-CNN of detectron2's model zoo, run one image at a time by detectron2.

    `Detections.max_score` is 0.0 where no person has a score over `store_threshold`.
    """

    name = "detectron2"
    target: Target = "person"
    image_reader: ImageReader = "pillow"
    class_names = coco.CLASS_NAMES
    store_threshold = STORE_THRESHOLD

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self.settings = settings or DetectorSettings()
        self._resolved: VerifiedWeights | None = None
        self._loaded: tuple[Any, Any] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.settings,)

    @property
    def weights_sha256(self) -> str:
        return self._weights().sha256

    def detect(self, images: Sequence[np.ndarray[Any, Any]]) -> list[Detections]:
        """Detections of each image (H×W×3 uint8, BGR), in order.

        Raises:
          MissingExtraError: detectron2 is not installed.
          WeightsError: the weights are missing, wrong or unsafe.
        """
        check_images(images)
        if self._loaded is None:
            self._loaded = self._load()
        model, resizing = self._loaded
        return [_detect(model, resizing, image) for image in images]

    def _weights(self) -> VerifiedWeights:
        if self._resolved is None:
            self._resolved = resolve(CASCADE_RCNN, self.settings)
        return self._resolved

    def _load(self) -> tuple[Any, Any]:
        """The model, and how it has images resized."""
        device = prepare_torch(self.settings, FEATURE)
        float32_only(self.settings, self.name)
        _require("detectron2")
        zoo, config, modeling, transforms = (
            _require(f"detectron2.{part}")
            for part in ("model_zoo", "config", "modeling", "data.transforms")
        )
        settings = config.get_cfg()
        settings.merge_from_file(zoo.get_config_file(CONFIG))
        settings.MODEL.DEVICE = device
        settings.MODEL.MASK_ON = False
        settings.MODEL.ROI_HEADS.SCORE_THRESH_TEST = STORE_THRESHOLD
        settings.MODEL.WEIGHTS = ""
        model = modeling.build_model(settings).eval()
        self._fill(model)
        shorter = settings.INPUT.MIN_SIZE_TEST
        resizing = transforms.ResizeShortestEdge([shorter, shorter], settings.INPUT.MAX_SIZE_TEST)
        return model, resizing

    def _fill(self, model: Any) -> None:
        """Puts the weights in; detectron2's own reader would run what a pickle calls for."""
        import torch

        path = self._weights().path
        parameters = needed_parameters(read_checkpoint(path), path)
        state = {name: torch.tensor(array) for name, array in parameters.items()}
        # Versions differ in what constants they count as state.
        missing, unexpected = model.load_state_dict(state, strict=False)
        wrong = sorted(set(missing) & set(state)) + sorted(unexpected)
        if wrong:
            raise DetectorError(
                f"detectron2: expected the parameters of {CONFIG}, found a model without "
                f"{', '.join(wrong[:5])}; use the detector cascade-rcnn"
            )


def _require(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != "detectron2":
            raise
        raise MissingExtraError(_ABSENT, name="detectron2") from error


def _detect(model: Any, resizing: Any, image: np.ndarray[Any, Any]) -> Detections:
    import torch

    # Torch comes with it.
    from pass_dataset.torch.inference import inference

    height, width, _ = image.shape
    resized = resizing.get_transform(image).apply_image(image)
    pixels = torch.as_tensor(resized.astype("float32").transpose(2, 0, 1))
    with inference():
        [answer] = model([{"image": pixels, "height": height, "width": width}])
    found = answer["instances"]
    return as_detections(found.pred_boxes.tensor, found.scores, found.pred_classes, {coco.PERSON})
